/** Configuration keys as data: name, type, default and access (OCPP 1.6 section 9). A room declares those it owns. */

/** R: the central system may read. RW: and write. W: only write (AuthorizationKey). */
export type Access = 'R' | 'RW' | 'W';

export interface KeyType<T> {
  /** What is expected, for a person. */
  readonly expected: string;
  /** Undefined for a text that is not of this type. */
  parse(text: string): T | undefined;
  /** The one way this value is written on the wire. */
  format(value: T): string;
}

export interface Key<T> {
  readonly name: string;
  readonly type: KeyType<T>;
  readonly initial: T;
  readonly access: Access;
  /** A change takes effect after the next boot only. */
  readonly rebootRequired: boolean;
}

/** A key whose type does not matter to the reader. */
export interface AnyKey {
  readonly name: string;
  readonly type: { readonly expected: string; parse(text: string): unknown; format(value: never): string };
  readonly initial: unknown;
  readonly access: Access;
  readonly rebootRequired: boolean;
}

/** What only the running charge point can judge (which measurands its meters give): whether a parsed value may take effect. */
export type Accepts<T> = (value: T) => boolean;

export interface KeyOptions<T> {
  readonly default: T;
  readonly access?: Access;
  readonly rebootRequired?: boolean;
}

export const key = <T>(name: string, type: KeyType<T>, options: KeyOptions<T>): Key<T> => ({
  name,
  type,
  initial: options.default,
  access: options.access ?? 'RW',
  rebootRequired: options.rebootRequired ?? false,
});

export const boolean = (): KeyType<boolean> => ({
  expected: 'true or false',
  parse: (text) => ({ true: true, false: false })[text.trim().toLowerCase()],
  format: String,
});

/** A whole number in decimal digits, bounds included. */
export const integer = (least: number, most: number): KeyType<number> => ({
  expected: `a whole number from ${least} to ${most}`,
  parse: (text) => {
    if (!/^\s*-?\d{1,15}\s*$/.test(text)) return undefined;
    const value = Number(text);
    return value >= least && value <= most ? value : undefined;
  },
  format: String,
});

/** Seconds, 0 to about 136 years: the span of an unsigned 32-bit number. */
export const seconds = (least = 0): KeyType<number> => integer(least, 4_294_967_295);

/** Comma separated items, each of `options`, without repetition; spaces around items do not count. Empty is an empty list. */
export const list = <const O extends string>(options: readonly O[]): KeyType<readonly O[]> => ({
  expected: `a comma separated list of ${options.join(', ')}`,
  parse: (text) => {
    const items = text.trim() === '' ? [] : text.split(',').map((item) => item.trim());
    const known = items.map((item) => options.find((option) => option.toLowerCase() === item.toLowerCase()));
    const isComplete = known.every((item) => item !== undefined) && new Set(known).size === known.length;
    return isComplete ? (known as O[]) : undefined;
  },
  format: (items) => items.join(','),
});

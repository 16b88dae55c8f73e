/** Which value of a configuration key wins: the default, the file's or the central system's; and the sentence that says so. Pure. */
import { spoken } from '../../ocpp/connection-url.ts';
import type { Effective, Source } from '../feature.ts';
import type { Access, AnyKey } from '../keys.ts';

/** What ChangeConfiguration has left in the store. */
export interface Stored {
  readonly value: string;
  /** Epoch milliseconds, for a person. */
  readonly setAt: number;
}

/** All that is known about one key when the agent starts. */
export interface Given {
  /** What the file says now. */
  readonly preset: string | undefined;
  /** What the file said at the last start. */
  readonly lastPreset: string | undefined;
  readonly stored: Stored | undefined;
}

/** One of the values that a key has been given. */
export interface Layer {
  readonly source: Source;
  readonly value: unknown;
  /** Epoch milliseconds; only the central system's have one. */
  readonly since?: number;
}

/** The strongest first; the default comes last. */
export type Layers = readonly [Layer, ...Layer[]];

export interface Standing {
  readonly layers: Layers;
  /** What the central system had set before a technician edited the file: it is forgotten. */
  readonly overruled?: Layer;
  /** Texts that are not of the key's type. */
  readonly ignored: readonly { readonly source: Source; readonly text: string }[];
}

/**
 * What the central system has set wins over the file; a value that was edited in the file since the last start, or came into it,
 * wins over both. Taking a value out of the file is no edit in this sense: it leaves the others as they are.
 */
export function standingOf(key: AnyKey, { preset, lastPreset, stored }: Given): Standing {
  const given: readonly { source: Source; text: string | undefined; since?: number }[] = [
    ...(stored === undefined
      ? []
      : [{ source: 'centralSystem' as const, text: stored.value, since: stored.setAt } as const]),
    { source: 'file', text: preset },
  ];
  const ignored: { source: Source; text: string }[] = [];
  const layers = given.flatMap(({ text, ...layer }): readonly Layer[] => {
    if (text === undefined) return [];
    const value = key.type.parse(text);
    if (value === undefined) ignored.push({ source: layer.source, text });
    return value === undefined ? [] : [{ ...layer, value }];
  });
  const ending: Layer = { source: 'default', value: key.initial };
  const [central, file] = [layers.find(isOfCentralSystem), layers.find(({ source }) => source === 'file')];
  if (central !== undefined && file !== undefined && preset !== lastPreset)
    return { layers: [file, ending], overruled: central, ignored };
  const [strongest, ...others] = layers;
  return { layers: strongest === undefined ? [ending] : [strongest, ...others, ending], ignored };
}

export const isOfCentralSystem = ({ source }: Layer): boolean => source === 'centralSystem';

/** Only written, never read: nobody is shown its value (security whitepaper, A00.FR.303). */
export const isSecret = ({ access }: { readonly access: Access }): boolean => access === 'W';

export const effectiveOf = (key: AnyKey, [layer, ...others]: Layers, access: Access = key.access): Effective => {
  const text = (value: unknown): string => key.type.format(value as never);
  return {
    name: key.name,
    value: text(layer.value),
    source: layer.source,
    access,
    ...(layer.since === undefined ? {} : { since: layer.since }),
    overrides: others.map(({ value, ...other }) => ({ ...other, value: text(value) })),
  };
};

const isAddress = (text: string): boolean => /^\s*wss?:/i.test(text);

/** What other people may see of it. */
export function disclosed(effective: Effective): Effective {
  const shown = (value: string): string => {
    if (!isSecret(effective)) return isAddress(value) ? spoken(value) : value;
    return value === '' ? '' : '***';
  };
  const mask = <T extends { readonly value: string }>(of: T): T => ({ ...of, value: shown(of.value) });
  return { ...mask(effective), overrides: effective.overrides.map(mask) };
}

const SAID: { readonly [source in Source]: string } = {
  default: 'default',
  file: 'file',
  centralSystem: 'central system set',
  adopted: 'adopted',
};

/** Where a value comes from and what it wins over: `file 300, central system set 60 on 2026-01-05T08:00:00Z (wins)`. */
export function originOf({
  value,
  source,
  since,
  overrides,
}: Pick<Effective, 'value' | 'source' | 'since' | 'overrides'>) {
  const isTold = (other: Source): boolean => other !== 'default' || overrides.every((one) => one.source !== 'file');
  const weaker = overrides.filter((other) => isTold(other.source)).toReversed();
  const wins = `${said({ value, source, ...(since === undefined ? {} : { since }) })}${weaker.length > 0 ? ' (wins)' : ''}`;
  return [...weaker.map(said), wins].join(', ');
}

/** The same for a value that was edited in the file: `file 120, edited since the last start (wins), central system set 60 (forgotten)`. */
const editedOriginOf = (value: string, overruled: { readonly value: string; readonly since?: number }): string =>
  `file ${value}, edited since the last start (wins), ${said({ ...overruled, source: 'centralSystem' })} (forgotten)`;

const said = ({ source, value, since }: { source: Source; value: string; since?: number }): string =>
  `${SAID[source]} ${value}${since === undefined ? '' : ` on ${dateText(since)}`}`;

/** What the start-up log and `check` say of a key; undefined where nothing competes with the central system. */
export function competitionOf(key: AnyKey, { layers, overruled }: Standing): string | undefined {
  const effective = disclosed(effectiveOf(key, layers));
  if (overruled !== undefined) {
    const { value, since } = disclosed(effectiveOf(key, [overruled]));
    return editedOriginOf(effective.value, { value, ...(since === undefined ? {} : { since }) });
  }
  return effective.source === 'centralSystem' ? originOf(effective) : undefined;
}

/** Whole seconds, UTC; a store may hold anything. */
export const dateText = (epochMs: number): string =>
  Math.abs(epochMs) <= 8.64e15 ? `${new Date(epochMs).toISOString().slice(0, 19)}Z` : '?';

/** Payloads made from the official schemas: valid ones, and valid ones with one thing done to them. */
import * as fc from 'fast-check';
import type { JsonSchema } from './official.ts';

const DATES = ['2026-11-23', '2024-02-29', '2000-02-29', '0000-02-29', '9999-12-31'];
const TIMES = ['00:00:00', '10:30:59', '23:59:59', '23:59:60', '10:00:00.1', '10:00:00.123456789'];
const OFFSETS = ['Z', 'z', '+00:00', '-23:59', '+0530', '-09'];
const legalTimestamp = fc
  .tuple(
    fc.constantFrom(...DATES),
    fc.constantFrom('T', 't', ' '),
    fc.constantFrom(...TIMES),
    fc.constantFrom(...OFFSETS),
  )
  .filter(([, , time, offset]) => !time.endsWith(':60') || offset === 'Z')
  .map((parts) => parts.join(''));

/** Legal and illegal parts in every combination. */
const anyTimestamp = fc
  .tuple(
    fc.constantFrom(
      ...DATES,
      '2026-02-30',
      '2023-02-29',
      '1900-02-29',
      '2026-04-31',
      '2026-13-01',
      '2026-00-10',
      '26-1-1',
    ),
    fc.constantFrom('T', 't', ' ', '\t', '\u00a0', '', 'TT', 'x'),
    fc.constantFrom(
      ...TIMES,
      '24:00:00',
      '10:60:00',
      '10:00:60',
      '00:59:60',
      '23:59:60.9',
      '10:00:61',
      '10:00',
      '10:00:00.',
    ),
    fc.constantFrom(...OFFSETS, '', '+01:00', '+00:01', '+24:00', '+01:60', '+1:00', 'ZZ', ' Z'),
  )
  .map((parts) => parts.join(''));

const LEGAL_URIS = [
  'ftp://user:secret@host:21/a/b',
  'https://example.org/x?y=%20#z',
  'file:///tmp',
  'urn:x:y',
  'http://[::1]:80/',
];
const anyUri = fc
  .tuple(
    fc.constantFrom('ftp:', 'HTTPS:', 'a+b-c.d:', '', '1a:', ':'),
    fc.constantFrom('//', '/', '', '///'),
    fc.constantFrom(
      'host',
      'u:p@host',
      'u@p@host',
      'host:99',
      'host:x',
      '[::1]',
      '[zz]',
      'h%41',
      'h%4',
      'ü',
      'a b',
      '',
    ),
    fc.constantFrom('', '/', '/a//b', '/a\\b', '/<>', '?q=?/:@', '?q[]', '#f', '#f#g', '\n'),
  )
  .map((parts) => parts.join(''));

const INTEGERS = [0, -0, 1, -1, 2 ** 31 - 1, 2 ** 31, 2 ** 53, -(2 ** 63), 1e300];
const TENTHS = [0, -0.1, 0.1, 0.3, 0.1 + 0.2, 16.7, 32, 1e15 + 0.5, 1e307, Number.MAX_VALUE];
const NUMBERS = [...INTEGERS, ...TENTHS, 0.05, 0.25, 1.5, 16.01, 1e-7, 5e-324, Number.POSITIVE_INFINITY];

/** One and two UTF-16 units, combining marks, zero, and halves of surrogate pairs. */
const character = fc.constantFrom('a', 'Z', '9', ' ', 'é', 'e\u0301', '🔌', '👩‍👧', '\0', '\ud83d', '\udd0c', '"', '<');

const textOf = (length: number): fc.Arbitrary<string> =>
  character.map((piece) => [...piece.repeat(length)].slice(0, length).join(''));

const shortText = (maximum: number): fc.Arbitrary<string> =>
  fc.oneof(
    { weight: 3, arbitrary: fc.nat({ max: Math.min(maximum, 6) }).chain(textOf) },
    { weight: 1, arbitrary: textOf(maximum) },
  );

/** Accepted by the official schema, by construction. */
export function valid(schema: JsonSchema): fc.Arbitrary<unknown> {
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  switch (schema.type) {
    case 'object': {
      const members = Object.entries(schema.properties ?? {}).map(([name, member]) => [name, valid(member)] as const);
      return fc.record(Object.fromEntries(members), {
        requiredKeys: [...(schema.required ?? [])],
        noNullPrototype: true,
      });
    }
    case 'array':
      return fc.array(valid(schema.items ?? {}), { minLength: schema.minItems ?? 0, maxLength: 2 });
    case 'integer':
      return fc.constantFrom(...INTEGERS);
    case 'number':
      return fc.oneof(
        fc.constantFrom(...TENTHS),
        fc.integer({ min: -9999, max: 99_999 }).map((tenths) => tenths / 10),
      );
    case 'boolean':
      return fc.boolean();
    default:
      if (schema.format === 'date-time') return legalTimestamp;
      if (schema.format === 'uri') return fc.constantFrom(...LEGAL_URIS);
      return shortText(schema.maxLength ?? 300);
  }
}

/** The places of a payload: the payload itself, its members and the elements of its lists. */
interface Place {
  readonly schema: JsonSchema;
  readonly value: unknown;
  readonly put: (value: unknown) => unknown;
}

type Members = Readonly<Record<string, unknown>>;

function places(schema: JsonSchema, value: unknown, put: (value: unknown) => unknown): readonly Place[] {
  const here = { schema, value, put };
  if (Array.isArray(value)) {
    const elements = value.flatMap((element, index) =>
      places(schema.items ?? {}, element, (changed) => put(value.with(index, changed))),
    );
    return [here, ...elements];
  }
  if (typeof value !== 'object' || value === null) return [here];
  const members = Object.entries(value).flatMap(([name, member]) =>
    places(schema.properties?.[name] ?? {}, member, (changed) => put({ ...value, [name]: changed })),
  );
  return [here, ...members];
}

function without(value: Members, name: string): Members {
  const { [name]: _, ...others } = value;
  return others;
}

const STRANGERS = ['extra', 'idTAG', '', '__proto__', 'constructor', 'toString', '0'];
const withStranger = (value: unknown): fc.Arbitrary<unknown> =>
  fc
    .constantFrom(...STRANGERS)
    // JSON.parse makes an own member of __proto__; a literal would not.
    .map((name) => ({ ...(value as object), ...JSON.parse(`{"x":1,${JSON.stringify(name)}:{}}`), x: undefined }))
    .map((changed) => without(changed, 'x'));

const anyOtherType = fc.constantFrom<unknown>(
  null,
  true,
  0,
  1.5,
  '',
  'x',
  '1',
  [],
  [[]],
  {},
  { length: 0 },
  new Date(0),
);

/** What can be done to one place. */
function change({ schema, value }: Place): fc.Arbitrary<unknown> {
  const changes: fc.Arbitrary<unknown>[] = [anyOtherType];
  if (schema.type === 'object') {
    const names = Object.keys(value as object);
    changes.push(withStranger(value));
    if (names.length > 0) changes.push(fc.constantFrom(...names).map((name) => without(value as Members, name)));
  }
  if (schema.type === 'array') changes.push(fc.constantFrom([], [null], [[]], [...(value as unknown[]), undefined]));
  if (schema.type === 'integer' || schema.type === 'number') changes.push(fc.constantFrom(...NUMBERS), fc.double());
  const enumeration = schema.enum;
  if (enumeration !== undefined) {
    const spoil = [
      (w: string) => w.toLowerCase(),
      (w: string) => `${w} `,
      (w: string) => w.slice(1),
      (w: string) => `${w}d`,
    ];
    changes.push(
      fc.constantFrom(...enumeration).chain((word) => fc.constantFrom(...spoil.map((spoilt) => spoilt(word)))),
    );
  }
  if (schema.format === 'date-time') changes.push(anyTimestamp, anyTimestamp, anyTimestamp);
  if (schema.format === 'uri') changes.push(anyUri, anyUri, anyUri);
  const maximum = schema.maxLength;
  if (maximum !== undefined)
    changes.push(fc.constantFrom(maximum, maximum + 1, 2 * maximum, 2 * maximum + 1).chain(textOf));
  return fc.oneof(...changes);
}

/** A valid payload with one change at one place; some are still valid. */
export const changed = (schema: JsonSchema): fc.Arbitrary<unknown> =>
  valid(schema).chain((payload) =>
    fc.constantFrom(...places(schema, payload, (value) => value)).chain((place) => change(place).map(place.put)),
  );

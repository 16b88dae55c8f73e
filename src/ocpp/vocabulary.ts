/** The thin vocabulary over valibot in which the 39 shapes are written. Strict: unknown members and null are refused. */
import * as v from 'valibot';
import { isDateTime } from './timestamp.ts';
import { isUri } from './uri.ts';

// Each message below completes "expected ..." in the description of a CALLERROR (see validate.ts). None repeats the value
// that was received: it may be a password.

export const optional = <S extends v.GenericSchema>(schema: S) => v.exactOptional(schema);

type Members<E extends v.ObjectEntries> = v.StrictObjectSchema<E, undefined>;

export type ObjectShape<E extends v.ObjectEntries> = v.SchemaWithPipe<
  readonly [v.CustomSchema<v.InferInput<Members<E>>, 'an object'>, Members<E>]
> & { readonly entries: E };

const isPlainObject = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);

/** A JSON object with exactly these members. The guard comes first because valibot takes an array for an object. */
export function object<E extends v.ObjectEntries>(entries: E): ObjectShape<E> {
  const guard = v.custom<v.InferInput<Members<E>>, 'an object'>(isPlainObject, 'an object');
  return Object.assign(v.pipe(guard, v.strictObject(entries)), { entries });
}

/** Read-only in both directions: who builds a message may hand in a list that is not his to change. */
export interface ListShape<Item extends v.GenericSchema>
  extends v.BaseSchema<
    readonly v.InferInput<Item>[],
    readonly v.InferOutput<Item>[],
    v.ArrayIssue | v.InferIssue<Item> | v.MinLengthIssue<readonly unknown[], number>
  > {
  readonly item: Item;
}

/** A JSON array; `atLeast` elements where the official schema says so. */
export function list<Item extends v.GenericSchema>(item: Item, atLeast = 0): ListShape<Item> {
  const array = v.array(item, 'an array');
  const bounded = atLeast === 0 ? array : v.pipe(array, v.minLength(atLeast, `at least ${atLeast} element`));
  return bounded as unknown as ListShape<Item>;
}

export const oneOf = <const O extends readonly string[]>(...options: O) =>
  v.picklist(options, `one of ${options.join(', ')}`);

/** JSON Schema counts code points; a JavaScript string has one or two units for each. */
const fits = (value: string, maximum: number): boolean =>
  value.length <= maximum || (value.length <= 2 * maximum && [...value].length <= maximum);

export const text = (maximum: number) =>
  v.pipe(
    v.string('a string'),
    v.check((value) => fits(value, maximum), `at most ${maximum} characters`),
  );

export const anyText = v.string('a string');

export const flag = v.boolean('true or false');

/** Any whole number, 1e300 included: the official schemas set no bounds. 1.5 is of the wrong type, as it is there. */
export const integer = v.custom<number, 'an integer'>(Number.isInteger, 'an integer');

// A double that is no integer is below 2^52, so the product cannot overflow. The allowance takes 0.30000000000000004.
const isTenths = (value: number): boolean =>
  Number.isInteger(value) || Math.abs(value * 10 - Math.round(value * 10)) <= 1e-6;

/** A number in steps of 0.1 (limits of charging profiles). */
export const tenths = v.pipe(v.number('a number'), v.check(isTenths, 'a multiple of 0.1'));

/** An RFC 3339 date-time with its offset. `tolerance.ts` recognises this very schema. */
export const dateTime = v.pipe(v.string('a string'), v.check(isDateTime, 'a date-time'));

export const uri = v.pipe(v.string('a string'), v.check(isUri, 'a URI'));

const unwrapped = (schema: v.GenericSchema): v.GenericSchema =>
  'wrapped' in schema ? (schema.wrapped as v.GenericSchema) : schema;

/** The schema of a member, without its `optional`; undefined if the shape knows no such member. */
export function memberOf(schema: v.GenericSchema, name: string): v.GenericSchema | undefined {
  if (!('entries' in schema)) return undefined;
  const entries = schema.entries as Record<string, v.GenericSchema>;
  const member = Object.hasOwn(entries, name) ? entries[name] : undefined;
  return member && unwrapped(member);
}

/** In the order of the shape; none if the schema is no object. */
export const memberNamesOf = (schema: v.GenericSchema): readonly string[] =>
  'entries' in schema ? Object.keys(schema.entries as object) : [];

export const isObjectShape = (schema: v.GenericSchema): boolean => 'entries' in schema;

/** The schema of the elements; undefined if the schema is no list. */
export const itemOf = (schema: v.GenericSchema): v.GenericSchema | undefined =>
  'item' in schema ? (schema.item as v.GenericSchema) : undefined;

/** The thin vocabulary over valibot in which the 39 shapes are written. Strict: unknown members and null are refused. */
import * as v from 'valibot';

export const optional = <S extends v.GenericSchema>(schema: S) => v.exactOptional(schema);

/** A JSON object with exactly these members. An array is no object. */
export const object = <E extends v.ObjectEntries>(entries: E) => v.strictObject(entries);

export const oneOf = <const O extends readonly string[]>(...options: O) => v.picklist(options);

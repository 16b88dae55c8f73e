/** The official JSON schemas of OCPP 1.6 and its security whitepaper, compiled: the oracle of the differential test. */
import { Ajv, type ValidateFunction } from 'ajv';
import addFormats from 'ajv-formats';
// Only this file of the package: its index costs seconds of CPU.
import * as schemas from 'typed-ocpp/dist/ocpp16/schemas.js';

/** As much of JSON Schema as the official schemas use. */
export interface JsonSchema {
  readonly $ref?: string;
  readonly type?: 'object' | 'array' | 'string' | 'number' | 'integer' | 'boolean';
  readonly properties?: { readonly [name: string]: JsonSchema };
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly minItems?: number;
  readonly enum?: readonly string[];
  readonly maxLength?: number;
  readonly format?: 'date-time' | 'uri';
  readonly multipleOf?: number;
  readonly definitions?: { readonly [name: string]: JsonSchema };
}

const all: { readonly [name: string]: JsonSchema } = schemas;

// Not strict, because the schemas carry additionalProperties in enumerations; but infinity is no number. Without a precision 0.3
// would be no multiple of 0.1.
const ajv = new Ajv({ strict: false, strictNumbers: true, multipleOfPrecision: 6 });
addFormats.default(ajv);

export const OFFICIAL_NAMES: readonly string[] = Object.keys(all);

/** `Authorize` and `req` to the schema called AuthorizeRequest, references resolved. */
export function officialSchema(action: string, side: 'req' | 'conf'): JsonSchema {
  const schema = all[`${action}${side === 'req' ? 'Request' : 'Response'}`];
  if (schema === undefined) throw new Error(`no official schema for ${action}.${side}`);
  return resolved(schema, schema.definitions ?? {});
}

function resolved(schema: JsonSchema, definitions: { readonly [name: string]: JsonSchema }): JsonSchema {
  if (schema.$ref !== undefined) {
    const target = definitions[schema.$ref.replace('#/definitions/', '')];
    if (target === undefined) throw new Error(`dangling ${schema.$ref}`);
    return resolved(target, definitions);
  }
  const { definitions: _, properties, items, ...others } = schema;
  const members = Object.entries(properties ?? {}).map(([name, member]) => [name, resolved(member, definitions)]);
  return {
    ...others,
    ...(properties && { properties: Object.fromEntries(members) }),
    ...(items && { items: resolved(items, definitions) }),
  };
}

export const compiled = (schema: JsonSchema): ValidateFunction => ajv.compile(schema);

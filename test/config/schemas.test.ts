/** The JSON Schemas beside the configuration files are those of the shapes. `npm run schemas` writes them anew. */
import { join } from 'node:path';
import { toJsonSchema } from '@valibot/to-json-schema';
import { Ajv } from 'ajv';
import type * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/config/document.ts';
import { agentShape, secretsShape } from '../../src/config/shapes/agent.ts';
import { boardShape, patternShape } from '../../src/config/shapes/board.ts';
import { controllerShape } from '../../src/config/shapes/controller.ts';
import { lineShape, meterShape } from '../../src/config/shapes/meter.ts';
import { nodeFiles } from '../../src/platform/files.ts';
import { SHIPPED } from './support.ts';

const SCHEMAS: readonly (readonly [name: string, shape: v.GenericSchema])[] = [
  ['chargepoint', agentShape],
  ['secrets', secretsShape],
  ['board', boardShape],
  ['controller', controllerShape],
  ['meter', meterShape],
];

/** What would otherwise be repeated dozens of times. */
const shared = (shape: v.GenericSchema) => {
  if (shape === meterShape) return { definitions: { line: lineShape } };
  return shape === boardShape ? { definitions: { pattern: patternShape } } : {};
};

/** Checks that JSON Schema cannot express are dropped; the agent makes them all the same. */
const schemaOf = (shape: v.GenericSchema): object => toJsonSchema(shape, { errorMode: 'ignore', ...shared(shape) });

describe('the JSON Schemas for editors', () => {
  it.each(SCHEMAS)('%s.schema.json is fresh (else: npm run schemas)', async (name, shape) => {
    const text = `${JSON.stringify(schemaOf(shape), undefined, 2)}\n`;
    await expect(text).toMatchFileSnapshot(join(SHIPPED, `${name}.schema.json`));
  });

  it.each([
    ['chargepoint.yaml', agentShape],
    ['boards/raspberry-pi-lab.yaml', boardShape],
    ['boards/raspberry-pi-evse-din.yaml', boardShape],
    ['boards/raspberry-pi-hat.yaml', boardShape],
    ['controllers/evse-wb-din.yaml', controllerShape],
    ['controllers/phoenix-ev-cc.yaml', controllerShape],
    ['meters/eastron-sdm630.yaml', meterShape],
  ] as const)('accept the shipped %s and refuse an unknown member of it', (name, shape) => {
    const { value } = parseConfig(name, nodeFiles.read(join(SHIPPED, name)));
    const validate = new Ajv({ strict: false, allowUnionTypes: true, unicodeRegExp: true }).compile(schemaOf(shape));
    expect(validate(value), JSON.stringify(validate.errors)).toBe(true);
    expect(validate({ ...(value as object), unheardOf: 1 })).toBe(false);
  });

  it.each(['chargepoint.yaml', 'boards/raspberry-pi-lab.yaml'])('are named in the first line of %s', (name) => {
    expect(nodeFiles.read(join(SHIPPED, name))).toMatch(/^# yaml-language-server: \$schema=\S+\.schema\.json\n/);
  });
});

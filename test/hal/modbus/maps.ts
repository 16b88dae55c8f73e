/** The meter files as they lie in `config/meters`. */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import type { RegisterMap } from '../../../hal/modbus/register-map.ts';

const FOLDER = new URL('../../../config/meters/', import.meta.url);

export const meterFile = (name: string): RegisterMap =>
  parse(readFileSync(new URL(`${name}.yaml`, FOLDER), 'utf8')) as RegisterMap;

export const EASTRON: readonly string[] = ['eastron-sdm120', 'eastron-sdm230', 'eastron-sdm630', 'eastron-sdm72d-m-v2'];

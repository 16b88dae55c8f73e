/** The controller files as they lie in `config/controllers`. */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import type { ControllerMap } from '../../../hal/modbus/controller-map.ts';

const FOLDER = new URL('../../../config/controllers/', import.meta.url);

export const controllerFile = (name: string): ControllerMap =>
  parse(readFileSync(new URL(`${name}.yaml`, FOLDER), 'utf8')) as ControllerMap;

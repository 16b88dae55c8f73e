/** The shape of config/meters/*.yaml; yields exactly a RegisterMap. */
import * as v from 'valibot';
import type { MeterUnit, RegisterMap } from '../../../hal/modbus/register-map.ts';
import { decimal, listOf, object, oneOf, optional, text, whole } from '../vocabulary.ts';

const address = () => whole(0, 0xffff);
const readFunction = () => oneOf('holding', 'input');
const wordOrder = () => oneOf('highFirst', 'lowFirst');
const registerType = () => oneOf('uint16', 'int16', 'uint32', 'int32', 'uint64', 'int64', 'float32', 'float64');
const codes = () => v.record(v.string(), v.string('the name of a model'), 'an object: code to model');

const registers = (...units: MeterUnit[]) =>
  optional(
    object({
      unit: oneOf(...units),
      sum: optional(address()),
      L1: optional(address()),
      L2: optional(address()),
      L3: optional(address()),
      N: optional(address()),
      function: optional(readFunction()),
      type: optional(registerType()),
      wordOrder: optional(wordOrder()),
      scale: optional(decimal(-1e9, 1e9)),
      tenthsAbove: optional(decimal(0, 1e9)),
    }),
  );

export const meterShape: v.GenericSchema<unknown, RegisterMap> = object({
  model: text(80),
  datasheet: text(400),
  verified: oneOf('onDevice', 'onPaper'),
  serial: object({
    baudRate: whole(300, 1_000_000),
    parity: oneOf('none', 'even', 'odd'),
    stopBits: oneOf(1, 2),
  }),
  maxA: decimal(1, 10_000, 'A'),
  read: object({
    function: readFunction(),
    type: registerType(),
    wordOrder: wordOrder(),
    maxRegistersPerRead: whole(1, 125),
    mergeGap: optional(whole(0, 124)),
    breakBefore: optional(listOf(address())),
    notAvailable: optional(oneOf('max')),
    silenceMs: decimal(0, 10_000, 'ms'),
    timeoutMs: decimal(10, 10_000, 'ms'),
  }),
  quantities: object({
    voltage: registers('V'),
    current: registers('A'),
    activePower: registers('W', 'kW'),
    reactivePower: registers('var', 'kvar'),
    apparentPower: registers('VA', 'kVA'),
    powerFactor: registers('1'),
    frequency: registers('Hz'),
    energyImport: registers('Wh', 'kWh'),
    energyExport: registers('Wh', 'kWh'),
    reactiveEnergyImport: registers('varh', 'kvarh'),
    reactiveEnergyExport: registers('varh', 'kvarh'),
    temperature: registers('degC'),
    stateOfCharge: registers('percent'),
  }),
  identify: optional(
    object({
      function: readFunction(),
      address: address(),
      type: oneOf('uint16', 'uint32'),
      codes: codes(),
      others: optional(codes()),
    }),
  ),
  serialNumber: optional(
    object({
      function: readFunction(),
      address: address(),
      type: oneOf('uint16', 'uint32', 'uint64'),
      wordOrder: optional(wordOrder()),
    }),
  ),
});

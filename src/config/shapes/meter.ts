/** The shape of config/meters/*.yaml; yields exactly a RegisterMap. */
import * as v from 'valibot';
import type { MeterUnit, RegisterMap } from '../../../hal/modbus/register-map.ts';
import { decimal, described, listOf, object, oneOf, optional, text, whole } from '../vocabulary.ts';

const address = () => whole(0, 0xffff);
const readFunction = () => oneOf('holding', 'input');
const wordOrder = () => oneOf('highFirst', 'lowFirst');
const registerType = () =>
  oneOf(
    'uint16',
    'int16',
    'uint32',
    'int32',
    'uint64',
    'int64',
    'float32',
    'float64',
    'decimalUint24',
    'decimalInt24',
    'signThenUint16',
  );
const scale = () => decimal(-1e9, 1e9);
const codes = () => v.record(v.string(), v.string('the name of a model'), 'an object: code to model');

/** What nothing but memory says: `because` is asked for by `meter-map.ts`. */
const doubtful = {
  verified: optional(v.literal(false, 'false, or nothing')),
  because: optional(text(400)),
};
const words = () => described(optional(whole(1, 125)), 'of a text');

const partShape = object({
  address: address(),
  type: optional(registerType()),
  wordOrder: optional(wordOrder()),
  scale: optional(scale()),
  exponentAt: described(
    optional(address()),
    'an int16 register with the power of ten that the raw number is multiplied with',
  ),
});
/** Written once in the JSON Schema. */
export const lineShape = described(
  v.union([address(), listOf(partShape, 1)], 'an address (0 to 65535), or a list of parts { address, scale }'),
  'an address, or parts that are added up',
);
const line = () => optional(lineShape);

const registers = (...units: MeterUnit[]) =>
  optional(
    object({
      unit: oneOf(...units),
      sum: line(),
      L1: line(),
      L2: line(),
      L3: line(),
      N: line(),
      function: optional(readFunction()),
      type: optional(registerType()),
      wordOrder: optional(wordOrder()),
      scale: optional(scale()),
      tenthsAbove: optional(decimal(0, 1e9)),
      ...doubtful,
    }),
  );

export const meterShape: v.GenericSchema<unknown, RegisterMap> = object({
  model: text(80),
  datasheet: text(400),
  verified: v.union([oneOf('onDevice', 'onPaper'), v.literal(false)], 'one of onDevice, onPaper, false'),
  because: optional(text(400)),
  serial: object({
    baudRate: whole(300, 1_000_000),
    parity: oneOf('none', 'even', 'odd'),
    stopBits: oneOf(1, 2),
    unit: described(optional(whole(1, 247)), 'of the factory, where it is known not to be 1'),
    ...doubtful,
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
      type: oneOf('uint16', 'uint32', 'text'),
      words: words(),
      codes: codes(),
      others: optional(codes()),
      unknown: optional(oneOf('accept')),
    }),
  ),
  serialNumber: optional(
    object({
      function: readFunction(),
      address: address(),
      type: oneOf('uint16', 'uint32', 'uint64', 'text'),
      words: words(),
      wordOrder: optional(wordOrder()),
      ...doubtful,
    }),
  ),
});

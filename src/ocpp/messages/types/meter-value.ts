/** OCPP 1.6 edition 2, sections 7.30 to 7.35, 7.43, 7.45 and 7.49: what a meter tells. */
import type * as v from 'valibot';
import { anyText, dateTime, list, object, oneOf, optional } from '../../vocabulary.ts';

export const READING_CONTEXTS = [
  'Interruption.Begin',
  'Interruption.End',
  'Other',
  'Sample.Clock',
  'Sample.Periodic',
  'Transaction.Begin',
  'Transaction.End',
  'Trigger',
] as const;
export type ReadingContext = (typeof READING_CONTEXTS)[number];

export const VALUE_FORMATS = ['Raw', 'SignedData'] as const;
export type ValueFormat = (typeof VALUE_FORMATS)[number];

export const MEASURANDS = [
  'Current.Export',
  'Current.Import',
  'Current.Offered',
  'Energy.Active.Export.Register',
  'Energy.Active.Import.Register',
  'Energy.Reactive.Export.Register',
  'Energy.Reactive.Import.Register',
  'Energy.Active.Export.Interval',
  'Energy.Active.Import.Interval',
  'Energy.Reactive.Export.Interval',
  'Energy.Reactive.Import.Interval',
  'Frequency',
  'Power.Active.Export',
  'Power.Active.Import',
  'Power.Factor',
  'Power.Offered',
  'Power.Reactive.Export',
  'Power.Reactive.Import',
  'RPM',
  'SoC',
  'Temperature',
  'Voltage',
] as const;
export type Measurand = (typeof MEASURANDS)[number];

export const PHASES = ['L1', 'L2', 'L3', 'N', 'L1-N', 'L2-N', 'L3-N', 'L1-L2', 'L2-L3', 'L3-L1'] as const;
export type Phase = (typeof PHASES)[number];

export const LOCATIONS = ['Body', 'Cable', 'EV', 'Inlet', 'Outlet'] as const;
export type Location = (typeof LOCATIONS)[number];

/** `Celcius` is the spelling of the first schemas and `Celsius` that of the errata; both are on the road. */
export const UNITS_OF_MEASURE = [
  'Wh',
  'kWh',
  'varh',
  'kvarh',
  'W',
  'kW',
  'VA',
  'kVA',
  'var',
  'kvar',
  'A',
  'V',
  'Celcius',
  'Celsius',
  'Fahrenheit',
  'K',
  'Percent',
] as const;
export type UnitOfMeasure = (typeof UNITS_OF_MEASURE)[number];

export const sampledValue = object({
  value: anyText,
  context: optional(oneOf(...READING_CONTEXTS)),
  format: optional(oneOf(...VALUE_FORMATS)),
  measurand: optional(oneOf(...MEASURANDS)),
  phase: optional(oneOf(...PHASES)),
  location: optional(oneOf(...LOCATIONS)),
  unit: optional(oneOf(...UNITS_OF_MEASURE)),
});
export type SampledValue = v.InferOutput<typeof sampledValue>;

export const meterValue = object({ timestamp: dateTime, sampledValue: list(sampledValue) });
export type MeterValue = v.InferOutput<typeof meterValue>;

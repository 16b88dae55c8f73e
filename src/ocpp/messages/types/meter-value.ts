/** OCPP 1.6 edition 2, sections 7.30 to 7.35, 7.43, 7.45 and 7.49: what a meter tells. */
import { anyText, dateTime, list, object, oneOf, optional } from '../../vocabulary.ts';

const READING_CONTEXTS = [
  'Interruption.Begin',
  'Interruption.End',
  'Other',
  'Sample.Clock',
  'Sample.Periodic',
  'Transaction.Begin',
  'Transaction.End',
  'Trigger',
] as const;

const VALUE_FORMATS = ['Raw', 'SignedData'] as const;

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

export const PHASES = ['L1', 'L2', 'L3', 'N', 'L1-N', 'L2-N', 'L3-N', 'L1-L2', 'L2-L3', 'L3-L1'] as const;

export const LOCATIONS = ['Body', 'Cable', 'EV', 'Inlet', 'Outlet'] as const;

/** `Celcius` is the spelling of every schema and `Celsius` that of the newer ones as well (OCPP-J errata 2.1); both are on the road. */
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

const sampledValue = object({
  value: anyText,
  context: optional(oneOf(...READING_CONTEXTS)),
  format: optional(oneOf(...VALUE_FORMATS)),
  measurand: optional(oneOf(...MEASURANDS)),
  phase: optional(oneOf(...PHASES)),
  location: optional(oneOf(...LOCATIONS)),
  unit: optional(oneOf(...UNITS_OF_MEASURE)),
});

export const meterValue = object({ timestamp: dateTime, sampledValue: list(sampledValue) });

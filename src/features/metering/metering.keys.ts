/** The configuration keys of meter values (OCPP 1.6 sections 9.1.5, 9.1.15 to 9.1.19 and 9.1.25 to 9.1.28). */
import { ITEMS, type Item, MEASURANDS } from '../../core/metering/measurands.ts';
import { integer, key, list, seconds } from '../keys.ts';

const SECONDS_PER_DAY = 86_400;
/** A list has no repetitions, so that it can never hold more. */
const LONGEST_LIST = ITEMS.length;

const items = (...initial: readonly Item[]) => ({ default: initial });
const maxLength = (name: string) =>
  key(`${name}MaxLength`, integer(0, LONGEST_LIST), { default: LONGEST_LIST, access: 'R' });

/** 0: nothing is sampled. */
export const meterValueSampleInterval = key('MeterValueSampleInterval', seconds(), { default: 60 });
/** 0: nothing is sampled on the clock. The grid begins at midnight UTC. */
export const clockAlignedDataInterval = key('ClockAlignedDataInterval', integer(0, SECONDS_PER_DAY), { default: 0 });

export const meterValuesSampledData = key(
  'MeterValuesSampledData',
  list<Item>(ITEMS),
  items('Energy.Active.Import.Register', 'Power.Active.Import', 'Current.Import', 'Voltage'),
);
export const meterValuesAlignedData = key(
  'MeterValuesAlignedData',
  list<Item>(ITEMS),
  items('Energy.Active.Import.Register'),
);
/** Empty by default: MeterValues have said it all, and many central systems choke on a StopTransaction of 100 kB. */
export const stopTxnSampledData = key('StopTxnSampledData', list<Item>(ITEMS), items());
export const stopTxnAlignedData = key('StopTxnAlignedData', list<Item>(ITEMS), items());

export const meterValuesSampledDataMaxLength = maxLength('MeterValuesSampledData');
export const meterValuesAlignedDataMaxLength = maxLength('MeterValuesAlignedData');
export const stopTxnSampledDataMaxLength = maxLength('StopTxnSampledData');
export const stopTxnAlignedDataMaxLength = maxLength('StopTxnAlignedData');

/** Ours, read-only: what the meters of this charge point can give, each to be used in the four lists, also with a phase. */
export const supportedMeasurands = key('SupportedMeasurands', list(MEASURANDS), { default: [], access: 'R' });

/** The four lists of measurands. */
export const MEASURAND_LISTS = [
  meterValuesSampledData,
  meterValuesAlignedData,
  stopTxnSampledData,
  stopTxnAlignedData,
] as const;

/** The configuration keys of meter values (OCPP 1.6 sections 9.1.5, 9.1.15 to 9.1.19 and 9.1.25 to 9.1.28). */
import { ITEMS, type Item, MEASURANDS } from '../../core/metering/measurands.ts';
import { integer, type KeyType, key, list, seconds } from '../keys.ts';

const SECONDS_PER_DAY = 86_400;
/** A list has no repetitions, so that it can never hold more. */
const LONGEST_LIST = ITEMS.length;
const MEASURAND_LIST: KeyType<readonly Item[]> = {
  ...list<Item>(ITEMS),
  expected:
    'a comma separated list of measurands, each alone or with a phase (Energy.Active.Import.Register,Voltage.L1)',
};

const measurandList = (name: string, ...initial: readonly Item[]) => key(name, MEASURAND_LIST, { default: initial });
const maxLength = (name: string) =>
  key(`${name}MaxLength`, integer(0, LONGEST_LIST), { default: LONGEST_LIST, access: 'R' });

/** 0: nothing is sampled. */
export const meterValueSampleInterval = key('MeterValueSampleInterval', seconds(), { default: 60 });
/** 0: nothing is sampled on the clock. The grid begins at midnight UTC. */
export const clockAlignedDataInterval = key('ClockAlignedDataInterval', integer(0, SECONDS_PER_DAY), { default: 0 });

export const meterValuesSampledData = measurandList(
  'MeterValuesSampledData',
  'Energy.Active.Import.Register',
  'Power.Active.Import',
  'Current.Import',
  'Voltage',
);
export const meterValuesAlignedData = measurandList('MeterValuesAlignedData', 'Energy.Active.Import.Register');
/** Empty by default: MeterValues have said it all, and many central systems choke on a StopTransaction of 100 kB. */
export const stopTxnSampledData = measurandList('StopTxnSampledData');
export const stopTxnAlignedData = measurandList('StopTxnAlignedData');

export const meterValuesSampledDataMaxLength = maxLength('MeterValuesSampledData');
export const meterValuesAlignedDataMaxLength = maxLength('MeterValuesAlignedData');
export const stopTxnSampledDataMaxLength = maxLength('StopTxnSampledData');
export const stopTxnAlignedDataMaxLength = maxLength('StopTxnAlignedData');

/** Ours, read-only: what the meters of this charge point can give, each to be used in the four lists, also with a phase. */
export const supportedMeasurands = key('SupportedMeasurands', list(MEASURANDS), { default: [], access: 'R' });

/** The four lists of measurands, each with the key that bounds it. */
export const MEASURAND_LISTS = [
  [meterValuesSampledData, meterValuesSampledDataMaxLength],
  [meterValuesAlignedData, meterValuesAlignedDataMaxLength],
  [stopTxnSampledData, stopTxnSampledDataMaxLength],
  [stopTxnAlignedData, stopTxnAlignedDataMaxLength],
] as const;

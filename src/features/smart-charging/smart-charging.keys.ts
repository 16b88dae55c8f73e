/** The configuration keys of the smart charging room (OCPP 1.6 section 9.4): what this charge point can, for the central system to read. */
import { boolean, integer, key, list } from '../keys.ts';

const MANY = 1_000_000;

export const chargeProfileMaxStackLevel = key('ChargeProfileMaxStackLevel', integer(0, MANY), {
  default: 100,
  access: 'R',
});
/** Current: A, Power: W (errata 3.88). */
export const chargingScheduleAllowedChargingRateUnit = key(
  'ChargingScheduleAllowedChargingRateUnit',
  list(['Current', 'Power']),
  { default: ['Current', 'Power'], access: 'R' },
);
export const chargingScheduleMaxPeriods = key('ChargingScheduleMaxPeriods', integer(1, MANY), {
  default: 500,
  access: 'R',
});
/** Some EVs do not bear it, so that it is for the file to say; without a switch it stays false. */
export const connectorSwitch3to1PhaseSupported = key('ConnectorSwitch3to1PhaseSupported', boolean(), {
  default: false,
  access: 'R',
});
export const maxChargingProfilesInstalled = key('MaxChargingProfilesInstalled', integer(1, MANY), {
  default: 100,
  access: 'R',
});

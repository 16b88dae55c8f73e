/** Smart Charging (OCPP 1.6 section 3.13); the shelf of profiles is on the context, because a remote start may bring one along. */
import type { Feature, Room } from '../feature.ts';
import { clearChargingProfile, getCompositeSchedule, setChargingProfile } from './handlers.ts';
import { profileRanges } from './profile-store.ts';
import * as keys from './smart-charging.keys.ts';

export const smartCharging: Feature = {
  name: 'smart-charging',
  profile: 'SmartCharging',
  keys: Object.values(keys),
  ofCentralSystem: profileRanges,
  start: (context): Room => {
    const { board, chargingProfiles, settings } = context;
    if (board.connectors.every(({ phaseSwitch }) => phaseSwitch === undefined))
      settings.fix(keys.connectorSwitch3to1PhaseSupported, false);
    chargingProfiles.apply();
    return {
      handlers: [setChargingProfile(context), clearChargingProfile(chargingProfiles), getCompositeSchedule(context)],
    };
  },
};

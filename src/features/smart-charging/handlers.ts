/** SetChargingProfile, ClearChargingProfile and GetCompositeSchedule (OCPP 1.6 sections 5.5, 5.7 and 5.16). */
import { CallError } from '../../errors.ts';
import { ClearChargingProfile } from '../../ocpp/messages/smart-charging/clear-charging-profile.ts';
import { GetCompositeSchedule } from '../../ocpp/messages/smart-charging/get-composite-schedule.ts';
import { SetChargingProfile } from '../../ocpp/messages/smart-charging/set-charging-profile.ts';
import type { Handler } from '../../ocpp/operation.ts';
import { formatTimestamp } from '../../ocpp/timestamp.ts';
import { profileOf } from '../charging-profile.ts';
import type { ChargingProfiles, Context } from '../feature.ts';
import { chargingScheduleAllowedChargingRateUnit } from './smart-charging.keys.ts';

/** Durable before the answer; what it does to the offer comes after it, or without it. */
export const setChargingProfile = ({ chargingProfiles: shelf, log, station }: Context): Handler =>
  SetChargingProfile.answeredBy(async ({ connectorId, csChargingProfiles }, { inAnyCase }) => {
    // Errata 3.39.
    if (connectorId !== 0 && station.connector(connectorId) === undefined)
      throw new CallError('PropertyConstraintViolation', `there is no connector ${connectorId}`);
    const profile = profileOf(csChargingProfiles);
    const refusal = await shelf.set(connectorId, profile);
    if (refusal !== undefined) {
      const { chargingProfileId } = profile;
      log.warn(`charging profile ${chargingProfileId} was rejected: ${refusal}`, { connectorId });
      return { status: 'Rejected' };
    }
    inAnyCase(() => shelf.apply());
    return { status: 'Accepted' };
  });

export const clearChargingProfile = (shelf: ChargingProfiles): Handler =>
  ClearChargingProfile.answeredBy(async (criteria, { inAnyCase }) => {
    if (!(await shelf.clear(criteria))) return { status: 'Unknown' };
    inAnyCase(() => shelf.apply());
    return { status: 'Accepted' };
  });

export const getCompositeSchedule = ({ chargingProfiles: shelf, settings }: Context): Handler =>
  GetCompositeSchedule.answeredBy(async ({ connectorId, duration, chargingRateUnit }) => {
    const allowed = settings.get(chargingScheduleAllowedChargingRateUnit);
    const unit = chargingRateUnit ?? (allowed.includes('Current') ? 'A' : 'W');
    if (duration < 0 || !allowed.includes(unit === 'A' ? 'Current' : 'Power')) return { status: 'Rejected' };
    const schedule = await shelf.schedule({ connectorId, durationS: duration, unit });
    if (schedule === undefined) return { status: 'Rejected' };
    return {
      status: 'Accepted',
      connectorId,
      scheduleStart: formatTimestamp(schedule.scheduleStart),
      // Errata 3.57: without startSchedule.
      chargingSchedule: {
        duration: schedule.durationS,
        chargingRateUnit: unit,
        chargingSchedulePeriod: [...schedule.periods],
      },
    };
  });

/** A charging profile of a message as the core holds it: for SetChargingProfile and RemoteStartTransaction. */
import { type ChargingProfile, withTimes } from '../core/smart-charging/profile.ts';
import type { ChargingProfile as ProfileMessage } from '../ocpp/messages/types/charging-profile.ts';
import { parseTimestamp } from '../ocpp/timestamp.ts';

/** A text that is no time becomes NaN, which makes the profile unusable. */
export const profileOf = (message: ProfileMessage): ChargingProfile =>
  withTimes(message as ChargingProfile<string>, (text) => parseTimestamp(text) ?? Number.NaN);

/** Security profiles and security events (security whitepaper, A01, A04 and A05). */
import type { Unsubscribe } from '../../ports.ts';
import type { Context, Feature, Room } from '../feature.ts';
import { CREDENTIALS_ON_TRIAL } from './credentials.ts';
import { watchDisk } from './disk-watch.ts';
import { KEYS_ON_TRIAL } from './key-trials.ts';
import { tellSecurityEvents } from './notifications.ts';
import { authorizationKey, centralSystemUrl, securityProfile } from './security.keys.ts';
import { QUEUED_EVENTS } from './security-events.ts';

/** A smaller correction is none that anybody would have to know of. */
const CLOCK_SET_MS = 5_000;

export const security: Feature = {
  name: 'security',
  profile: 'Security',
  keys: [authorizationKey, securityProfile, centralSystemUrl],
  // What was confirmed last stays: a switch to a wrong address heals, too.
  ofCentralSystem: [CREDENTIALS_ON_TRIAL, KEYS_ON_TRIAL, QUEUED_EVENTS],
  start: (context): Room => {
    const { config, incidents, securityEvents } = context;
    for (const { type, techInfo } of incidents) securityEvents.report(type, techInfo);
    const { firmwareVersion } = config.chargePoint;
    securityEvents.report(
      'StartupOfTheDevice',
      firmwareVersion === undefined ? undefined : `firmware ${firmwareVersion}`,
    );
    const ends = [tellSecurityEvents(context), watchClock(context), watchDisk(context)];
    return {
      stop: () => {
        for (const end of ends) end();
      },
    };
  },
};

function watchClock({ clock, securityEvents }: Context): Unsubscribe {
  const offset = (): number => clock.wall(clock.now()) - clock.now();
  let before = offset();
  return clock.onJump(() => {
    const [was, is] = [before, offset()];
    before = is;
    const shiftS = Math.round((is - was) / 1000);
    if (Math.abs(is - was) >= CLOCK_SET_MS) securityEvents.report('SettingSystemTime', `by ${shiftS} s`);
  });
}

/** Security events that the start of the process has found, each told once, in order (security whitepaper, section 5.15). */
import { CallFailure } from '../../errors.ts';
import { SecurityEventNotification } from '../../ocpp/messages/security/security-event-notification.ts';
import { formatTimestamp } from '../../ocpp/timestamp.ts';
import type { Unsubscribe } from '../../ports.ts';
import { type Context, type Incident, isOnline } from '../feature.ts';

const LONGEST_INFO = 255;

/** Goes on until the central system has answered each, whatever it says: many know no security events (interop 25). */
export function reportIncidents(context: Context): Unsubscribe {
  const { clock, connection, incidents, registration } = context;
  const found = clock.now();
  const waiting = [...incidents];
  let isBusy = false;

  const go = async (): Promise<void> => {
    if (isBusy) return;
    isBusy = true;
    for (let next = waiting[0]; next !== undefined && isOnline(context); next = waiting[0]) {
      if (!(await isTold(context, next, found))) break;
      waiting.shift();
    }
    isBusy = false;
  };
  const subscriptions = [registration.onChange(() => void go()), connection.onOpen(() => void go())];
  return () => {
    for (const unsubscribe of subscriptions) unsubscribe();
  };
}

async function isTold({ call, clock, log }: Context, { type, techInfo }: Incident, at: number): Promise<boolean> {
  try {
    await call(SecurityEventNotification, {
      type,
      timestamp: formatTimestamp(clock.wall(at)),
      techInfo: techInfo.slice(0, LONGEST_INFO),
    });
    return true;
  } catch (cause) {
    log.warn('a security event was not taken', { type, cause });
    return cause instanceof CallFailure && cause.code !== 'disconnected' && cause.code !== 'timeout';
  }
}

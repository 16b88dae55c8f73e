/** Tells the central system of security events, one at a time and in order (security whitepaper, A04 and section 5.15). */
import { CallFailure } from '../../errors.ts';
import { SecurityEventNotification } from '../../ocpp/messages/security/security-event-notification.ts';
import { formatTimestamp } from '../../ocpp/timestamp.ts';
import type { Cancel, Unsubscribe } from '../../ports.ts';
import { type Context, isOnline, type WaitingEvent } from '../feature.ts';

/** Many central systems know no security events, and some say nothing to what they do not know: a transaction must not wait for that. */
const ANSWERED_WITHIN_MS = 10_000;
const SILENT_FOR_MS = 3_600_000;
/** What is sent while a reset is under way only holds up the stops; it is told after the boot. */
const TOLD_LATER = 'ResetOrReboot';

/** Each until the central system has answered, whatever it says: a CALLERROR counts as told (interop 25). */
export function tellSecurityEvents(context: Context): Unsubscribe {
  const { clock, connection, registration, securityEvents } = context;
  let isBusy = false;
  let cancelSilence: Cancel | undefined;

  const go = async (): Promise<void> => {
    if (isBusy || cancelSilence !== undefined) return;
    isBusy = true;
    for (let next = securityEvents.first; next !== undefined && isOnline(context); next = securityEvents.first) {
      const outcome = await tell(context, next);
      if (outcome === 'told') securityEvents.told(next.number);
      else {
        if (outcome === 'silence') cancelSilence = clock.after(SILENT_FOR_MS, again);
        break;
      }
    }
    isBusy = false;
  };
  /** Another connection, or time enough, is another chance. */
  const again = (): void => {
    cancelSilence?.();
    cancelSilence = undefined;
    void go();
  };
  const subscriptions = [
    registration.onChange(() => void go()),
    connection.onOpen(again),
    securityEvents.onWaiting((type) => type !== TOLD_LATER && void go()),
  ];
  return () => {
    for (const unsubscribe of subscriptions) unsubscribe();
    cancelSilence?.();
  };
}

async function tell(
  { call, log }: Context,
  { type, wall, techInfo }: WaitingEvent,
): Promise<'told' | 'silence' | 'noLink'> {
  try {
    const request = { type, timestamp: formatTimestamp(wall), ...(techInfo === undefined ? {} : { techInfo }) };
    await call(SecurityEventNotification, request, { timeoutMs: ANSWERED_WITHIN_MS });
    return 'told';
  } catch (cause) {
    log.warn('a security event was not taken', { type, cause });
    if (!(cause instanceof CallFailure)) return 'told';
    if (cause.code === 'disconnected') return 'noLink';
    return cause.code === 'timeout' ? 'silence' : 'told';
  }
}

/** Reset (OCPP 1.6 section 5.14): Soft is a stop, Hard is a trip; both end the process, the supervisor starts it again. */
import { Reset } from '../../ocpp/messages/core/reset.ts';
import type { Context, Feature, Room } from '../feature.ts';
import { integer, key } from '../keys.ts';
import { settled } from '../settled.ts';

const resetRetries = key('ResetRetries', integer(0, 10), { default: 0 });

type ResetType = 'Soft' | 'Hard';

/** How long the central system may take to confirm the last stop before we go; what is left is sent after the boot. */
const CONFIRMED_WITHIN_MS: { readonly [type in ResetType]: number } = { Soft: 15_000, Hard: 2000 };
/** After this a stop that is still not durable hangs, and the attempt is an unsuccessful one (section 9.1.22). */
const DURABLE_WITHIN_MS: { readonly [type in ResetType]: number } = { Soft: 20_000, Hard: 2500 };

export const reset: Feature = {
  name: 'reset',
  profile: 'Core',
  keys: [resetRetries],
  start: (context): Room => ({ handlers: [answer(context)] }),
};

const answer = (context: Context) =>
  Reset.answeredBy(({ type }, { afterwards }) => {
    afterwards(() => void restart(context, type));
    return { status: 'Accepted' };
  });

/** A reset is the last resort of a charge point that does not work properly: when all attempts have failed, it happens all the same. */
async function restart(context: Context, type: ResetType): Promise<void> {
  const { log, settings, system, board, securityEvents } = context;
  log.info(`reset (${type}) asked for by the central system`);
  securityEvents.report('ResetOrReboot', `Reset ${type}`);
  for (let retries = settings.get(resetRetries); !(await stopAll(context, type)); retries--) {
    log.error('a transaction cannot be stopped for the reset', { retries });
    if (retries === 0) break;
  }
  board.resetFaults(0);
  system.exit('reset');
}

/** One attempt; false if it hangs. From now on nothing begins any more. */
function stopAll(context: Context, type: ResetType): Promise<boolean> {
  const { station, clock } = context;
  station.shutDown({ reason: type === 'Soft' ? 'SoftReset' : 'HardReset', trip: type === 'Hard' });
  return new Promise((resolve) => {
    const cancel = clock.after(DURABLE_WITHIN_MS[type], () => resolve(false));
    void settled(context, CONFIRMED_WITHIN_MS[type]).then(() => {
      cancel();
      resolve(true);
    });
  });
}

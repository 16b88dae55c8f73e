/** Reset (OCPP 1.6 section 5.14): Soft is a stop, Hard is a trip; both end the process, the supervisor starts it again. */
import { Reset } from '../../ocpp/messages/core/reset.ts';
import type { Context, Feature, Room } from '../feature.ts';
import { integer, key } from '../keys.ts';

export const resetRetries = key('ResetRetries', integer(0, 10), { default: 0 });

/** How long the central system may take to confirm the last stop before we go; what is left is sent after the boot. */
const CONFIRMED_WITHIN_MS = { Soft: 15_000, Hard: 2000 } as const;

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

async function restart(context: Context, type: 'Soft' | 'Hard'): Promise<void> {
  const { station, log, system } = context;
  log.info(`reset (${type}) asked for by the central system`);
  station.stopAll({ reason: type === 'Soft' ? 'SoftReset' : 'HardReset', trip: type === 'Hard' });
  await settled(context, CONFIRMED_WITHIN_MS[type]);
  context.board.resetFaults(0);
  system.exit('reset');
}

/** Resolves once no transaction runs and nothing waits for a confirmation, or after `ms`; never before the stops are durable. */
export function settled({ station, transactions, clock }: Context, ms: number): Promise<void> {
  return new Promise((resolve) => {
    let timeIsUp = false;
    const look = (): void => {
      const isDurable = station.connectors.every(
        ({ phase }) => phase.name !== 'beginning' && !('transaction' in phase),
      );
      if (!isDurable || (transactions.outbox.size > 0 && !timeIsUp)) return;
      for (const end of ends) end();
      resolve();
    };
    const ends = [
      station.onChange(look),
      transactions.outbox.onChange(look),
      clock.after(ms, () => {
        timeIsUp = true;
        look();
      }),
    ];
    look();
  });
}

/** The OCPP duties before the process ends: what a reset, a firmware update and an orderly end wait for. */
import type { Context } from './feature.ts';

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

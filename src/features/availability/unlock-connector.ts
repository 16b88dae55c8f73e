/** UnlockConnector (OCPP 1.6 section 5.18, errata 3.87): a transaction is stopped first, and the answer says what came of it. */
import { UnlockConnector } from '../../ocpp/messages/core/unlock-connector.ts';
import type { Handler } from '../../ocpp/operation.ts';
import type { Context } from '../feature.ts';

/** The EV may take 6 s to let go, the register 2 s; central systems wait 20 s and more. */
const STOPPED_WITHIN_MS = 12_000;

export const unlockConnector = (context: Context): Handler =>
  UnlockConnector.answeredBy(async ({ connectorId }) => {
    const { station, clock } = context;
    if (station.hardware(connectorId)?.lock === undefined) return { status: 'NotSupported' };
    const stop = { reason: 'UnlockCommand', trip: false } as const;
    station.dispatch(connectorId, { type: 'stop', stop, at: clock.now() });
    await stopped(context, connectorId);
    return { status: (await station.unlock(connectorId)) === true ? 'Unlocked' : 'UnlockFailed' };
  });

/** Resolves once no transaction runs on the connector, or when that takes too long. */
function stopped({ station, clock }: Context, connectorId: number): Promise<void> {
  const isOver = (): boolean => {
    const phase = station.connector(connectorId)?.phase;
    return phase === undefined || (phase.name !== 'beginning' && !('transaction' in phase));
  };
  if (isOver()) return Promise.resolve();
  return new Promise((resolve) => {
    const end = (): void => {
      for (const unsubscribe of subscriptions) unsubscribe();
      resolve();
    };
    const subscriptions = [station.onChange(() => isOver() && end()), clock.after(STOPPED_WITHIN_MS, end)];
  });
}

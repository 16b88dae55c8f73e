/** ChangeAvailability (OCPP 1.6 section 5.2): stored before the answer, in effect once no transaction runs, even if the answer got lost. */
import { ChangeAvailability } from '../../ocpp/messages/core/change-availability.ts';
import type { Handler } from '../../ocpp/operation.ts';
import type { Store } from '../../ports.ts';
import { isRunning } from '../../station/station.ts';
import type { Context } from '../feature.ts';
import { turns } from '../in-turn.ts';

const KEY = 'availability/inoperative';

/** The connectors that are switched off, 0 for the charge point. Rejects with StoreError. */
export const readInoperative = async (store: Store): Promise<ReadonlySet<number>> =>
  new Set(await store.get<readonly number[]>(KEY));

export function changeAvailability({ station, store, log }: Context): Handler {
  // One that came over a link that has gone may still be on its way to the disk.
  const inTurn = turns();
  const keep = (concerned: readonly number[], isOperative: boolean): Promise<boolean> =>
    inTurn(async () => {
      try {
        const inoperative = new Set(await readInoperative(store));
        for (const id of concerned) {
          if (isOperative) inoperative.delete(id);
          else inoperative.add(id);
        }
        await store.batch([{ type: 'put', key: KEY, value: [...inoperative].toSorted((a, b) => a - b) }], 'durable');
        return true;
      } catch (cause) {
        log.error('the availability could not be stored and was not changed', { cause });
        return false;
      }
    });
  return ChangeAvailability.answeredBy(async ({ connectorId, type }, { inAnyCase }) => {
    const all = station.connectors.map(({ id }) => id);
    if (connectorId !== 0 && !all.includes(connectorId)) return { status: 'Rejected' };
    const concerned = connectorId === 0 ? [0, ...all] : [connectorId];
    if (!(await keep(concerned, type === 'Operative'))) return { status: 'Rejected' };
    inAnyCase(() => station.setAvailability(connectorId, type === 'Operative'));
    const isAwaited = station.connectors.some((each) => concerned.includes(each.id) && isRunning(each));
    const isScheduled = type === 'Inoperative' && isAwaited;
    return { status: isScheduled ? 'Scheduled' : 'Accepted' };
  });
}

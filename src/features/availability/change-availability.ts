/** ChangeAvailability (OCPP 1.6 section 5.2): stored before it is answered, in effect once no transaction runs. */
import { ChangeAvailability } from '../../ocpp/messages/core/change-availability.ts';
import type { Handler } from '../../ocpp/operation.ts';
import type { Store } from '../../ports.ts';
import type { Context } from '../feature.ts';

const KEY = 'availability/inoperative';

/** The connectors that are switched off, 0 for the charge point. Rejects with StoreError. */
export const readInoperative = async (store: Store): Promise<ReadonlySet<number>> =>
  new Set(await store.get<readonly number[]>(KEY));

const isRunning = ({ station }: Context, id: number): boolean => {
  const name = station.connector(id)?.phase.name;
  return (
    name === 'beginning' || name === 'interrupted' || name === 'transaction' || name === 'ending' || name === 'closing'
  );
};

/** `changed` hears of a connector whose status may be another one; connector 0 has no step that would tell. */
export const changeAvailability = (context: Context, changed: (id: number) => void): Handler =>
  ChangeAvailability.answeredBy(async ({ connectorId, type }, { afterwards }) => {
    const { station, store, log } = context;
    const all = station.connectors.map(({ id }) => id);
    if (connectorId !== 0 && !all.includes(connectorId)) return { status: 'Rejected' };
    const concerned = connectorId === 0 ? [0, ...all] : [connectorId];
    const inoperative = new Set(await readInoperative(store));
    for (const id of concerned) {
      if (type === 'Inoperative') inoperative.add(id);
      else inoperative.delete(id);
    }
    try {
      await store.batch([{ type: 'put', key: KEY, value: [...inoperative].toSorted((a, b) => a - b) }], 'durable');
    } catch (cause) {
      log.error('the availability could not be stored and was not changed', { cause });
      return { status: 'Rejected' };
    }
    afterwards(() => {
      station.setAvailability(connectorId, type === 'Operative');
      if (connectorId === 0) changed(0);
    });
    const isScheduled = type === 'Inoperative' && concerned.some((id) => isRunning(context, id));
    return { status: isScheduled ? 'Scheduled' : 'Accepted' };
  });

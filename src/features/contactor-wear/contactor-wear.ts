/** How often each contactor has opened: kept over restarts, and told over the control interface. Always on. */
import type { ContactorWear, WearCounts } from '../../../hal/contract.ts';
import { ControlError } from '../../errors.ts';
import type { Context, ControlRequest, Feature, Room } from '../feature.ts';

const PREFIX = 'wear/';
const RANGE = { from: PREFIX, to: 'wear0' } as const;

interface Counter {
  readonly id: number;
  readonly wear: ContactorWear;
}

export const contactorWear: Feature = {
  name: 'contactor-wear',
  profile: 'Core',
  keys: [],
  start: (context): Room => {
    const counters = context.board.connectors.flatMap(({ id, wear }) => (wear === undefined ? [] : [{ id, wear }]));
    return {
      routes: [
        { method: 'GET', path: '/contactors', handle: () => ({ contactors: counters.map(shown) }) },
        { method: 'POST', path: '/contactors/exchanged', handle: (request) => exchanged(counters, request) },
      ],
      ...(counters.length === 0 ? {} : { stop: keep(context, counters) }),
    };
  },
};

const shown = ({ id, wear: { counts, life } }: Counter) => ({ connectorId: id, ...counts, ...(life && { life }) });

function exchanged(counters: readonly Counter[], { body }: ControlRequest) {
  const { connectorId } = (typeof body === 'object' && body !== null ? body : {}) as { readonly connectorId?: unknown };
  const counter = counters.find(({ id }) => id === connectorId);
  if (counter === undefined)
    throw new ControlError('badRequest', `connectorId is ${JSON.stringify(connectorId)}, expected one of /contactors`);
  counter.wear.exchanged();
  return { contactors: counters.map(shown) };
}

/** Reads what was counted before once, beside everything else; until then nothing is written over it. */
function keep({ store, log }: Context, counters: readonly Counter[]): () => void {
  let restoring: Promise<boolean> | undefined;
  /** Written after another contactor was fitted: what the store holds is of the old one. */
  const anew = new Set<number>();

  const restored = async (): Promise<boolean> => {
    try {
      const rows = await store.list<WearCounts>(RANGE);
      for (const { id, wear } of counters) {
        const before = rows.find(([key]) => key === `${PREFIX}${id}`)?.[1];
        if (before !== undefined && !anew.has(id)) wear.restore(before);
      }
      return true;
    } catch (cause) {
      log.warn('the counts of the contactors cannot be read', { cause });
      restoring = undefined;
      return false;
    }
  };
  const write = async ({ id, wear }: Counter): Promise<void> => {
    restoring ??= restored();
    if (!(await restoring)) return;
    try {
      // The next fact takes it to the medium: a power cut before that costs one count.
      await store.batch([{ type: 'put', key: `${PREFIX}${id}`, value: wear.counts }], 'relaxed');
    } catch (cause) {
      log.warn('the counts of a contactor were not written', { connectorId: id, cause });
    }
  };

  const subscriptions = counters.map((counter) =>
    counter.wear.onCount(() => {
      if (counter.wear.counts.operations === 0) anew.add(counter.id);
      void write(counter);
    }),
  );
  restoring = restored();
  return () => {
    for (const unsubscribe of subscriptions) unsubscribe();
  };
}

/** Counts the openings of a contactor by its mirror contact, and says when it has done what it is made for. */
import type { ContactorWear, Evse, WearCounts } from './contract.ts';
import type { FaultBook } from './fault-book.ts';

export interface WearParts {
  readonly connectorId: number;
  readonly evse: Pick<Evse, 'state' | 'onState'>;
  readonly book: Pick<FaultBook, 'raise' | 'clear'>;
  /** Absent: it is counted, and never too much. */
  readonly life?: WearCounts;
}

const SOURCE = 'wear';
const NEW: WearCounts = { operations: 0, underLoad: 0 };

/** An EV that has let go is in B or gone when the contactor opens; one that still asks for power is cut off under load. */
export function watchWear({ connectorId, evse, book, life }: WearParts): ContactorWear {
  const listeners = new Set<() => void>();
  let counts = NEW;
  let last = evse.state.contactor;

  const isWorn = (): boolean =>
    life !== undefined && (counts.operations >= life.operations || counts.underLoad >= life.underLoad);
  let isTold = false;
  const become = (next: WearCounts): void => {
    counts = next;
    if (isWorn() === isTold) return;
    isTold = isWorn();
    if (isTold) {
      const info = `Contactor: ${counts.operations} cycles, ${counts.underLoad} under load`;
      book.raise({ code: 'contactorWorn', connectorId, info }, SOURCE);
    } else book.clear('contactorWorn', connectorId, SOURCE);
  };
  const tell = (): void => {
    for (const listener of [...listeners]) listener();
  };

  evse.onState(({ pilot, contactor }) => {
    const hasOpened = last === 'closed' && contactor === 'open';
    last = contactor;
    if (!hasOpened) return;
    const underLoad = pilot === 'C' || pilot === 'D' ? 1 : 0;
    become({ operations: counts.operations + 1, underLoad: counts.underLoad + underLoad });
    tell();
  });
  return {
    get counts() {
      return counts;
    },
    ...(life === undefined ? {} : { life }),
    restore: (before) =>
      become({
        operations: counts.operations + before.operations,
        underLoad: counts.underLoad + before.underLoad,
      }),
    exchanged() {
      become(NEW);
      tell();
    },
    onCount(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

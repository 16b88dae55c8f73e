/** MemoryExhaustion (security whitepaper, section 8): once when the disk is getting full, and not again before it has had room. */
import type { Clock, Log, Store, StoreOperation, System, Unsubscribe } from '../../ports.ts';
import type { SecurityEvents } from '../feature.ts';

export interface DiskWatchOptions {
  readonly system: Pick<System, 'freeBytes'>;
  readonly securityEvents: Pick<SecurityEvents, 'report'>;
  readonly store: Pick<Store, 'get' | 'batch'>;
  readonly clock: Pick<Clock, 'after'>;
  readonly log: Log;
}

const MIB = 1024 * 1024;
/** Twice what archives, recordings and downloads leave free: from there on they are refused. */
const LOW_BYTES = 32 * MIB;
/** So much has to be free before it can be exhausted again. */
const ROOM_BYTES = 64 * MIB;
/** The start is none of the disk's business. */
const FIRST_LOOK_MS = 60_000;
const LOOK_MS = 600_000;

/** There while it is exhausted: a restart is no new exhaustion. */
const ROW = 'security/exhausted';

export function watchDisk({ system, securityEvents, store, clock, log }: DiskWatchOptions): Unsubscribe {
  if (system.freeBytes === undefined) return () => {};
  let isExhausted: boolean | undefined;
  let isStopped = false;

  /** A full disk may not take it: then the next start says so once more. */
  const note = (operation: StoreOperation): void => {
    store.batch([operation], 'durable').catch((cause: unknown) => {
      log.warn('that the disk is getting full could not be stored', { cause });
    });
  };
  const look = async (): Promise<void> => {
    isExhausted ??= (await store.get<true>(ROW).catch(() => undefined)) === true;
    const free = await system.freeBytes?.();
    if (free === undefined || isStopped) return;
    const left = `${Math.floor(free / MIB)} MiB are free on the disk of the store`;
    if (!isExhausted && free < LOW_BYTES) {
      isExhausted = true;
      securityEvents.report('MemoryExhaustion', left);
      note({ type: 'put', key: ROW, value: true });
    } else if (isExhausted && free >= ROOM_BYTES) {
      isExhausted = false;
      log.info(`the disk has room again: ${left}`);
      note({ type: 'delete', key: ROW });
    }
  };
  const lookAgain = (): void => {
    cancel = clock.after(LOOK_MS, lookAgain);
    void look();
  };
  let cancel = clock.after(FIRST_LOOK_MS, lookAgain);
  return () => {
    isStopped = true;
    cancel();
  };
}

/** A sample whose reading took long, against the stop of its transaction. */
import { describe, expect, it } from 'vitest';
import type { Reading } from '../../../hal/contract.ts';
import { Ledger } from '../../../src/features/transactions/ledger.ts';
import type { Store } from '../../../src/ports.ts';
import { MemoryDisk } from '../../sim/memory-store.ts';
import { settle, VirtualClock } from '../../sim/virtual-clock.ts';
import { silentLog } from '../../sim/world.ts';

const READING: Reading = { at: 0, serialNumber: 'S', values: { energyImport: { sum: 100 } } };

/** Writes nothing until it is let go: an SD card that takes its time. */
function slow(inner: Store): { readonly store: Store; hold(): () => void } {
  let held: Promise<void> = Promise.resolve();
  const store: Store = {
    get healthy() {
      return inner.healthy;
    },
    get: (key) => inner.get(key),
    list: (range) => inner.list(range),
    batch: async (operations, durability) => {
      await held;
      return inner.batch(operations, durability);
    },
    close: () => inner.close(),
  };
  return {
    store,
    hold() {
      let release = (): void => {};
      held = new Promise((resolve) => {
        release = resolve;
      });
      return release;
    },
  };
}

describe('a sample that is read while the stop is being written', () => {
  it('comes neither behind the stop nor brings the transaction back', async () => {
    const disk = new MemoryDisk();
    const { store, hold } = slow(disk.open());
    let id = 0;
    const ledger = new Ledger({
      store,
      clock: new VirtualClock(),
      log: silentLog,
      random: { fraction: () => 0, uuid: () => `id-${++id}` },
      meters: new Map([[1, { offers: { energyImport: ['sum'] }, read: async () => READING }]]),
      ratings: new Map([[1, { maxA: 32, phases: 3 }]]),
      resumeWithinMs: 0,
      stopData: { wanted: false, values: () => [] },
      send: () => new Promise(() => {}),
      attempts: () => 3,
      retryIntervalS: () => 60,
      delivered: () => {},
      gaveUp: () => {},
    });
    await ledger.open();
    const transaction = await ledger.begin({ connectorId: 1, idTag: 'ABC', at: 0 });
    const release = hold();
    const ended = ledger.end({ connectorId: 1, transaction, stop: { reason: 'Local', trip: false } });
    await settle();
    const sampled = ledger.sample({
      connectorId: 1,
      transaction: transaction.id,
      series: 'periodic',
      at: 0,
      values: [
        { value: '100', context: 'Sample.Periodic', measurand: 'Energy.Active.Import.Register', location: 'Outlet' },
      ],
      kept: [],
    });
    release();
    await Promise.all([ended, sampled]);
    expect((await ledger.outbox.pending(10)).map(({ action }) => action)).toEqual([
      'StartTransaction',
      'StopTransaction',
    ]);
    expect(await disk.read({ from: 'transaction/', to: 'transaction0' })).toEqual([]);
  });
});

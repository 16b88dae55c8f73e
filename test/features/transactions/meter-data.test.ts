/** What a transaction journals for its stop survives a restart, down to the rhythm of the thinning. */
import { describe, expect, it } from 'vitest';
import type { SampledValue } from '../../../src/core/metering/sampled-value.ts';
import { MOST_KEPT } from '../../../src/core/metering/thinning.ts';
import { MeterData, type MeterRecord } from '../../../src/features/transactions/meter-data.ts';
import { MemoryDisk } from '../../sim/memory-store.ts';

const record = (at: number, bootId = 'boot-1'): MeterRecord => ({
  values: [
    {
      value: String(at),
      context: 'Sample.Periodic',
      measurand: 'Energy.Active.Import.Register',
      location: 'Outlet',
      unit: 'Wh',
    } satisfies SampledValue,
  ],
  stamp: { bootId, at, wall: 1_000_000 + at, trusted: true },
});
const ats = (data: MeterData) => data.records.map(({ stamp }) => stamp.at);

describe('the meter values of a transaction', () => {
  it('go on after a restart as if there had been none', async () => {
    const store = new MemoryDisk().open();
    const whole = new MeterData('T');
    let restarted = new MeterData('T');
    await store.batch(restarted.begin(record(0)), 'relaxed');
    whole.begin(record(0));
    for (let n = 1; n <= 3 * MOST_KEPT; n++) {
      whole.take('periodic', record(n));
      await store.batch(restarted.take('periodic', record(n)), 'relaxed');
      if (n % 101 === 0) restarted = await MeterData.load(store, 'T', restarted.progresses);
    }
    expect(ats(restarted)).toEqual(ats(whole));
    expect(restarted.progresses).toEqual(whole.progresses);
    const rows = await store.list({ from: 'meter-data/', to: 'meter-data0' });
    expect(rows.map(([key]) => key).toSorted()).toEqual(restarted.removal.map(({ key }) => key).toSorted());
  });

  it('are in order of time across series and boots', () => {
    const data = new MeterData('T');
    data.begin(record(500));
    data.take('clock', record(800));
    data.take('periodic', record(700));
    data.take('periodic', record(900, 'boot-2'));
    data.take('clock', record(850, 'boot-2'));
    expect(ats(data)).toEqual([500, 700, 800, 850, 900]);
  });

  it('of another transaction are left alone', async () => {
    const store = new MemoryDisk().open();
    for (const id of ['T', 'T2']) await store.batch(new MeterData(id).begin(record(1)), 'durable');
    expect((await MeterData.load(store, 'T', {})).records).toHaveLength(1);
  });

  it('without a value are none', () => {
    const data = new MeterData('T');
    const empty = { ...record(1), values: [] };
    expect([...data.begin(empty), ...data.take('clock', empty)]).toEqual([]);
    expect(data.progresses).toEqual({});
  });
});

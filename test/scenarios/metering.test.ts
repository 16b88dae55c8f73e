/** Meter values on the wire (OCPP 1.6 sections 3.16, 4.7, 5.17 and 9.1; octt.md 070, 071 and 036). */
import { describe, expect, it } from 'vitest';
import type { EnergyMeter } from '../../hal/contract.ts';
import type { MockBoard } from '../../hal/mock/mock-board.ts';
import {
  begin,
  calls,
  change,
  charging,
  meterValuesOf,
  quiet,
  REGISTER,
  reports,
  stop,
  watchedMeter,
} from '../sim/metering.ts';
import { minutes, seconds } from '../sim/virtual-clock.ts';
import { World } from '../sim/world.ts';

const times = (world: World) => reports(world).map(({ at }) => at);

describe('TC_070 sampled meter values', () => {
  it('come every MeterValueSampleInterval from the start, exactly spaced, one for each configured measurand', async () => {
    const world = await World.start(
      quiet({ MeterValueSampleInterval: '20', MeterValuesSampledData: `${REGISTER},Current.Offered,SoC` }),
    );
    const plugged = world.clock.now();
    await begin(world);
    await world.clock.advance(seconds(65));
    expect(calls(world, plugged)).toEqual([
      '0 StatusNotification',
      '1000 StartTransaction',
      '2000 StatusNotification',
      '21000 MeterValues',
      '41000 MeterValues',
      '61000 MeterValues',
    ]);
    const [start] = world.central.received('StartTransaction');
    const began = Date.parse(String(start?.['timestamp']));
    const sent = world.central.received('MeterValues');
    expect(sent.map((payload) => Date.parse(meterValuesOf(payload)[0]?.timestamp ?? '') - began)).toEqual([
      20_000, 40_000, 60_000,
    ]);
    for (const { connectorId, transactionId, values } of reports(world)) {
      expect([connectorId, transactionId]).toEqual([1, 1]);
      expect(values.map(({ measurand, location, context }) => [measurand, location, context])).toEqual([
        [REGISTER, 'Outlet', 'Sample.Periodic'],
        ['Current.Offered', 'Outlet', 'Sample.Periodic'],
        ['SoC', 'EV', 'Sample.Periodic'],
      ]);
    }
  });

  it('say what is measured, with the phases of the specification', async () => {
    const list = 'Voltage,Current.Import,Power.Active.Import,Power.Offered,Frequency';
    const world = await charging(quiet({ MeterValueSampleInterval: '60', MeterValuesSampledData: list }));
    await world.clock.advance(seconds(60));
    const said = reports(world)[0]?.values.map(({ measurand, phase = '-', unit = '-' }) =>
      [measurand, phase, unit].join(' '),
    );
    expect(said).toEqual([
      'Voltage L1-N V',
      'Voltage L2-N V',
      'Voltage L3-N V',
      'Current.Import L1 A',
      'Current.Import L2 A',
      'Current.Import L3 A',
      'Power.Active.Import - W',
      'Power.Active.Import L1 W',
      'Power.Active.Import L2 W',
      'Power.Active.Import L3 W',
      'Power.Offered - W',
      'Frequency - -',
    ]);
    expect(reports(world)[0]?.values.find(({ measurand }) => measurand === 'Power.Offered')?.value).toBe('22080');
  });

  it('say Celcius, which every edition of the schemas knows (OCPP-J errata 2.1)', async () => {
    const list = { MeterValuesSampledData: 'Temperature', StopTxnSampledData: 'Temperature' };
    const world = await charging(quiet({ MeterValueSampleInterval: '60', ...list }));
    await world.clock.advance(seconds(60));
    await stop(world);
    const ofSchemas = ['MeterValues', 'StopTransaction'].map((action) =>
      JSON.stringify(world.central.received(action)),
    );
    expect(ofSchemas.map((text) => [...new Set(text.match(/Cel[a-z]*/g))])).toEqual([['Celcius'], ['Celcius']]);
  });

  it('of a single phase give that phase only', async () => {
    const world = await charging(
      quiet({ MeterValueSampleInterval: '60', MeterValuesSampledData: 'Voltage.L2,Current.Import.L1' }),
    );
    await world.clock.advance(seconds(60));
    expect(reports(world)[0]?.values.map(({ measurand, phase }) => [measurand, phase])).toEqual([
      ['Voltage', 'L2-N'],
      ['Current.Import', 'L1'],
    ]);
  });

  it('keep to multiples from the start when the interval changes in between', async () => {
    const world = await charging(quiet({ MeterValueSampleInterval: '60' }));
    const began = world.clock.now();
    await world.clock.advance(seconds(90));
    expect(await change(world, 'MeterValueSampleInterval', '40')).toEqual({ status: 'Accepted' });
    await world.clock.advance(seconds(80));
    expect(calls(world, began).filter((line) => line.endsWith('MeterValues'))).toEqual([
      '60000 MeterValues',
      '120000 MeterValues',
      '160000 MeterValues',
    ]);
  });

  it('stop with interval 0, and with the transaction', async () => {
    const world = await charging(quiet({ MeterValueSampleInterval: '10' }));
    await world.clock.advance(seconds(15));
    await change(world, 'MeterValueSampleInterval', '0');
    await world.clock.advance(minutes(5));
    expect(reports(world)).toHaveLength(1);
    await change(world, 'MeterValueSampleInterval', '10');
    await world.clock.advance(seconds(5));
    await stop(world);
    const before = reports(world).length;
    await world.clock.advance(minutes(5));
    expect(reports(world)).toHaveLength(before);
  });

  it('keep their rhythm over a jump of wall time', async () => {
    const world = await charging(quiet({ MeterValueSampleInterval: '60' }));
    const began = world.clock.now();
    await world.clock.advance(seconds(70));
    world.clock.jumpTo(Date.UTC(2026, 5, 1, 12, 0, 0));
    await world.clock.advance(seconds(120));
    expect(calls(world, began).filter((line) => line.endsWith('MeterValues'))).toEqual([
      '60000 MeterValues',
      '120000 MeterValues',
      '180000 MeterValues',
    ]);
    expect(times(world).slice(1)).toEqual(['12:00:50.000', '12:01:50.000']);
  });

  it('leave no timer behind', async () => {
    const world = await charging(quiet({ MeterValueSampleInterval: '3600' }));
    await world.clock.advance(seconds(10));
    const during = world.clock.armed;
    await stop(world);
    expect(world.clock.armed).toBe(during - 1);
  });

  it('are not sent for an empty list', async () => {
    const world = await charging(quiet({ MeterValueSampleInterval: '10', MeterValuesSampledData: '' }));
    await world.clock.advance(minutes(5));
    expect(reports(world)).toEqual([]);
  });

  it('leave out what the meter did not answer, and come on schedule again', async () => {
    const world = await charging(quiet({ MeterValueSampleInterval: '60' }));
    const began = world.clock.now();
    await world.clock.advance(seconds(70));
    world.board.inputs.patchConnector(1, { meter: { drop: true } });
    await world.clock.advance(seconds(60));
    world.board.inputs.patchConnector(1, { meter: { drop: false } });
    await world.clock.advance(seconds(60));
    expect(calls(world, began).filter((line) => line.endsWith('MeterValues'))).toEqual([
      '60000 MeterValues',
      '180000 MeterValues',
    ]);
  });

  it('of two connectors go their own ways', async () => {
    const pair = { connectors: [1, 2].map((id) => ({ id, cable: 'attached' as const })) };
    const world = await World.start(quiet({ MeterValueSampleInterval: '30' }, pair));
    await begin(world, 1);
    await world.clock.advance(seconds(10));
    await begin(world, 2);
    await world.clock.advance(seconds(60));
    expect(reports(world).map(({ connectorId, transactionId }) => [connectorId, transactionId])).toEqual([
      [1, 1],
      [2, 2],
      [1, 1],
      [2, 2],
    ]);
  });
});

describe('TC_036 the link is lost in a transaction', () => {
  it('and every sample of that time arrives in order, before new ones, exactly spaced', async () => {
    const world = await charging(quiet({ MeterValueSampleInterval: '60' }));
    await world.clock.advance(seconds(70));
    world.network.cut();
    await world.clock.advance(minutes(3));
    const from = world.clock.now();
    world.network.restore();
    await world.clock.advance(seconds(60));
    expect(calls(world, from).map((line) => line.split(' ')[1])).toEqual(Array(4).fill('MeterValues'));
    const at = reports(world).map((report) => Date.parse(`2026-01-05T${report.at}Z`));
    expect(at.slice(1).map((time, index) => time - (at[index] ?? 0))).toEqual([60_000, 60_000, 60_000, 60_000]);
    for (const { transactionId, values } of reports(world)) {
      expect([transactionId, values[0]?.context]).toEqual([1, 'Sample.Periodic']);
    }
  });
});

describe('TC_071 clock-aligned meter values', () => {
  const GRID = { ClockAlignedDataInterval: '20', MeterValuesAlignedData: `${REGISTER},Voltage.L1` };

  it('come on the grid of the day, in a transaction with its id and all measurands', async () => {
    const world = await World.start(quiet(GRID));
    await world.clock.advance(seconds(25));
    await begin(world);
    await world.clock.advance(seconds(60));
    expect(calls(world, 1000)).toEqual([
      '19000 MeterValues',
      '24100 StatusNotification',
      '25100 StartTransaction',
      '26100 StatusNotification',
      '39000 MeterValues',
      '59000 MeterValues',
      '79000 MeterValues',
    ]);
    expect(reports(world).map(({ at, transactionId }) => [at, transactionId])).toEqual([
      ['08:00:20.000', undefined],
      ['08:00:40.000', 1],
      ['08:01:00.000', 1],
      ['08:01:20.000', 1],
    ]);
    for (const { values } of reports(world)) {
      expect(values.map(({ measurand, context }) => [measurand, context])).toEqual([
        [REGISTER, 'Sample.Clock'],
        ['Voltage', 'Sample.Clock'],
      ]);
    }
  });

  it('do not ask the meter while idle and offline: nobody would hear of it', async () => {
    const { watch, furnish } = watchedMeter();
    const world = await World.start(quiet(GRID, { furnish }));
    world.network.cut();
    await world.clock.advance(minutes(5));
    expect(watch.reads).toBe(0);
  });

  it('of the time offline are kept in a transaction, and lost while idle', async () => {
    const world = await World.start(quiet(GRID));
    world.network.cut();
    await world.clock.advance(seconds(50));
    world.network.restore();
    await world.clock.advance(seconds(3));
    await begin(world);
    await world.clock.advance(seconds(2));
    world.network.cut();
    await world.clock.advance(seconds(50));
    world.network.restore();
    await world.clock.advance(seconds(3));
    expect(reports(world).map(({ at, transactionId }) => [at, transactionId])).toEqual([
      ['08:01:00.000', 1],
      ['08:01:20.000', 1],
      ['08:01:40.000', 1],
    ]);
  });

  it('find the grid again after a jump of wall time', async () => {
    const world = await World.start(quiet({ ClockAlignedDataInterval: '900' }));
    await world.clock.advance(minutes(5));
    world.clock.jumpTo(Date.UTC(2026, 0, 5, 11, 59, 50));
    await world.clock.advance(seconds(10));
    world.clock.jumpTo(Date.UTC(2026, 0, 5, 9, 14, 59));
    await world.clock.advance(seconds(1));
    expect(times(world)).toEqual(['12:00:00.000', '09:15:00.000']);
    await world.clock.advance(minutes(14));
    expect(times(world)).toHaveLength(2);
  });

  it('are exact to the millisecond on a clock that counts fractions', async () => {
    const world = await World.start(quiet({ ClockAlignedDataInterval: '20' }));
    for (const fraction of [0.1, 0.7, 1 / 3]) world.clock.jumpTo(Date.UTC(2026, 0, 5, 10, 0, 0) + fraction);
    await world.clock.advance(seconds(60));
    expect(times(world)).toEqual(['10:00:20.000', '10:00:40.000', '10:01:00.000']);
  });

  it('begin and end with the key', async () => {
    const world = await World.start(quiet());
    await world.clock.advance(minutes(1));
    expect(await change(world, 'ClockAlignedDataInterval', '30')).toEqual({ status: 'Accepted' });
    await world.clock.advance(minutes(1));
    await change(world, 'ClockAlignedDataInterval', '0');
    await world.clock.advance(minutes(5));
    expect(times(world)).toEqual(['08:01:30.000', '08:02:00.000']);
  });

  it('go together with sampled ones that are due at the same moment', async () => {
    const world = await World.start(quiet({ MeterValueSampleInterval: '20', ClockAlignedDataInterval: '20' }));
    await world.clock.advance(seconds(20) - 1100);
    await begin(world);
    await world.clock.advance(seconds(21));
    const due = reports(world).filter(({ at }) => at === '08:00:40.000');
    expect(due.map(({ values }) => values[0]?.context).toSorted()).toEqual(['Sample.Clock', 'Sample.Periodic']);
  });

  it('of connector 0 come from the main meter, at the inlet and without a transaction; without one there are none', async () => {
    const world = await charging(quiet(GRID, { furnish: withMainMeter }));
    await world.clock.advance(seconds(20));
    expect(reports(world).map(({ connectorId, transactionId }) => [connectorId, transactionId])).toEqual([
      [0, undefined],
      [1, 1],
    ]);
    expect(reports(world)[0]?.values).toMatchObject([{ measurand: REGISTER, value: '77', location: 'Inlet' }]);
    const without = await charging(quiet(GRID));
    await without.clock.advance(seconds(20));
    expect(reports(without).map(({ connectorId }) => connectorId)).toEqual([1]);
  });
});

/** The board keeps its own getters; a main meter comes with it. */
const withMainMeter = (board: MockBoard) => Object.assign(Object.create(board) as MockBoard, { mainMeter });
const mainMeter: EnergyMeter = {
  offers: { energyImport: ['sum'] },
  read: () => Promise.resolve({ at: 0, serialNumber: 'MAIN', values: { energyImport: { sum: 77 } } }),
};

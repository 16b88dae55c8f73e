/** Meter values of StopTransaction, of triggers, and the register behind them all (OCPP 1.6 sections 3.16.4 to 3.16.6, 4.10 and 5.17). */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MockBoard } from '../../hal/mock/mock-board.ts';
import { MOST_KEPT } from '../../src/core/metering/thinning.ts';
import {
  begin,
  change,
  charging,
  contexts,
  type MeterValue,
  quiet,
  REGISTER,
  reports,
  stop,
  transactionData,
  trigger,
  value,
  watchedMeter,
} from '../sim/metering.ts';
import { hours, minutes, seconds } from '../sim/virtual-clock.ts';
import { World } from '../sim/world.ts';

const stops = (world: World) => world.central.received('StopTransaction');
const registers = (data: readonly MeterValue[]) =>
  data.flatMap(({ sampledValue }) =>
    sampledValue.flatMap((each) => (each.measurand === REGISTER ? [Number(each.value)] : [])),
  );
const said = (world: World, text: string) => world.logged.filter(({ message }) => message.includes(text));

describe('transactionData', () => {
  it('has begin, samples and end of every measurand of StopTxnSampledData, in order', async () => {
    const world = await charging(
      quiet({
        MeterValueSampleInterval: '60',
        MeterValuesSampledData: '',
        StopTxnSampledData: `${REGISTER},Voltage.L1`,
      }),
    );
    await world.clock.advance(seconds(130));
    await stop(world);
    const data = transactionData(world);
    expect(contexts(data)).toEqual(['Transaction.Begin', 'Sample.Periodic', 'Sample.Periodic', 'Transaction.End']);
    for (const { sampledValue } of data)
      expect(sampledValue.map(({ measurand, phase }) => [measurand, phase])).toEqual([
        [REGISTER, undefined],
        ['Voltage', 'L1-N'],
      ]);
    const [start] = world.central.received('StartTransaction');
    const [end] = stops(world);
    expect([data[0]?.timestamp, data.at(-1)?.timestamp]).toEqual([start?.['timestamp'], end?.['timestamp']]);
    expect([registers(data)[0], registers(data).at(-1)]).toEqual([start?.['meterStart'], end?.['meterStop']]);
    expect(reports(world)).toEqual([]);
  });

  it('has the values on the clock of StopTxnAlignedData between the sampled ones, in order of time', async () => {
    const world = await World.start(
      quiet({
        MeterValueSampleInterval: '30',
        ClockAlignedDataInterval: '60',
        MeterValuesSampledData: '',
        MeterValuesAlignedData: '',
        StopTxnSampledData: REGISTER,
        StopTxnAlignedData: 'SoC',
      }),
    );
    await begin(world);
    await world.clock.advance(seconds(70));
    await stop(world);
    const data = transactionData(world);
    expect(data.map(({ timestamp, sampledValue }) => [timestamp.slice(14, 19), sampledValue[0]?.context])).toEqual([
      ['00:01', 'Transaction.Begin'],
      ['00:31', 'Sample.Periodic'],
      ['01:00', 'Sample.Clock'],
      ['01:01', 'Sample.Periodic'],
      [expect.any(String), 'Transaction.End'],
    ]);
    expect(data[0]?.sampledValue.map(({ measurand }) => measurand)).toEqual([REGISTER, 'SoC']);
    expect(data[2]?.sampledValue.map(({ measurand }) => measurand)).toEqual(['SoC']);
  });

  it('has begin and end also where the intervals are 0', async () => {
    const world = await charging(quiet({ StopTxnAlignedData: REGISTER }));
    await world.clock.advance(minutes(10));
    await stop(world);
    expect(contexts(transactionData(world))).toEqual(['Transaction.Begin', 'Transaction.End']);
  });

  it('is absent when both lists are empty, also when they were emptied in the transaction', async () => {
    const world = await charging(quiet({ MeterValueSampleInterval: '60' }));
    await world.clock.advance(minutes(2));
    await stop(world);
    expect(stops(world)[0]).not.toHaveProperty('transactionData');
    const emptied = await charging(quiet({ MeterValueSampleInterval: '60', StopTxnSampledData: REGISTER }));
    await emptied.clock.advance(minutes(2));
    expect(await change(emptied, 'StopTxnSampledData', '')).toEqual({ status: 'Accepted' });
    await stop(emptied);
    expect(stops(emptied)[0]).not.toHaveProperty('transactionData');
  });

  it('leaves out an end that the meter did not tell', async () => {
    const world = await charging(quiet({ MeterValueSampleInterval: '60', StopTxnSampledData: REGISTER }));
    await world.clock.advance(seconds(65));
    world.board.inputs.patchConnector(1, { meter: { drop: true } });
    await stop(world);
    expect(contexts(transactionData(world))).toEqual(['Transaction.Begin', 'Sample.Periodic']);
    expect(stops(world)[0]?.['meterStop']).toBe(registers(transactionData(world)).at(-1));
  });

  it('of a long transaction is thinned out evenly; begin and end stay', async () => {
    const world = await charging(
      quiet({ MeterValueSampleInterval: '60', MeterValuesSampledData: '', StopTxnSampledData: REGISTER }),
    );
    await world.clock.advance(hours(9));
    await stop(world);
    const data = transactionData(world);
    expect(data.length).toBeLessThanOrEqual(MOST_KEPT + 2);
    expect([data[0], data.at(-1)].map((each) => each?.sampledValue[0]?.context)).toEqual([
      'Transaction.Begin',
      'Transaction.End',
    ]);
    const at = data.slice(0, -1).map(({ timestamp }) => Date.parse(timestamp));
    expect(new Set(at.slice(1).map((time, index) => time - (at[index] ?? 0)))).toEqual(new Set([minutes(4)]));
  });

  it('has the true times of what was read before anybody knew the time, also after a loss of power', async () => {
    const world = await World.start({
      ...quiet({
        AllowOfflineTxForUnknownId: 'true',
        MeterValueSampleInterval: '60',
        MeterValuesSampledData: '',
        StopTxnSampledData: REGISTER,
      }),
      trusted: false,
      prepare: (central) => central.answer('BootNotification', () => 'silence'),
    });
    const began = world.clock.now();
    world.plugIn();
    world.present('ABC');
    // More than one page of them.
    await world.clock.advance(minutes(130));
    world.clock.jumpTo(Date.parse('2026-03-01T10:00:00Z'));
    const origin = world.clock.wall(0);
    await world.clock.advance(seconds(1));
    await world.powerCut();
    world.central.answer('BootNotification', () => ({
      status: 'Accepted',
      currentTime: new Date(world.clock.wall(world.clock.now())).toISOString(),
      interval: 3600,
    }));
    await world.boot();
    await world.clock.advance(seconds(30));
    const times = transactionData(world)
      .slice(0, -1)
      .map(({ timestamp }) => Date.parse(timestamp) - origin - began);
    expect(times).toEqual(Array.from({ length: 131 }, (_, n) => minutes(n)));
  });

  it('leaves nothing behind in the store', async () => {
    const world = await charging(quiet({ MeterValueSampleInterval: '10', StopTxnSampledData: REGISTER }));
    await world.clock.advance(minutes(2));
    expect(await world.disk.read({ from: 'meter-data/', to: 'meter-data0' })).toHaveLength(1 + 12);
    const open = await world.disk.read({ from: 'transaction/', to: 'transaction0' });
    expect(open.map(([, row]) => row)).toMatchObject([{ progresses: { periodic: { count: 12, stride: 1 } } }]);
    await stop(world);
    expect(await world.disk.read({ from: 'meter-data/', to: 'meter-data0' })).toEqual([]);
    expect(await world.disk.read({ from: 'transaction/', to: 'transaction0' })).toEqual([]);
  });

  it('survives a loss of power: the stop after the boot carries what was journalled, and registers for the end', async () => {
    const lists = { MeterValueSampleInterval: '60', StopTxnSampledData: `${REGISTER},Voltage.L1` };
    const world = await charging(quiet(lists, { meterSerial: 'SAME' }));
    await world.clock.advance(seconds(190));
    await world.powerCut();
    await world.boot();
    await world.clock.advance(seconds(5));
    expect(stops(world)).toMatchObject([{ reason: 'PowerLoss' }]);
    const data = transactionData(world);
    expect(contexts(data)).toEqual([
      'Transaction.Begin',
      'Sample.Periodic',
      'Sample.Periodic',
      'Sample.Periodic',
      'Transaction.End',
    ]);
    expect(data.at(-1)?.sampledValue.map(({ measurand }) => measurand)).toEqual([REGISTER]);
    expect(registers(data).at(-1)).toBe(stops(world)[0]?.['meterStop']);
    expect(await world.disk.read({ from: 'meter-data/', to: 'meter-data0' })).toEqual([]);
  });

  it('stays in order, and nothing follows the stop, when the meter is slow at the end', async () => {
    const { watch, furnish } = watchedMeter();
    const lists = { ClockAlignedDataInterval: '20', StopTxnAlignedData: REGISTER, MeterValueSampleInterval: '7' };
    const world = await charging(quiet({ ...lists, StopTxnSampledData: REGISTER }, { furnish }));
    await world.clock.advance(seconds(20));
    await world.clock.advance(seconds(80) - world.clock.now() - 100);
    // The register of the stop takes longer than the sample that is due meanwhile.
    const delays = [1500];
    watch.slowness = () => new Promise<void>((resolve) => void world.clock.after(delays.shift() ?? 50, resolve));
    world.board.inputs.setMains('failing');
    await world.clock.advance(seconds(10));
    const [ended] = stops(world);
    const times = transactionData(world).map(({ timestamp }) => Date.parse(timestamp));
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(times.at(-1)).toBe(Date.parse(String(ended?.['timestamp'])));
    const late = reports(world).filter(
      ({ at, transactionId }) => transactionId !== undefined && `2026-01-05T${at}Z` > String(ended?.['timestamp']),
    );
    expect(late).toEqual([]);
    expect(reports(world).length).toBeGreaterThan(8);
  });

  it('is kept in memory while the store fails', async () => {
    const world = await charging(quiet({ MeterValueSampleInterval: '60', StopTxnSampledData: REGISTER }));
    await world.clock.advance(seconds(65));
    world.disk.failWrites(true);
    await world.clock.advance(seconds(60));
    await stop(world);
    expect(contexts(transactionData(world))).toEqual([
      'Transaction.Begin',
      'Sample.Periodic',
      'Sample.Periodic',
      'Transaction.End',
    ]);
  });
});

describe('the register within a transaction', () => {
  const SAMPLED = { MeterValueSampleInterval: '60', StopTxnSampledData: REGISTER };
  const sampled = (world: World) => reports(world).map(({ values }) => Number(values[0]?.value));

  it('that falls is not believed: the last journalled one is reported, and logged once', async () => {
    const world = await World.start(quiet(SAMPLED));
    world.board.inputs.patchConnector(1, { meter: { serial: 'FIXED', wh: 5000 } });
    await begin(world);
    await world.clock.advance(seconds(65));
    const before = sampled(world).at(-1) ?? 0;
    expect(before).toBeGreaterThan(5000);
    world.board.inputs.patchConnector(1, { meter: { wh: 10 } });
    await world.clock.advance(seconds(120));
    await stop(world);
    expect(sampled(world)).toEqual([before, before, before]);
    expect(stops(world)[0]).toMatchObject({ meterStop: before });
    expect(said(world, 'is not believed')).toHaveLength(1);
  });

  it('goes on over an exchange of the meter: the energy of both parts adds up', async () => {
    const world = await charging(quiet(SAMPLED));
    await world.clock.advance(minutes(10));
    const atSwap = sampled(world).at(-1) ?? 0;
    world.board.inputs.patchConnector(1, { meter: { wh: 3 } });
    await world.clock.advance(minutes(10));
    await stop(world);
    const values = sampled(world);
    const perMinute = (values[5] ?? 0) - (values[4] ?? 0);
    expect(values[10]).toBe(atSwap);
    expect(values.at(-1)).toBeGreaterThanOrEqual(atSwap + 9 * (perMinute - 1));
    expect(stops(world)[0]?.['meterStop']).toBeGreaterThanOrEqual(values.at(-1) ?? 0);
    expect(said(world, 'was exchanged within a transaction')).toHaveLength(1);
  });

  it('of the next transaction is again what the meter shows', async () => {
    const world = await charging(quiet(SAMPLED));
    await world.clock.advance(minutes(10));
    world.board.inputs.patchConnector(1, { meter: { wh: 3 } });
    await stop(world);
    await begin(world);
    await world.clock.advance(seconds(10));
    expect(world.central.received('StartTransaction')[1]?.['meterStart']).toBeLessThan(50);
  });

  it('never decreases from start over samples and triggers to stop, and transactionData is in order', async () => {
    const deed = fc.oneof(
      fc.record({ type: fc.constant('wait' as const), s: fc.integer({ min: 1, max: 200 }) }),
      fc.record({ type: fc.constant('swap' as const), wh: fc.nat(5000) }),
      fc.record({ type: fc.constant('reset' as const), wh: fc.nat(5000) }),
      fc.record({ type: fc.constant('silent' as const), on: fc.boolean() }),
      fc.record({ type: fc.constant('link' as const), on: fc.boolean() }),
      fc.record({ type: fc.constant('trigger' as const) }),
      fc.record({ type: fc.constant('kill' as const) }),
    );
    const keys = { ...SAMPLED, ClockAlignedDataInterval: '45', StopTxnAlignedData: REGISTER };
    await fc.assert(
      fc.asyncProperty(fc.array(deed, { maxLength: 12 }), async (deeds) => {
        // The meter outlives the process, whatever has become of it before.
        let meterBefore = { serial: 'M-0', wh: 100 };
        const furnish = (board: MockBoard) => {
          board.inputs.patchConnector(1, { meter: meterBefore });
          return board;
        };
        const world = await charging(quiet(keys, { furnish }));
        let serial = 0;
        for (const step of deeds) {
          const meter = (change: object) => world.board.inputs.patchConnector(1, { meter: change });
          if (step.type === 'wait') await world.clock.advance(seconds(step.s));
          if (step.type === 'swap') meter({ wh: step.wh, serial: `M-${++serial}` });
          if (step.type === 'reset') meter({ wh: step.wh });
          if (step.type === 'silent') meter({ drop: step.on });
          if (step.type === 'link') step.on ? world.network.restore() : world.network.cut();
          if (step.type === 'trigger' && world.central.connected) await trigger(world, 1);
          if (step.type === 'kill') {
            const { energyWh, meterSerial } = world.board.connector(1).observe();
            meterBefore = { serial: meterSerial, wh: energyWh };
            await world.kill();
            await world.boot();
            await world.clock.advance(seconds(1));
            break;
          }
        }
        world.network.restore();
        await world.clock.advance(minutes(2));
        if (stops(world).length === 0) await stop(world, world.central.transactions.at(-1)?.id);
        await world.clock.advance(minutes(1));
        const [begun] = world.central.received('StartTransaction');
        const [ended] = stops(world);
        // A trigger overtakes what is queued: the time of the values counts, not that of the frames.
        const ofTransaction = reports(world)
          .filter(({ transactionId }) => transactionId !== undefined)
          .flatMap(({ at, values }) => values.map((each) => [at, Number(each.value)] as const))
          .toSorted(([a], [b]) => String(a).localeCompare(String(b)));
        const energies = [begun?.['meterStart'], ...ofTransaction.map(([, wh]) => wh), ended?.['meterStop']].map(
          Number,
        );
        expect(energies).toEqual(energies.toSorted((a, b) => a - b));
        const data = transactionData(world);
        const at = data.map(({ timestamp }) => Date.parse(timestamp));
        expect(at).toEqual(at.toSorted((a, b) => a - b));
        expect(registers(data)).toEqual(registers(data).toSorted((a, b) => a - b));
        expect(data[0]?.sampledValue[0]?.context).toBe('Transaction.Begin');
      }),
      { numRuns: 60 },
    );
  }, 60_000);
});

describe('TriggerMessage(MeterValues) (interop 40)', () => {
  it('TC_054 gives the present values with context Trigger, and the id of the transaction', async () => {
    const world = await charging(quiet());
    await world.clock.advance(seconds(10));
    expect(await trigger(world, 1)).toEqual({ status: 'Accepted' });
    await world.clock.advance(100);
    expect(reports(world)).toMatchObject([
      { connectorId: 1, transactionId: 1, values: [{ measurand: REGISTER, context: 'Trigger' }] },
    ]);
  });

  it('is journalled in a transaction: a stop after a crash says no less, though the meter is silent', async () => {
    const furnish = (board: MockBoard) => {
      board.inputs.patchConnector(1, { meter: { drop: crashed } });
      return board;
    };
    let crashed = false;
    const world = await charging(quiet({}, { furnish }));
    await world.clock.advance(minutes(1));
    await trigger(world, 1);
    await world.clock.advance(100);
    await world.kill();
    crashed = true;
    await world.boot();
    await world.clock.advance(seconds(5));
    expect(Number(reports(world)[0]?.values[0]?.value)).toBeGreaterThan(100);
    expect(stops(world)[0]?.['meterStop']).toBe(Number(reports(world)[0]?.values[0]?.value));
  });

  it('gives idle values without an id, of all connectors if none is named', async () => {
    const pair = { connectors: [1, 2].map((id) => ({ id, cable: 'attached' as const })) };
    const world = await World.start(quiet({}, pair));
    expect(await trigger(world)).toEqual({ status: 'Accepted' });
    await world.clock.advance(100);
    expect(reports(world).map(({ connectorId, transactionId }) => [connectorId, transactionId])).toEqual([
      [1, undefined],
      [2, undefined],
    ]);
  });

  it('reads the meter once a second at most, whether or not it answers', async () => {
    const { watch, furnish } = watchedMeter();
    const world = await World.start(quiet({}, { furnish }));
    const triggerForTwoSeconds = async (): Promise<void> => {
      for (let n = 0; n < 20; n++) {
        await trigger(world, 1);
        await world.clock.advance(100);
      }
    };
    await triggerForTwoSeconds();
    expect([watch.reads, reports(world).length]).toEqual([2, 20]);
    world.board.inputs.patchConnector(1, { meter: { drop: true } });
    await triggerForTwoSeconds();
    expect([watch.reads, reports(world).length]).toEqual([4, 20]);
  });

  it('gives the register when the list is empty, and nothing while the meter is silent', async () => {
    const world = await World.start(quiet({ MeterValuesSampledData: '' }));
    await trigger(world, 1);
    await world.clock.advance(seconds(2));
    expect(reports(world).map(({ values }) => values.map(({ measurand }) => measurand))).toEqual([[REGISTER]]);
    world.board.inputs.patchConnector(1, { meter: { drop: true } });
    expect(await trigger(world, 1)).toEqual({ status: 'Accepted' });
    await world.clock.advance(seconds(2));
    expect(reports(world)).toHaveLength(1);
  });

  it.each([0, 2, 99])('TC_055 for connector %i, which has no meter, is Rejected', async (connectorId) => {
    const world = await World.start(quiet());
    expect(await trigger(world, connectorId)).toEqual({ status: 'Rejected' });
    await world.clock.advance(seconds(5));
    expect(reports(world)).toEqual([]);
  });
});

describe('the lists of measurands', () => {
  const LISTS = ['MeterValuesSampledData', 'MeterValuesAlignedData', 'StopTxnSampledData', 'StopTxnAlignedData'];
  const SINGLE = { connectors: [{ id: 1, cable: 'attached' as const, phases: 1 as const }] };

  it.each(
    LISTS.flatMap((list) => [
      [list, REGISTER, 'Accepted'],
      [list, '', 'Accepted'],
      [list, ' voltage.l1 , POWER.ACTIVE.IMPORT', 'Accepted'],
      [list, 'Voltage,RPM', 'Rejected'],
      [list, 'Voltage,Voltage.L2', 'Rejected'],
      [list, 'Voltage,Energy.Active.Import.Register.L1', 'Rejected'],
      [list, 'Voltage,Voltage', 'Rejected'],
      [list, 'Voltage,,SoC', 'Rejected'],
    ]),
  )('%s=%s at a meter with one phase is %s, and a refusal changes nothing', async (list, text, status) => {
    const world = await World.start(quiet({}, SINGLE));
    const before = await value(world, list);
    expect(await change(world, list, text)).toEqual({ status });
    const expected = { '': '', [REGISTER]: REGISTER }[text] ?? 'Voltage.L1,Power.Active.Import';
    expect(await value(world, list)).toBe(status === 'Accepted' ? expected : before);
  });

  it('hold no more than their MaxLength says', async () => {
    const world = await World.start(quiet({ MeterValuesSampledDataMaxLength: '2' }));
    expect(await change(world, 'MeterValuesSampledData', 'Voltage,SoC,Temperature')).toEqual({ status: 'Rejected' });
    expect(await change(world, 'MeterValuesSampledData', 'Voltage,SoC')).toEqual({ status: 'Accepted' });
    expect(await change(world, 'MeterValuesSampledDataMaxLength', '9')).toEqual({ status: 'Rejected' });
    for (const list of LISTS.slice(1)) expect(Number(await value(world, `${list}MaxLength`))).toBeGreaterThan(16);
  });

  it('are cut down to what the meters can give, if the file or an earlier meter has put more in force', async () => {
    const world = await World.start(quiet({ StopTxnSampledData: 'Voltage.L3,Voltage.L1' }, SINGLE));
    expect(await value(world, 'StopTxnSampledData')).toBe('Voltage.L1');
    expect(said(world, 'cannot give everything')).toHaveLength(1);
  });

  it('choose from SupportedMeasurands, which can be read only and is accepted as it stands', async () => {
    const world = await World.start(quiet());
    const supported = (await value(world, 'SupportedMeasurands')) ?? '';
    expect(supported.split(',')).toEqual(
      expect.arrayContaining([REGISTER, 'Voltage', 'Current.Offered', 'Power.Offered', 'Power.Active.Export']),
    );
    expect(supported.length).toBeLessThanOrEqual(500);
    expect(await change(world, 'SupportedMeasurands', 'SoC')).toEqual({ status: 'Rejected' });
    for (const list of LISTS) expect(await change(world, list, supported)).toEqual({ status: 'Accepted' });
  });

  it.each([
    ['MeterValueSampleInterval', '-1', 'Rejected'],
    ['MeterValueSampleInterval', '86400', 'Accepted'],
    ['ClockAlignedDataInterval', '86401', 'Rejected'],
    ['ClockAlignedDataInterval', '900', 'Accepted'],
    ['ClockAlignedDataInterval', '1.5', 'Rejected'],
  ])('TC_040_2 %s=%s is %s', async (key, text, status) => {
    const world = await World.start(quiet());
    expect(await change(world, key, text)).toEqual({ status });
  });

  it('TC_021 MeterValueSampleInterval is read back', async () => {
    const world = await World.start(quiet());
    await change(world, 'MeterValueSampleInterval', '17');
    expect(await value(world, 'MeterValueSampleInterval')).toBe('17');
  });
});

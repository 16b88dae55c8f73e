/** Protection (facts/evse.md 2): whatever trips has opened the contactor before the central system hears of it. The wire log is the witness. */
import { describe, expect, it } from 'vitest';
import type { FaultCode } from '../../hal/contract.ts';
import { FAULTS } from '../../hal/faults.ts';
import { nameFault } from '../../src/station/faults.ts';
import type { Payload } from '../sim/network.ts';
import { hours, seconds } from '../sim/virtual-clock.ts';
import { World, type WorldOptions } from '../sim/world.ts';

const PROTECTION = {
  overCurrent: { factor: 1.1, marginA: 0.5, forS: 7 },
  voltage: { leastV: 207, mostV: 253, forS: 5, reconnectLeastV: 209, reconnectMostV: 251, reconnectAfterS: 60 },
} as const;

interface Said extends Payload {
  readonly coil: string;
}

/** An EV that charges; every StatusNotification of its connector from then on, with what the coil had been told by then. */
async function charging(options: WorldOptions = {}) {
  let world: World | undefined;
  const said: Said[] = [];
  world = await World.start({
    keys: { MeterValueSampleInterval: '0' },
    ...options,
    prepare: (central) =>
      central.answer('StatusNotification', ({ timestamp: _, connectorId, ...report }) => {
        if (connectorId === 1 && world !== undefined)
          said.push({ ...report, coil: world.board.connector(1).observe().contactor });
        return {};
      }),
  });
  await world.clock.advance(seconds(2));
  world.plugIn();
  world.present('ABC');
  await world.clock.advance(seconds(5));
  expect(said.at(-1)).toEqual({ status: 'Charging', errorCode: 'NoError', coil: 'closed' });
  said.length = 0;
  return { world, said };
}

const CHARGING_FAULTS = (Object.keys(FAULTS) as FaultCode[]).filter((code) => FAULTS[code].blocks === 'charging');
const WARNINGS = (Object.keys(FAULTS) as FaultCode[]).filter((code) => FAULTS[code].blocks === 'nothing');

describe('a fault while an EV charges', () => {
  it.each(CHARGING_FAULTS)('%s opens the contactor before it is told, and is told by its names', async (code) => {
    const { world, said } = await charging();
    world.board.inputs.setFault(1, code, {});
    await world.clock.advance(100);
    const { errorCode, info, vendorErrorCode } = nameFault({ code, connectorId: 1 });
    const names = { ...(info && { info }), ...(vendorErrorCode && { vendorErrorCode }) };
    expect(said).toEqual([{ status: 'Faulted', errorCode, ...names, coil: 'open' }]);
    expect(world.board.contactorHistory(1)).toEqual(['open', 'closed', 'open']);
  });

  it.each(WARNINGS)('%s is told, and the EV goes on charging', async (code) => {
    const { world, said } = await charging();
    world.board.inputs.setFault(1, code, {});
    await world.clock.advance(100);
    expect(said).toMatchObject([{ status: 'Charging', errorCode: nameFault({ code, connectorId: 1 }).errorCode }]);
    expect(world.board.contactorHistory(1)).toEqual(['open', 'closed']);
  });
});

describe('over-current by the meter', () => {
  it('opens the contactor before it is told, and waits for the EV to leave', async () => {
    const { world, said } = await charging({ protection: PROTECTION });
    world.board.inputs.patchConnector(1, { meter: { watts: 40 * 230 } });
    await world.clock.advance(seconds(6));
    expect(said).toEqual([]);
    await world.clock.advance(seconds(3));
    const told = { status: 'Faulted', errorCode: 'OverCurrentFailure', info: 'L1 draws 40.0 A of 32.0 A' };
    expect(said).toEqual([{ ...told, coil: 'open' }]);
    world.board.inputs.patchConnector(1, { meter: { watts: null } });
    await world.clock.advance(seconds(60));
    expect(said).toHaveLength(1);
    world.unplug();
    await world.clock.advance(seconds(1));
    expect(said.at(-1)).toMatchObject({ status: 'Available', errorCode: 'NoError' });
    expect(world.central.received('StopTransaction')).toMatchObject([{ reason: 'EVDisconnected' }]);
  });

  it('is not taken from a meter that is silent', async () => {
    const { world, said } = await charging({ protection: PROTECTION });
    world.board.inputs.patchConnector(1, { meter: { watts: 40 * 230, drop: true } });
    await world.clock.advance(seconds(30));
    expect(said.map(({ errorCode }) => errorCode)).toEqual(['PowerMeterFailure']);
  });

  it('is nobody’s business on a bench that does not ask for it', async () => {
    const { world, said } = await charging();
    world.board.inputs.patchConnector(1, { meter: { watts: 40 * 230, volts: 400 } });
    await world.clock.advance(seconds(60));
    expect(said).toEqual([]);
  });
});

describe('the voltage window', () => {
  it.each([
    ['UnderVoltage', 200, 'L1 at 200.0 V'],
    ['OverVoltage', 260, 'L1 at 260.0 V'],
  ])('raises %s before it is told, and charges on by itself 60 s after it is well', async (errorCode, volts, info) => {
    const { world, said } = await charging({ protection: PROTECTION });
    world.board.inputs.patchConnector(1, { meter: { volts } });
    await world.clock.advance(seconds(7));
    expect(said).toEqual([{ status: 'Faulted', errorCode, info, coil: 'open' }]);
    world.board.inputs.patchConnector(1, { meter: { volts: 230 } });
    await world.clock.advance(seconds(58));
    expect(said).toHaveLength(1);
    await world.clock.advance(seconds(10));
    expect(said.at(-1)).toEqual({ status: 'Charging', errorCode: 'NoError', coil: 'closed' });
  });
});

describe('the self test of the RCD', () => {
  it('passes unseen before the first EV and after each session', async () => {
    const { world, said } = await charging({ protection: { rcdTest: 'session' } });
    world.unplug();
    await world.clock.advance(seconds(5));
    expect(said.map(({ status, errorCode }) => `${status} ${errorCode}`)).toEqual([
      'Finishing NoError',
      'Available NoError',
    ]);
    expect(JSON.stringify(world.wire)).not.toContain('RCD');
  });

  it('keeps an EV waiting that comes in the middle of it, and then charges it', async () => {
    const { world, said } = await charging({ protection: { rcdTest: 'session' } });
    world.unplug();
    await world.clock.advance(100);
    world.plugIn();
    world.present('ABC');
    await world.clock.advance(100);
    expect(world.board.connector(1).observe().contactor).toBe('open');
    await world.clock.advance(seconds(5));
    const waiting = said.filter(({ info }) => info === 'RCD self test');
    expect([...new Set(waiting.map(({ status, errorCode }) => `${status} ${errorCode}`))]).toEqual([
      'Preparing NoError',
      'SuspendedEVSE NoError',
    ]);
    expect(said.at(-1)).toEqual({ status: 'Charging', errorCode: 'NoError', coil: 'closed' });
  });

  it('that fails lets nobody charge until it is reset and has passed', async () => {
    const { world, said } = await charging({ protection: { rcdTest: 'session' } });
    world.board.inputs.setRcd('deaf');
    world.unplug();
    await world.clock.advance(seconds(5));
    expect(said.at(-1)).toEqual({
      status: 'Faulted',
      errorCode: 'GroundFailure',
      vendorErrorCode: 'RcdSelfTest',
      info: 'RCD does not trip in its test',
      coil: 'open',
    });
    world.plugIn();
    world.present('ABC');
    await world.clock.advance(hours(25));
    expect(world.board.contactorHistory(1)).toEqual(['open', 'closed', 'open']);
    world.unplug();
    world.board.inputs.setRcd('ok');
    world.board.resetFaults(1);
    await world.clock.advance(seconds(5));
    expect(said.at(-1)).toMatchObject({ status: 'Available', errorCode: 'NoError' });
    world.plugIn();
    world.present('ABC');
    await world.clock.advance(seconds(5));
    expect(said.at(-1)).toMatchObject({ status: 'Charging', coil: 'closed' });
  });
});

describe('the wear of the contactor', () => {
  const worn = { contactorLife: { operations: 100, underLoad: 2 } };
  const counts = (world: World) => world.control('GET', '/contactors');

  it('is counted over restarts, and warned of at the end of its life', async () => {
    const { world, said } = await charging({ protection: worn });
    world.board.inputs.setFault(1, 'emergencyStop', {});
    await world.clock.advance(seconds(5));
    world.board.inputs.setFault(1, 'emergencyStop', null);
    world.unplug();
    await world.clock.advance(seconds(5));
    expect(await counts(world)).toEqual({
      contactors: [{ connectorId: 1, operations: 1, underLoad: 1, life: worn.contactorLife }],
    });
    await world.kill();
    await world.boot();
    await world.clock.advance(seconds(5));
    world.plugIn();
    world.present('ABC');
    await world.clock.advance(seconds(5));
    said.length = 0;
    world.board.inputs.setFault(1, 'emergencyStop', {});
    await world.clock.advance(seconds(5));
    world.board.inputs.setFault(1, 'emergencyStop', null);
    world.unplug();
    await world.clock.advance(seconds(5));
    expect(said.at(-1)).toMatchObject({
      status: 'Available',
      errorCode: 'OtherError',
      vendorErrorCode: 'ContactorCycles',
      info: 'Contactor: 2 cycles, 2 under load',
    });
    await world.control('POST', '/contactors/exchanged', { connectorId: 1 });
    await world.clock.advance(seconds(5));
    expect(said.at(-1)).toMatchObject({ status: 'Available', errorCode: 'NoError' });
    await world.kill();
    await world.boot();
    await world.clock.advance(seconds(5));
    expect(await counts(world)).toMatchObject({ contactors: [{ operations: 0, underLoad: 0 }] });
  });
});

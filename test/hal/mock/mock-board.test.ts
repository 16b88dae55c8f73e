/** The mock board against the safety invariants of the bench, over random stories, and against its faults one by one. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Board, FaultCode, Offer } from '../../../hal/contract.ts';
import { FAULTS, trips } from '../../../hal/faults.ts';
import { PAUSE_AFTER_ERROR_MS, PAUSE_MS, X1_UNDER_LOAD_MS } from '../../../hal/interlock.ts';
import { createMockBoard, type MockBoard, type MockBoardOptions } from '../../../hal/mock/mock-board.ts';
import type { ConnectorChange } from '../../../hal/mock/mock-connector.ts';
import { VirtualClock } from '../../sim/virtual-clock.ts';

const silent = { info: () => {}, warn: () => {} };

const setUp = () => {
  const clock = new VirtualClock();
  const board = createMockBoard({
    clock,
    log: silent,
    connectors: [
      { id: 1, cable: 'socket' },
      { id: 2, cable: 'attached', phases: 1, ventilated: true },
    ],
  });
  return { clock, board };
};

const hardware = (board: Board, id = 1) => {
  const found = board.connectors.find((connector) => connector.id === id);
  if (found === undefined) throw new Error(`no connector ${id}`);
  return found;
};

const charging = async (id = 1) => {
  const { clock, board } = setUp();
  const { evse } = hardware(board, id);
  board.inputs.patchConnector(id, { ev: { plugged: true, amps: 16 } });
  evse.offer(16);
  await clock.advance(1000);
  evse.permit(true);
  expect(board.connector(id).observe()).toMatchObject({ pilot: 'C', contactor: 'closed', amps: 16 });
  return { clock, board, evse };
};

const codes = (board: MockBoard) => board.faults.map(({ code }) => code);

/** Three phases of a car at connector 1, ready to be permitted. */
const threePhases = async () => {
  const { clock, board } = setUp();
  const { evse, phaseSwitch, meter } = hardware(board);
  if (phaseSwitch === undefined) throw new Error('no phase switch');
  board.inputs.patchConnector(1, { ev: { plugged: true, amps: 16, phases: 3 } });
  evse.offer(16);
  await clock.advance(1000);
  return { clock, board, evse, phaseSwitch, meter };
};

describe('mock board', () => {
  it('is at its power-up defaults', () => {
    const { board } = setUp();
    expect(board.connector(1).observe()).toEqual({
      pilot: 'A',
      pwm: 100,
      contactor: 'open',
      locked: false,
      amps: 0,
      watts: 0,
      phases: 3,
      energyWh: 0,
      meterSerial: 'MOCK-1-0',
    });
    expect(board.faults).toEqual([]);
  });

  it.each<[string, (board: MockBoard) => void]>([
    ['unplugging', ({ inputs }) => inputs.patchConnector(1, { ev: { plugged: false } })],
    ['a missing diode', ({ inputs }) => inputs.patchConnector(1, { ev: { diode: false } })],
    ['a silent meter', ({ inputs }) => inputs.patchConnector(1, { meter: { drop: true } })],
    ['heat', ({ inputs }) => inputs.patchConnector(1, { temperatureC: 80 })],
    ['state B', ({ inputs }) => inputs.patchConnector(1, { ev: { mode: 'B' } })],
    ['a wish for ventilation', ({ inputs }) => inputs.patchConnector(1, { ev: { mode: 'D' } })],
    ['state E', ({ inputs }) => inputs.patchConnector(1, { ev: { mode: 'E' } })],
    ['state F', ({ inputs }) => inputs.patchConnector(1, { ev: { mode: 'F' } })],
    ['failing mains', ({ inputs }) => inputs.setMains('failing')],
    ['a fault of the whole charge point', ({ inputs }) => inputs.setFault(0, 'emergencyStop', {})],
    ...Object.keys(FAULTS)
      .filter((code) => trips(code as FaultCode))
      .map((code): [string, (board: MockBoard) => void] => [
        `the fault ${code}`,
        ({ inputs }) => inputs.setFault(1, code as FaultCode, {}),
      ]),
  ])('has opened the contactor when the setter of %s returns', async (_name, act) => {
    const { board } = await charging();
    let told: string | undefined;
    board.onFault(() => (told ??= board.connector(1).observe().contactor));
    act(board);
    expect(board.connector(1).observe()).toMatchObject({ contactor: 'open', amps: 0, watts: 0 });
    expect(told ?? 'open').toBe('open');
    expect(board.contactorHistory(1)).toEqual(['open', 'closed', 'open']);
  });

  it('opens the contactor before it tells of failing mains, and lets nobody close it until they are back', async () => {
    const { board, evse, clock } = await charging();
    const seen: string[] = [];
    board.onMains((mains) => seen.push(`${mains}: ${board.connector(1).observe().contactor}`));
    board.inputs.setMains('failing');
    evse.offer(16);
    await clock.advance(1000);
    evse.permit(true);
    expect(board.connector(1).observe().contactor).toBe('open');
    board.inputs.setMains('on');
    await clock.advance(PAUSE_AFTER_ERROR_MS);
    evse.permit(true);
    expect(board.connector(1).observe().contactor).toBe('closed');
    expect(seen).toEqual(['failing: open', 'on: open']);
  });

  it('reacts to a withdrawn offer as the car does: B, and open', async () => {
    const { board, evse, clock } = await charging();
    evse.offer('x1');
    await clock.advance(0);
    expect(board.connector(1).observe()).toMatchObject({ pilot: 'B', pwm: 100, contactor: 'open' });
  });

  it('cuts off a car that does not let go after six seconds', async () => {
    const { board, evse, clock } = await charging();
    board.inputs.patchConnector(1, { ev: { mode: 'C' } });
    evse.offer('x1');
    await clock.advance(X1_UNDER_LOAD_MS - 1);
    expect(board.connector(1).observe().contactor).toBe('closed');
    await clock.advance(1);
    expect(board.connector(1).observe().contactor).toBe('open');
  });

  it('finds a missing diode only while PWM runs, and forgets it with the car', async () => {
    const { clock, board } = setUp();
    board.inputs.patchConnector(1, { ev: { plugged: true, diode: false } });
    await clock.advance(5000);
    expect(codes(board)).toEqual([]);
    hardware(board).evse.offer(16);
    await clock.advance(0);
    expect(codes(board)).toEqual(['diodeFault']);
    expect(board.connector(1).observe().pwm).toBe(100);
    board.inputs.patchConnector(1, { ev: { diode: true } });
    expect(codes(board)).toEqual(['diodeFault']);
    board.inputs.patchConnector(1, { ev: { plugged: false } });
    expect(codes(board)).toEqual([]);
  });

  it('says welded or stuck what the mirror contact shows', async () => {
    const { board, evse, clock } = await charging();
    board.inputs.patchConnector(1, { jam: 'welded' });
    evse.permit(false);
    expect(evse.state.contactor).toBe('closed');
    expect(board.connector(1).observe().contactor).toBe('open');
    await clock.advance(1000);
    expect(codes(board)).toEqual(['contactorWelded']);
    board.inputs.patchConnector(1, { jam: null });
    expect(codes(board)).toEqual(['contactorWelded']);
    board.resetFaults(1);
    expect(codes(board)).toEqual([]);
    board.inputs.patchConnector(1, { jam: 'stuck' });
    evse.offer(16);
    await clock.advance(PAUSE_MS);
    evse.permit(true);
    expect(evse.state.contactor).toBe('open');
    await clock.advance(1000);
    expect(codes(board)).toEqual(['contactorStuckOpen']);
  });

  it('raises lockFailed until the EV has left, unlockFailed until the lock moves again', async () => {
    const { board } = setUp();
    const { lock } = hardware(board);
    board.inputs.patchConnector(1, { jam: 'lock', ev: { plugged: true } });
    expect(await lock?.lock()).toBe(false);
    board.inputs.patchConnector(1, { jam: null });
    expect(codes(board)).toEqual(['lockFailed']);
    board.inputs.patchConnector(1, { ev: { plugged: false } });
    expect(codes(board)).toEqual([]);
    expect(await lock?.lock()).toBe(true);
    board.inputs.patchConnector(1, { jam: 'unlock' });
    expect(await lock?.unlock()).toBe(false);
    expect(codes(board)).toEqual(['unlockFailed']);
    expect(board.connector(1).observe().locked).toBe(true);
    board.inputs.patchConnector(1, { jam: null });
    expect(codes(board)).toEqual(['unlockFailed']);
    expect(await lock?.unlock()).toBe(true);
    expect(codes(board)).toEqual([]);
  });

  it('forgets a plug that could not be locked with its EV, and at a reset, also while the motor is still jammed', async () => {
    const { board } = setUp();
    const { lock } = hardware(board);
    board.inputs.patchConnector(1, { jam: 'lock', ev: { plugged: true } });
    await lock?.lock();
    board.inputs.patchConnector(1, { ev: { plugged: false } });
    expect(codes(board)).toEqual([]);
    board.inputs.patchConnector(1, { ev: { plugged: true } });
    await lock?.lock();
    board.resetFaults(1);
    expect(codes(board)).toEqual([]);
  });

  it('does not keep lockFailed against an EV that left while the motor tried', async () => {
    const { board } = setUp();
    board.inputs.patchConnector(1, { jam: 'lock' });
    await hardware(board).lock?.lock();
    expect(codes(board)).toEqual([]);
  });

  it('has lock and proximity in a socket only, and keeps our end when the cable is pulled at the car', () => {
    const { board } = setUp();
    expect(hardware(board, 2)).not.toHaveProperty('lock');
    expect(hardware(board, 2)).not.toHaveProperty('proximity');
    const { proximity, evse } = hardware(board);
    const seen: string[] = [];
    proximity?.onChange((cableA) => seen.push(`${cableA} at ${evse.state.pilot}`));
    evse.onState(({ pilot }) => seen.push(`${pilot} with ${proximity?.cableA}`));
    board.inputs.patchConnector(1, { ev: { plugged: true, cableA: 20 } });
    board.inputs.patchConnector(1, { ev: { plugged: false, end: 'car' } });
    board.inputs.patchConnector(1, { ev: { end: 'cable' } });
    expect(seen).toEqual(['20 at A', 'B with 20', 'A with 20', 'undefined at A']);
  });

  it('repairs and resets a declared fault, and keeps one that the hardware still sees', () => {
    const { board } = setUp();
    board.inputs.setFault(1, 'groundFault', { info: 'test' });
    expect(board.faults).toEqual([{ code: 'groundFault', connectorId: 1, info: 'test' }]);
    board.inputs.setFault(1, 'groundFault', null);
    expect(board.faults).toEqual([]);
    board.inputs.setFault(1, 'meterSilent', {});
    board.inputs.patchConnector(1, { meter: { drop: true } });
    board.inputs.setFault(1, 'meterSilent', null);
    expect(codes(board)).toEqual(['meterSilent']);
    board.inputs.patchConnector(1, { meter: { drop: false } });
    expect(codes(board)).toEqual([]);
  });

  it('goes on without a silent meter where the configuration says so, with a warning', () => {
    const board = createMockBoard({
      connectors: [{ id: 1, cable: 'attached' }],
      clock: new VirtualClock(),
      log: silent,
      protection: { meterSilent: 'warn' },
    });
    board.inputs.patchConnector(1, { meter: { drop: true } });
    expect(codes(board)).toEqual(['meterLost']);
    board.inputs.patchConnector(1, { meter: { drop: false } });
    expect(codes(board)).toEqual([]);
  });

  it('cools down below the limit before the fault goes', () => {
    const { board } = setUp();
    board.inputs.patchConnector(1, { temperatureC: 75 });
    board.inputs.patchConnector(1, { temperatureC: 65 });
    expect(codes(board)).toEqual(['overTemperature']);
    board.inputs.patchConnector(1, { temperatureC: 25 });
    expect(codes(board)).toEqual([]);
  });

  it('leaves less current as it gets warm, in the turn of the input', () => {
    const { board } = setUp();
    const { derating } = hardware(board, 2);
    const seen: unknown[] = [];
    derating?.onChange(() => seen.push(derating.factor));
    expect([derating?.factor, derating?.celsius]).toEqual([1, 25]);
    board.inputs.patchConnector(2, { temperatureC: 66 });
    expect(board.faults).toEqual([{ code: 'derated', connectorId: 2, info: 'Enclosure at 66 C' }]);
    board.inputs.patchConnector(2, { temperatureC: 68 });
    board.inputs.patchConnector(2, { temperatureC: 30 });
    expect(seen).toEqual([0.5, 0.25, 1]);
    expect(codes(board)).toEqual([]);
  });

  it('goes on charging a little warm, and not hot', async () => {
    const { board } = await charging();
    board.inputs.patchConnector(1, { temperatureC: 69 });
    expect(board.connector(1).observe().contactor).toBe('closed');
    board.inputs.patchConnector(1, { temperatureC: 70 });
    expect(board.connector(1).observe().contactor).toBe('open');
  });

  it('presents a tag to the reader that serves the connectors', () => {
    const { board } = setUp();
    const seen: string[] = [];
    for (const reader of board.readers) reader.onTag((idTag) => seen.push(`${idTag}@${reader.connectors.join('+')}`));
    board.inputs.present('A', [1]);
    board.inputs.present('B', [2]);
    board.inputs.present('C', [1, 2]);
    board.inputs.present('D');
    expect(seen).toEqual(['A@1', 'B@2', 'C@1+2', 'D@1+2']);
    expect(() => board.inputs.present('E', [3])).toThrow('no connector 3');
  });

  it('closes with every contactor open and every pilot x1', async () => {
    const { board } = await charging(2);
    await board.close();
    await board.close();
    expect(board.connector(2).observe()).toMatchObject({ contactor: 'open', pwm: 100 });
  });

  it.each<[string, (board: MockBoard) => void | Promise<void>]>([
    ['failing mains', ({ inputs }) => inputs.setMains('failing')],
    ['its end', (board) => board.close()],
  ])('makes every connector safe at %s although a listener throws, then hands the error on', async (_what, act) => {
    const { clock, board, evse } = await charging(1);
    board.inputs.patchConnector(2, { ev: { plugged: true, mode: 'B' } });
    hardware(board, 2).evse.offer(16);
    await clock.advance(1000);
    expect(board.connector(2).observe().pwm).toBeLessThan(100);
    const once = evse.onState(() => {
      once();
      throw new Error('listener');
    });
    await expect((async () => act(board))()).rejects.toThrow('listener');
    expect(board.connector(1).observe()).toMatchObject({ contactor: 'open', pwm: 100 });
    expect(board.connector(2).observe().pwm).toBe(100);
  });

  it('never breaks the safety invariants of the bench', async () => {
    const change = fc.oneof(
      fc.record({ ev: fc.record({ plugged: fc.constantFrom(true, true, false) }) }),
      fc.record({ ev: fc.record({ mode: fc.constantFrom('auto', 'auto', 'B', 'C', 'C', 'D', 'E', 'F') }) }),
      fc.record({ ev: fc.record({ diode: fc.boolean(), vent: fc.boolean() }) }),
      fc.record({ ev: fc.record({ delayMs: fc.nat(2000) }) }),
      fc.record({ jam: fc.constantFrom(null, null, 'welded', 'stuck') }),
      fc.record({ meter: fc.record({ drop: fc.boolean() }) }),
      fc.record({ temperatureC: fc.constantFrom(25, 65, 80) }),
    ) as fc.Arbitrary<ConnectorChange>;
    const id = fc.constantFrom(1, 2);
    const code = fc.constantFrom<FaultCode>('groundFault', 'overCurrent', 'evCommunication', 'weakSignal');
    const move = fc.oneof(
      { weight: 4, arbitrary: fc.record({ type: fc.constant('patch' as const), id, change }) },
      { weight: 1, arbitrary: fc.record({ type: fc.constant('fault' as const), id, code, raised: fc.boolean() }) },
      { weight: 1, arbitrary: fc.record({ type: fc.constant('mains' as const), on: fc.boolean() }) },
      {
        weight: 3,
        arbitrary: fc.record({
          type: fc.constant('offer' as const),
          id,
          offer: fc.constantFrom<Offer>(6, 16, 32, 'x1', 'F'),
        }),
      },
      {
        weight: 3,
        arbitrary: fc.record({ type: fc.constant('permit' as const), id, given: fc.constantFrom(true, true, false) }),
      },
      { weight: 1, arbitrary: fc.record({ type: fc.constant('reset' as const), id }) },
      {
        weight: 1,
        arbitrary: fc.record({ type: fc.constant('phases' as const), phases: fc.constantFrom<1 | 3>(1, 3) }),
      },
      { weight: 3, arbitrary: fc.record({ type: fc.constant('wait' as const), ms: fc.nat(7000) }) },
    );
    let closed = 0;
    const check = (board: MockBoard, clock: VirtualClock, withdrawnAt: Map<number, number>) => {
      for (const connector of [1, 2]) {
        const { pilot, pwm, contactor } = board.connector(connector).observe();
        const offered = pwm > 0 && pwm < 100;
        if (offered) withdrawnAt.delete(connector);
        else if (!withdrawnAt.has(connector)) withdrawnAt.set(connector, clock.now());
        if (contactor === 'open') continue;
        closed += 1;
        expect(pilot === 'C' || (pilot === 'D' && connector === 2)).toBe(true);
        expect(board.faults.filter((fault) => fault.connectorId === connector && trips(fault.code))).toEqual([]);
        expect(board.mains).toBe('on');
        if (!offered) expect(clock.now() - (withdrawnAt.get(connector) ?? 0)).toBeLessThan(X1_UNDER_LOAD_MS);
      }
    };
    await fc.assert(
      fc.asyncProperty(fc.array(move, { maxLength: 40 }), async (story) => {
        const { clock, board } = await charging(2);
        const withdrawnAt = new Map<number, number>();
        const switched = async (phases: 1 | 3) => {
          const before = board.connector(1).observe().phases;
          let isOver = false;
          void hardware(board)
            .phaseSwitch?.switchTo(phases)
            .then(() => (isOver = true));
          await clock.advance(0);
          while (!isOver) {
            hardware(board).evse.permit(true);
            expect(board.connector(1).observe().contactor).toBe('open');
            await clock.advance(50);
          }
          const { phases: now, contactor } = board.connector(1).observe();
          if (contactor === 'closed') expect(now).toBe(before);
        };
        for (const step of story) {
          switch (step.type) {
            case 'patch':
              board.inputs.patchConnector(step.id, step.change);
              break;
            case 'fault':
              board.inputs.setFault(step.id, step.code, step.raised ? {} : null);
              break;
            case 'mains':
              board.inputs.setMains(step.on ? 'on' : 'failing');
              break;
            case 'offer':
              hardware(board, step.id).evse.offer(step.offer);
              break;
            case 'permit':
              hardware(board, step.id).evse.permit(step.given);
              break;
            case 'reset':
              board.resetFaults(step.id);
              break;
            case 'phases':
              await switched(step.phases);
              break;
            case 'wait':
              await clock.advance(step.ms);
          }
          check(board, clock, withdrawnAt);
          await clock.advance(0);
          check(board, clock, withdrawnAt);
        }
      }),
      { numRuns: 200 },
    );
    expect(closed).toBeGreaterThan(200);
  }, 60_000);
});

describe('the phase switch of the mock board', () => {
  it('is there where three phases are installed', () => {
    const { board } = setUp();
    expect(hardware(board, 1).phaseSwitch?.phases).toBe(3);
    expect(hardware(board, 2)).not.toHaveProperty('phaseSwitch');
  });

  it('lets a car with three phases draw on one, as meter and observation show', async () => {
    const { clock, board, evse, phaseSwitch, meter } = await threePhases();
    let shown = 0;
    board.onOutput(() => (shown = board.connector(1).observe().phases));
    const switching = phaseSwitch.switchTo(1);
    await clock.advance(200);
    expect([await switching, phaseSwitch.phases, shown]).toEqual([1, 1, 1]);
    evse.offer(16);
    await clock.advance(1000);
    evse.permit(true);
    expect(board.connector(1).observe()).toMatchObject({ contactor: 'closed', phases: 1, amps: 16, watts: 3680 });
    expect((await meter.read()).values).toMatchObject({ current: { L1: 16, L2: 0, L3: 0 } });
  });

  it('does nothing under a closed contactor', async () => {
    const { board, evse, phaseSwitch } = await threePhases();
    evse.permit(true);
    expect(await phaseSwitch.switchTo(1)).toBe(3);
    expect(board.connector(1).observe()).toMatchObject({ contactor: 'closed', phases: 3, watts: 16 * 230 * 3 });
  });

  it('lets nobody close the contactor while it switches', async () => {
    const { clock, board, evse, phaseSwitch } = await threePhases();
    void phaseSwitch.switchTo(1);
    board.inputs.patchConnector(1, { ev: { mode: 'C' } });
    for (let ms = 0; ms < 200; ms += 10) {
      evse.offer(16);
      evse.permit(true);
      expect(board.connector(1).observe().contactor).toBe('open');
      await clock.advance(10);
    }
    evse.permit(true);
    expect(board.connector(1).observe().contactor).toBe('closed');
  });
});

describe('the mock board in a house', () => {
  const house = (...connectors: MockBoardOptions['connectors']) => {
    const clock = new VirtualClock();
    const board = createMockBoard({ clock, log: silent, connectors, gridConnection: true, dimming: true });
    const charge = async (id: number, phases: 1 | 2 | 3, amps: number) => {
      board.inputs.patchConnector(id, { ev: { plugged: true, mode: 'C', amps, phases } });
      hardware(board, id).evse.offer(32);
      hardware(board, id).evse.permit(true);
      await clock.advance(0);
    };
    const read = async () => (await board.gridMeter?.read())?.values;
    return { clock, board, charge, read };
  };

  it('measures what the house and the cars draw, phase by phase', async () => {
    const { board, charge, read } = house({ id: 1, cable: 'attached' }, { id: 2, cable: 'attached', phases: 1 });
    board.inputs.setGrid({ amps: [1, 2, 3] });
    expect((await read())?.current).toEqual({ L1: 1, L2: 2, L3: 3 });
    await charge(1, 3, 10);
    await charge(2, 1, 6);
    expect(await read()).toEqual({
      voltage: { L1: 230, L2: 230, L3: 230 },
      current: { L1: 17, L2: 12, L3: 13 },
      activePower: { sum: 42 * 230, L1: 17 * 230, L2: 12 * 230, L3: 13 * 230 },
    });
    hardware(board, 1).evse.permit(false);
    expect((await read())?.current).toEqual({ L1: 7, L2: 2, L3: 3 });
  });

  it.each([
    ['RST', [10, 10, 0], [6, 0, 0]],
    ['RTS', [10, 0, 10], [6, 0, 0]],
    ['SRT', [10, 10, 0], [0, 6, 0]],
    ['STR', [0, 10, 10], [0, 6, 0]],
    ['TRS', [10, 0, 10], [0, 0, 6]],
    ['TSR', [0, 10, 10], [0, 0, 6]],
  ] as const)('wired %s, puts two phases on %j and one on %j', async (rotation, two, one) => {
    const lines = ([L1, L2, L3]: readonly [number, number, number]) => ({ L1, L2, L3 });
    const three = house({ id: 1, cable: 'attached', rotation });
    await three.charge(1, 2, 10);
    expect((await three.read())?.current).toEqual(lines(two));
    const single = house({ id: 1, cable: 'attached', rotation, phases: 1 });
    await single.charge(1, 3, 6);
    expect((await single.read())?.current).toEqual(lines(one));
  });

  it('reads exactly what its meter says it offers, and nothing while it is dropped', async () => {
    const { board, read } = house({ id: 1, cable: 'attached' });
    const offered = Object.entries(board.gridMeter?.offers ?? {}).map(([quantity, lines]) => [
      quantity,
      [...lines].sort(),
    ]);
    const values = Object.entries((await read()) ?? {}).map(([quantity, lines]) => [
      quantity,
      Object.keys(lines).sort(),
    ]);
    expect(values).toEqual(offered);
    board.inputs.setGrid({ drop: true });
    await expect(read()).rejects.toMatchObject({ code: 'meterSilent' });
    expect(board.faults).toEqual([]);
    board.inputs.setGrid({ drop: false });
    expect(await read()).toBeDefined();
  });

  it('tells of the contact of the grid operator before the setter returns, once', () => {
    const { board } = house({ id: 1, cable: 'attached' });
    const seen: boolean[] = [];
    const stop = board.dimming?.onChange((active) => seen.push(active));
    board.inputs.setDimming(true);
    board.inputs.setDimming(true);
    expect([seen, board.dimming?.active]).toEqual([[true], true]);
    board.inputs.setDimming(false);
    stop?.();
    board.inputs.setDimming(true);
    expect(seen).toEqual([true, false]);
  });

  it('has neither unless it is asked for', () => {
    const { board } = setUp();
    expect(board).not.toHaveProperty('gridMeter');
    expect(board).not.toHaveProperty('dimming');
    expect(() => board.inputs.setGrid({})).toThrow('no grid meter');
    expect(() => board.inputs.setDimming(true)).toThrow('no dimming contact');
  });
});

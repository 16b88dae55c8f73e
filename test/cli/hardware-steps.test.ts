/** The hardware steps on a mock board in virtual time: what they call a contactor, an RCD and a meter that are not right. */
import { describe, expect, it } from 'vitest';
import { createMockBoard, type MockBoard } from '../../hal/mock/mock-board.ts';
import type { BoardAccess } from '../../src/cli/board-access.ts';
import { HARDWARE_STEPS, type HardwareContext } from '../../src/cli/hardware-steps.ts';
import { meterVerdict } from '../../src/cli/meter-steps.ts';
import type { Result } from '../../src/cli/sheet.ts';
import type { AgentConfig } from '../../src/config.ts';
import { ControlError } from '../../src/errors.ts';
import type { InputsView } from '../../src/features/service/inputs.ts';
import { lab, load } from '../config/support.ts';
import { minutes, seconds, settle, VirtualClock } from '../sim/virtual-clock.ts';
import { silentLog } from '../sim/world.ts';

/** A real board as the file says it, the mock one in its place. */
function site(change: Partial<HardwareContext> = {}, board?: object, ids: readonly number[] = [1]) {
  const clock = new VirtualClock();
  const connectors = ids.map((id) => ({ id, cable: 'attached' as const }));
  const mock: MockBoard = createMockBoard({ connectors, clock, log: silentLog });
  const { config } = load(lab);
  if (config === undefined || config.board === 'mock') throw new Error('the configuration does not load');
  const ending = new AbortController();
  const access: BoardAccess = {
    board: mock,
    clock,
    ended: ending.signal,
    openTransaction: false,
    close: () => mock.close(),
  };
  const context: HardwareContext = {
    config: { ...config, board: { ...config.board, inputs: [], ...board } } as AgentConfig,
    inputs: () => Promise.reject(new ControlError('noAgent', 'there is no agent')),
    clickByAgent: () => Promise.reject(new ControlError('noAgent', 'there is no agent')),
    signal: ending.signal,
    board: async () => access,
    mayClick: async () => true,
    ...change,
  };
  const run = async (id: string, advanceMs = seconds(2), more: Partial<HardwareContext> = {}): Promise<Result> => {
    const step = HARDWARE_STEPS.find((each) => each.id === id);
    if (step === undefined) throw new Error(`no step ${id}`);
    const done = step.run({ ...context, ...more });
    await settle();
    await clock.advance(advanceMs);
    return done;
  };
  const history = () => mock.contactorHistory(1);
  return { run, access, mock, clock, ending, history };
}

describe('the board step', () => {
  /** The mock board, of which the loops stand at the first looks. */
  const late = (looks: number) => {
    const { run, access } = site();
    let left = looks;
    const board = Object.create(access.board, { watched: { get: () => left-- <= 0 } });
    return { run: (advanceMs: number) => run('gpio', advanceMs, { board: async () => ({ ...access, board }) }) };
  };

  it('passes a board that was late once, as a busy machine is', async () => {
    expect((await late(2).run(seconds(2))).outcome).toBe('PASS');
  });

  it('fails one whose loops stand', async () => {
    expect(await late(100).run(seconds(2))).toMatchObject({ outcome: 'FAIL', next: expect.stringContaining('uptime') });
  });
});

describe('the contactor step', () => {
  it('passes one that follows, and has closed it once', async () => {
    const { run, history } = site();
    expect((await run('contactor')).outcome).toBe('PASS');
    expect(history()).toEqual(['open', 'closed', 'open']);
  });

  it('fails one that is stuck', async () => {
    const { run, mock } = site();
    mock.inputs.patchConnector(1, { jam: 'stuck' });
    expect(await run('contactor')).toMatchObject({
      outcome: 'FAIL',
      detail: expect.stringContaining('does not close'),
    });
  });

  it('fails one that is welded, without telling it to close', async () => {
    const { run, mock, history } = site();
    mock.inputs.patchConnector(1, { jam: 'welded' });
    expect(await run('contactor')).toMatchObject({ outcome: 'FAIL', detail: expect.stringContaining('welded') });
    expect(history()).toEqual(['open']);
  });

  it('opens it at once for somebody who plugs in meanwhile, and is no fault of his', async () => {
    const { run, mock, clock, history } = site();
    const done = run('contactor', 100);
    await settle();
    expect(history()).toEqual(['open', 'closed']);
    mock.inputs.patchConnector(1, { ev: { plugged: true } });
    expect(history()).toEqual(['open', 'closed', 'open']);
    await clock.advance(seconds(1));
    await done;
    expect(mock.faults).toEqual([]);
  });

  it.each<[string, Partial<HardwareContext>]>([
    ['the person says no', { mayClick: async () => false }],
    ['nobody could be asked', { mayClick: async () => undefined }],
    ['an agent runs that tells nothing', { agent: { connected: false, busy: [] } }],
    ['somebody charges', { agent: { connected: false, busy: [1] } }],
  ])('does not move it when %s', async (_what, change) => {
    const { run, history } = site(change);
    expect((await run('contactor')).outcome).toBe('SKIP');
    expect(history()).toEqual(['open']);
  });

  it('opens it in the turn of Ctrl-C', async () => {
    const { run, clock, ending, history } = site();
    const done = run('contactor', 100);
    await settle();
    await clock.advance(0);
    expect(history()).toEqual(['open', 'closed']);
    ending.abort();
    expect(history()).toEqual(['open', 'closed', 'open']);
    expect((await done).outcome).toBe('SKIP');
  });
});

describe('the contactor step on several outlets', () => {
  it('moves none after Ctrl-C, not the next one either', async () => {
    const { run, mock, clock, ending } = site({}, undefined, [1, 2]);
    const done = run('contactor', 100);
    await settle();
    await clock.advance(0);
    ending.abort();
    await clock.advance(seconds(2));
    expect((await done).detail).toBe('connector 1: ended before its result; connector 2: ended before its turn');
    expect(mock.contactorHistory(2)).toEqual(['open']);
  });
});

describe('the contactor step beside a running agent', () => {
  const view = (change: object = {}) => ({
    inputs: async () =>
      ({
        faults: [],
        connectors: [{ id: 1, pilot: 'A', contactor: 'open', externalController: false, ...change }],
      }) as unknown as InputsView,
  });
  const beside = (change: Partial<HardwareContext>) => {
    const clicked: number[] = [];
    const { run, history } = site({
      agent: { connected: true, busy: [] },
      ...view(),
      clickByAgent: async (id) => {
        clicked.push(id);
        return { closedAfterMs: 21.4, openedAfterMs: 12 };
      },
      ...change,
    });
    return { clicked, history, result: run('contactor') };
  };

  it('has it clicked by the agent, and touches no board itself', async () => {
    const { result, clicked, history } = beside({});
    expect(await result).toEqual({
      outcome: 'PASS',
      detail: 'connector 1: closed after 21 ms, open 12 ms after the coil was off',
    });
    expect([clicked, history()]).toEqual([[1], ['open']]);
  });

  it.each<[string, Partial<HardwareContext>, string]>([
    ['the person says no', { mayClick: async () => false }, 'not wanted'],
    ['nobody could be asked', { mayClick: async () => undefined }, 'needs your word'],
    ['somebody charges', { agent: { connected: true, busy: [1] } }, 'has a transaction'],
    ['an EV is plugged in', view({ pilot: 'B' }), 'something is plugged in'],
    ['a controller closes by itself', view({ externalController: true }), 'closes by itself'],
  ])('asks the agent for nothing when %s', async (_what, change, detail) => {
    const { result, clicked } = beside(change);
    expect(await result).toMatchObject({ outcome: 'SKIP', detail: expect.stringContaining(detail) });
    expect(clicked).toEqual([]);
  });

  it('tells why the agent does not: the connector is not free', async () => {
    const clickByAgent = () => Promise.reject(new ControlError('badRequest', 'connector 1 is reserved'));
    expect(await beside({ clickByAgent }).result).toMatchObject({
      outcome: 'SKIP',
      detail: 'connector 1: the running agent does not click it: connector 1 is reserved',
    });
  });

  it('fails one that does not close, and one that is closed without an EV', async () => {
    const never = await beside({ clickByAgent: async () => ({}) }).result;
    expect(never).toMatchObject({ outcome: 'FAIL', detail: expect.stringContaining('does not close') });
    const { result, clicked } = beside(view({ contactor: 'closed' }));
    expect(await result).toMatchObject({ outcome: 'FAIL', detail: expect.stringContaining('welded') });
    expect(clicked).toEqual([]);
  });
});

describe('the RCD steps', () => {
  const WITH_INPUT = { inputs: [{ line: 6, fault: 'groundFault', connector: 1 }] };
  const waiting = () => new Promise<void>(() => {});

  it('see the trip after the test button', async () => {
    const { run, mock, clock } = site({ askToSkip: waiting }, WITH_INPUT);
    clock.after(seconds(20), () => mock.inputs.setFault(1, 'groundFault', {}));
    expect(await run('rcdButton', minutes(2))).toMatchObject({ outcome: 'PASS', next: 'Switch the RCD on again.' });
  });

  it('give up after a minute', async () => {
    const { run } = site({ askToSkip: waiting }, WITH_INPUT);
    expect((await run('rcdButton', minutes(1))).outcome).toBe('FAIL');
  });

  it('can be left out, and are where nobody sits there', async () => {
    expect((await site({ askToSkip: async () => {} }, WITH_INPUT).run('rcdButton', 0)).outcome).toBe('SKIP');
    expect((await site({}, WITH_INPUT).run('rcdButton', 0)).outcome).toBe('SKIP');
    expect((await site().run('rcdButton', 0)).detail).toBe('the board reads no RCD');
  });
});

describe('the meter step', () => {
  const answer = (voltage: object | undefined, doubts: readonly string[] = []) => ({
    connector: 1,
    model: 'SDM630',
    port: '/dev/ttyUSB0',
    unit: 1,
    serialNumber: '4711',
    doubts,
    values: voltage === undefined ? {} : { voltage },
  });

  it('passes a plausible voltage, with the identity of the meter', () => {
    expect(meterVerdict(answer({ L1: 230.1, L2: 229, L3: 231 }), 1, 230)).toEqual({
      outcome: 'PASS',
      detail: 'connector 1: SDM630 unit 1 on /dev/ttyUSB0, serial 4711: L1 230.1 V, L2 229 V, L3 231 V',
    });
  });

  it.each([
    ['a phase that is missing', { L1: 230, L2: 3, L3: 230 }, 'L2'],
    ['a neutral that is missing', { L1: 400, L2: 400, L3: 120 }, 'L1, L2, L3'],
    ['a voltage just outside of 10 %', { L1: 253.1 }, 'L1'],
  ])('fails %s', (_what, voltage, lines) => {
    const { outcome, next } = meterVerdict(answer(voltage), 1, 230);
    expect(outcome).toBe('FAIL');
    expect(next).toContain(`Look at ${lines};`);
  });

  it.each([{ L1: 253 }, { L1: 207 }])('passes what a public supply may have: %j', (voltage) => {
    expect(meterVerdict(answer(voltage), 1, 230).outcome).toBe('PASS');
  });

  it('does not ask a meter without voltages for one, nor is misled by the sum', () => {
    expect(meterVerdict(answer(undefined), 1, 230).detail).toContain('measures no voltage');
    expect(meterVerdict(answer({ sum: 400, L1: 230 }), 1, 230).outcome).toBe('PASS');
  });

  it('says what of the register map nobody has verified', () => {
    const { outcome, next } = meterVerdict(answer({ L1: 230 }, ['from memory']), 1, 230);
    expect(outcome).toBe('PASS');
    expect(next).toContain('from memory');
  });

  it('sends to the scan when there is no reading', () => {
    const failure = { code: 'meterSilent', message: 'no answer' };
    const { values: _, ...silent } = answer(undefined);
    expect(meterVerdict({ ...silent, failure }, 1, 230)).toMatchObject({
      outcome: 'FAIL',
      next: expect.stringContaining('chargepoint meter scan --port /dev/ttyUSB0'),
    });
  });
});

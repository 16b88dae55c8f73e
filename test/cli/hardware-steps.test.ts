/** The hardware steps on a mock board in virtual time: what they call a contactor, an RCD and a meter that are not right. */
import { describe, expect, it } from 'vitest';
import { createMockBoard, type MockBoard } from '../../hal/mock/mock-board.ts';
import type { BoardAccess } from '../../src/cli/board-access.ts';
import { HARDWARE_STEPS, type HardwareContext } from '../../src/cli/hardware-steps.ts';
import { meterVerdict } from '../../src/cli/meter-steps.ts';
import type { Result } from '../../src/cli/sheet.ts';
import type { AgentConfig } from '../../src/config.ts';
import { lab, load } from '../config/support.ts';
import { minutes, seconds, settle, VirtualClock } from '../sim/virtual-clock.ts';
import { silentLog } from '../sim/world.ts';

/** A real board as the file says it, the mock one in its place. */
function site(change: Partial<HardwareContext> = {}, board?: object) {
  const clock = new VirtualClock();
  const mock: MockBoard = createMockBoard({ connectors: [{ id: 1, cable: 'attached' }], clock, log: silentLog });
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
    inputs: () => Promise.reject(new Error('there is no agent')),
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
    ['an agent runs', { agent: { connected: false, busy: [] } }],
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

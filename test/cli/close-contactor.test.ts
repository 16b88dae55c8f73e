/** The technician's closing of a contactor on the mock board, in virtual time: the interlock has the last word, and it always opens. */
import { describe, expect, it } from 'vitest';
import { createMockBoard, type MockBoard } from '../../hal/mock/mock-board.ts';
import { closedFor, type Outcome } from '../../src/cli/close-contactor.ts';
import { seconds, VirtualClock } from '../sim/virtual-clock.ts';
import { silentLog } from '../sim/world.ts';

interface Bench {
  readonly board: MockBoard;
  readonly clock: VirtualClock;
  readonly stop: AbortController;
  readonly outcome: Promise<Outcome>;
}

function closing({ prepare }: { readonly prepare?: (board: MockBoard) => void } = {}): Bench {
  const clock = new VirtualClock();
  const board = createMockBoard({ connectors: [{ id: 1, cable: 'attached' }], clock, log: silentLog });
  prepare?.(board);
  const stop = new AbortController();
  const evse = board.connectors[0]?.evse;
  if (evse === undefined) throw new Error('the mock board has no connector');
  const outcome = closedFor(evse, {
    amps: 6,
    forMs: seconds(3),
    waitMs: seconds(20),
    clock,
    ended: stop.signal,
    closed: () => {},
  });
  return { board, clock, stop, outcome };
}

const plug = (board: MockBoard, plugged: boolean): void => board.inputs.patchConnector(1, { ev: { plugged } });
const closedNow = ({ board }: Bench): boolean => board.connector(1).observe().contactor === 'closed';

describe('contactor close', () => {
  it('waits for an EV that asks, closes for its time, and lets the EV end its current first', async () => {
    const bench = closing();
    await bench.clock.advance(seconds(5));
    expect(closedNow(bench)).toBe(false);
    plug(bench.board, true);
    await bench.clock.advance(seconds(2));
    expect(closedNow(bench)).toBe(true);
    await bench.clock.advance(seconds(8));
    expect(await bench.outcome).toMatchObject({ how: 'done' });
    expect(bench.board.connector(1).observe()).toMatchObject({ contactor: 'open', pwm: 100 });
  });

  it('has opened in the turn of Ctrl-C', async () => {
    const bench = closing({ prepare: (board) => plug(board, true) });
    await bench.clock.advance(seconds(2));
    expect(closedNow(bench)).toBe(true);
    bench.stop.abort();
    expect(closedNow(bench)).toBe(false);
    await bench.clock.advance(seconds(1));
    expect(await bench.outcome).toMatchObject({ how: 'ended' });
  });

  it('ends without an EV, and closes nothing', async () => {
    const bench = closing();
    await bench.clock.advance(seconds(21));
    expect(await bench.outcome).toEqual({ how: 'noEv' });
    expect(bench.board.contactorHistory(1)).not.toContain('closed');
    expect(bench.board.connector(1).observe().pwm).toBe(100);
  });

  it('offers again to an EV that was unplugged and comes back', async () => {
    const bench = closing();
    // It takes a second to ask for power.
    plug(bench.board, true);
    await bench.clock.advance(500);
    plug(bench.board, false);
    await bench.clock.advance(seconds(1));
    plug(bench.board, true);
    await bench.clock.advance(seconds(2));
    expect(closedNow(bench)).toBe(true);
    bench.stop.abort();
  });

  it('does not close under a fault', async () => {
    const bench = closing({
      prepare: (board) => {
        board.inputs.setFault(1, 'groundFault', {});
        plug(board, true);
      },
    });
    await bench.clock.advance(seconds(25));
    expect(['stuck', 'noEv']).toContain((await bench.outcome).how);
    expect(bench.board.contactorHistory(1)).not.toContain('closed');
  });

  it('opens by itself when the EV leaves', async () => {
    const bench = closing({ prepare: (board) => plug(board, true) });
    await bench.clock.advance(seconds(2));
    plug(bench.board, false);
    expect(closedNow(bench)).toBe(false);
    await bench.clock.advance(seconds(1));
    expect(await bench.outcome).toMatchObject({ how: 'opened' });
  });

  it('says so when the contactor does not open', async () => {
    const bench = closing({ prepare: (board) => plug(board, true) });
    await bench.clock.advance(seconds(2));
    bench.board.inputs.patchConnector(1, { jam: 'welded' });
    await bench.clock.advance(seconds(8));
    expect(await bench.outcome).toMatchObject({ how: 'welded' });
  });
});

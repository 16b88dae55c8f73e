/** The dead-man output: an edge only where the hardware has been seen to be watched. */
import { describe, expect, it } from 'vitest';
import { startDeadMan } from '../../hal/dead-man.ts';
import { FaultBook } from '../../hal/fault-book.ts';
import { VirtualClock } from '../sim/virtual-clock.ts';
import { FakeOutput } from './gpio/fake-lines.ts';

function running(periodMs?: number) {
  const clock = new VirtualClock();
  const output = new FakeOutput();
  const book = new FaultBook();
  const hardware = { watched: true };
  const edges: number[] = [];
  output.onWrite = () => edges.push(clock.now());
  const description = periodMs === undefined ? {} : { periodMs };
  const stop = startDeadMan(output, description, { watched: () => hardware.watched, book, clock });
  return { clock, output, book, hardware, edges, stop };
}

describe('the dead-man output', () => {
  it('makes two edges in each period, from the first moment on', async () => {
    const { clock, output, edges } = running();
    await clock.advance(200);
    expect(edges).toEqual([0, 50, 100, 150, 200]);
    expect(output.history).toEqual([true, false, true, false, true]);
  });

  it('keeps to the period of the board', async () => {
    const { clock, edges } = running(20);
    await clock.advance(30);
    expect(edges).toEqual([0, 10, 20, 30]);
  });

  it('stands still while nobody watches, and goes on when somebody does', async () => {
    const { clock, hardware, edges } = running();
    await clock.advance(100);
    hardware.watched = false;
    await clock.advance(1000);
    expect(edges).toEqual([0, 50, 100]);
    hardware.watched = true;
    await clock.advance(50);
    expect(edges).toEqual([0, 50, 100, 1150]);
  });

  it('has no edge left once it is stopped', async () => {
    const { clock, edges, stop } = running();
    stop();
    await clock.advance(1000);
    expect(edges).toEqual([0]);
  });

  it('faults the charge point while the line cannot be written, since the monostable has let go', async () => {
    const { clock, output, book } = running();
    output.broken = true;
    await clock.advance(50);
    expect(book.current).toEqual([
      { code: 'internalFault', connectorId: 0, info: 'dead-man output cannot be written' },
    ]);
    output.broken = false;
    await clock.advance(50);
    expect(book.current).toEqual([]);
  });
});

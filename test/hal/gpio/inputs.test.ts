/** Fault inputs, mains and proximity in virtual time. */
import { describe, expect, it } from 'vitest';
import { FaultBook } from '../../../hal/fault-book.ts';
import { CLEARS_AFTER_MS, faultInput, mainsInput } from '../../../hal/gpio/inputs.ts';
import { comparatorProximity } from '../../../hal/gpio/proximity.ts';
import { VirtualClock } from '../../sim/virtual-clock.ts';
import { FakeInput } from './fake-lines.ts';

const STOP = { fault: 'emergencyStop', connector: 0, line: 4 } as const;

describe('fault inputs', () => {
  it('raise in the turn of the edge and clear after the line has been quiet', async () => {
    const clock = new VirtualClock();
    const book = new FaultBook();
    const line = new FakeInput();
    faultInput(line, STOP, book, clock);
    line.set(true);
    expect(book.current).toEqual([{ code: 'emergencyStop', connectorId: 0 }]);
    line.set(false);
    await clock.advance(CLEARS_AFTER_MS - 1);
    line.set(true);
    line.set(false);
    await clock.advance(CLEARS_AFTER_MS - 1);
    expect(book.current).toHaveLength(1);
    await clock.advance(1);
    expect(book.current).toEqual([]);
  });

  it('keep the fault while one of two emergency stops is still pressed', async () => {
    const clock = new VirtualClock();
    const book = new FaultBook();
    const [east, west] = [new FakeInput(), new FakeInput()];
    faultInput(east, STOP, book, clock);
    faultInput(west, { ...STOP, line: 5 }, book, clock);
    east.set(true);
    west.set(true);
    west.set(false);
    await clock.advance(60_000);
    expect(book.current).toHaveLength(1);
    east.set(false);
    await clock.advance(CLEARS_AFTER_MS);
    expect(book.current).toEqual([]);
  });

  it('see what is active already', () => {
    const book = new FaultBook();
    faultInput(new FakeInput(true), STOP, book, new VirtualClock());
    expect(book.current).toHaveLength(1);
  });

  it('keep a latched fault after the line is quiet', async () => {
    const clock = new VirtualClock();
    const book = new FaultBook();
    const line = new FakeInput(true);
    faultInput(line, { fault: 'groundFault', connector: 1, line: 4, info: 'RCD' }, book, clock);
    line.set(false);
    await clock.advance(60_000);
    expect(book.current).toEqual([{ code: 'groundFault', connectorId: 1, info: 'RCD' }]);
    book.reset(1);
    expect(book.current).toEqual([]);
  });
});

describe('mains input', () => {
  it('trips before anybody hears of it and releases when the supply is back', () => {
    const line = new FakeInput();
    const story: string[] = [];
    const mains = mainsInput(
      line,
      () => story.push('trip'),
      () => story.push('release'),
    );
    mains.onMains((state) => story.push(state));
    line.set(true);
    expect(mains.mains).toBe('failing');
    line.set(false);
    expect(story).toEqual(['trip', 'failing', 'release', 'on']);
  });
});

describe('proximity pilot (IEC 61851-1 annex B)', () => {
  const setUp = () => {
    const clock = new VirtualClock();
    const lines = {
      present: new FakeInput(),
      atLeast20A: new FakeInput(),
      atLeast32A: new FakeInput(),
      atLeast63A: new FakeInput(),
    };
    return { clock, lines, pilot: comparatorProximity({ clock, ...lines }) };
  };

  it.each([
    [[], undefined],
    [['present'], 13],
    [['present', 'atLeast20A'], 20],
    [['present', 'atLeast20A', 'atLeast32A'], 32],
    [['present', 'atLeast20A', 'atLeast32A', 'atLeast63A'], 63],
    [['present', 'atLeast63A'], 13],
  ] as const)('reads %j as %s A, once, when the contacts have settled', async (on, amps) => {
    const { clock, lines, pilot } = setUp();
    const seen: unknown[] = [];
    pilot.onChange((cableA) => seen.push(cableA));
    for (const name of on) {
      lines[name].set(true);
      await clock.advance(20);
    }
    await clock.advance(100);
    expect(pilot.cableA).toBe(amps);
    expect(seen).toEqual(amps === undefined ? [] : [amps]);
  });
});

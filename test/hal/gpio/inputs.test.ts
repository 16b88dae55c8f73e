/** Fault inputs, mains and proximity in virtual time. */
import { describe, expect, it } from 'vitest';
import { FaultBook } from '../../../hal/fault-book.ts';
import { CLEARS_AFTER_MS, DIMMING_STEADY_MS, dimmingInput, faultInput, mainsInput } from '../../../hal/gpio/inputs.ts';
import { comparatorProximity, PROXIMITY_STEADY_MS } from '../../../hal/gpio/proximity.ts';
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

describe('dimming contact', () => {
  const setUp = (on = false) => {
    const clock = new VirtualClock();
    const line = new FakeInput(on);
    const contact = dimmingInput(line, clock);
    const seen: boolean[] = [];
    contact.onChange((active) => seen.push(active));
    return { clock, line, contact, seen };
  };

  it('is what the line is when it is opened', () => {
    expect(setUp(true).contact.active).toBe(true);
    expect(setUp(false).contact.active).toBe(false);
  });

  it.each([true, false])('follows the line once it has been steady for 100 ms (%s)', async (on) => {
    const { clock, line, contact, seen } = setUp(!on);
    line.set(on);
    await clock.advance(DIMMING_STEADY_MS - 1);
    expect([contact.active, seen]).toEqual([!on, []]);
    await clock.advance(1);
    expect([contact.active, seen]).toEqual([on, [on]]);
  });

  it('does not follow a pulse, and waits until a bouncing contact is quiet', async () => {
    const { clock, line, contact, seen } = setUp();
    for (let bounce = 0; bounce < 10; bounce++) {
      line.set(true);
      await clock.advance(DIMMING_STEADY_MS - 1);
      line.set(false);
      await clock.advance(1);
    }
    await clock.advance(10 * DIMMING_STEADY_MS);
    expect([contact.active, seen]).toEqual([false, []]);
  });

  it('waits for nothing once it is closed', async () => {
    const { clock, line, contact, seen } = setUp();
    line.set(true);
    contact.close();
    await clock.advance(1000);
    expect([clock.armed, seen]).toEqual([0, []]);
  });
});

describe('proximity pilot (IEC 61851-1 annex B)', () => {
  const setUp = (short?: FakeInput) => {
    const clock = new VirtualClock();
    const lines = {
      ...(short === undefined ? {} : { short }),
      present: new FakeInput(),
      atLeast20A: new FakeInput(),
      atLeast32A: new FakeInput(),
      atLeast63A: new FakeInput(),
    };
    const faults: boolean[] = [];
    const pilot = comparatorProximity({ clock, ...lines, onFault: (isThere) => faults.push(isThere) });
    return { clock, lines, pilot, faults };
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

  it('takes less than 75 ohm for a short circuit and no cable for 63 A, where a fifth comparator sees it', async () => {
    const short = new FakeInput();
    const { clock, lines, pilot, faults } = setUp(short);
    const told: string[] = [];
    pilot.onChange((cableA) => told.push(`${cableA} A, faults: ${faults}`));
    for (const line of Object.values(lines)) line.set(true);
    await clock.advance(PROXIMITY_STEADY_MS);
    // Whoever hears of the cable knows of the fault, and of what it carries before it is over.
    short.set(false);
    lines.atLeast63A.set(false);
    lines.atLeast32A.set(false);
    await clock.advance(PROXIMITY_STEADY_MS);
    expect([told, faults]).toEqual([
      ['63 A, faults: true', '20 A, faults: true'],
      [true, false],
    ]);
  });

  it('says that the levels contradict each other once that lasts, and when it is over', async () => {
    const { clock, lines, pilot, faults } = setUp();
    lines.atLeast32A.set(true);
    await clock.advance(PROXIMITY_STEADY_MS - 1);
    lines.present.set(true);
    lines.atLeast20A.set(true);
    await clock.advance(PROXIMITY_STEADY_MS);
    expect([pilot.cableA, faults]).toEqual([32, []]);
    lines.atLeast20A.set(false);
    await clock.advance(PROXIMITY_STEADY_MS);
    expect([pilot.cableA, faults]).toEqual([13, [true]]);
    lines.atLeast20A.set(true);
    await clock.advance(PROXIMITY_STEADY_MS);
    expect(faults).toEqual([true, false]);
  });
});

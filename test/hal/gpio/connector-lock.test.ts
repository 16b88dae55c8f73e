/** The motor lock: pulses, retries, and a plug that stays while the contactor is closed. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FaultBook } from '../../../hal/fault-book.ts';
import { ATTEMPTS, MotorLock, PULSE_MS } from '../../../hal/gpio/connector-lock.ts';
import { VirtualClock } from '../../sim/virtual-clock.ts';
import { FakeInput, FakeOutput } from './fake-lines.ts';

const setUp = ({ jammed = false, travelMs = 200 } = {}) => {
  const clock = new VirtualClock();
  const lock = new FakeOutput();
  const unlock = new FakeOutput();
  const locked = new FakeInput(false);
  const book = new FaultBook();
  const warnings: string[] = [];
  const world = { jammed, closed: false, bothAtOnce: false };
  const motor = (line: FakeOutput, to: boolean) => {
    line.onWrite = (on) => {
      world.bothAtOnce ||= lock.on && unlock.on;
      if (on && !world.jammed) clock.after(travelMs, () => line.on && locked.set(to));
    };
  };
  motor(lock, true);
  motor(unlock, false);
  const driver = new MotorLock({
    lock,
    unlock,
    locked,
    clock,
    mayUnlock: () => !world.closed,
    raise: (code) => book.raise({ code, connectorId: 1 }, 'lock'),
    clear: (code) => book.clear(code, 1, 'lock'),
    log: { info: () => {}, warn: (message) => warnings.push(message) },
  });
  const codes = () => book.current.map(({ code }) => code);
  return { clock, lock, unlock, locked, book, codes, warnings, world, driver };
};

describe('connector lock', () => {
  it('answers with the switch and stops the motor when it is there', async () => {
    const { clock, lock, driver } = setUp();
    const done = driver.lock();
    await clock.advance(250);
    expect(lock.on).toBe(false);
    expect(await done).toBe(true);
    expect(driver.locked).toBe(true);
  });

  it('tries three times, then raises the fault and answers false', async () => {
    const { clock, lock, codes, driver } = setUp({ jammed: true });
    const done = driver.lock();
    await clock.advance(10_000);
    expect(await done).toBe(false);
    expect(lock.history).toEqual(Array.from({ length: ATTEMPTS }, () => [true, false]).flat());
    expect(codes()).toEqual(['lockFailed']);
  });

  it.each<[string, (book: FaultBook) => void]>([
    ['the EV has left', (book) => book.unplugged(1)],
    ['somebody resets it', (book) => book.reset(0)],
  ])('holds a badly seated plug against the charge point only until %s', async (_what, end) => {
    const { clock, book, codes, driver } = setUp({ jammed: true });
    void driver.lock();
    await clock.advance(10_000);
    expect(codes()).toEqual(['lockFailed']);
    end(book);
    expect(codes()).toEqual([]);
  });

  it('warns that it could not unlock until it has', async () => {
    const { clock, book, codes, locked, world, driver } = setUp({ jammed: true });
    locked.set(true);
    const done = driver.unlock();
    await clock.advance(10_000);
    expect(await done).toBe(false);
    book.unplugged(1);
    expect(codes()).toEqual(['unlockFailed']);
    world.jammed = false;
    const again = driver.unlock();
    await clock.advance(PULSE_MS);
    expect(await again).toBe(true);
    expect(codes()).toEqual([]);
  });

  describe.each(['motor', 'switch'] as const)('with a %s line that fails', (broken) => {
    it.each([
      ['lock', 'lockFailed'],
      ['unlock', 'unlockFailed'],
    ] as const)('answers %s with false and raises %s', async (direction, fault) => {
      const { clock, codes, locked, warnings, driver, ...lines } = setUp();
      locked.set(direction === 'unlock');
      if (broken === 'switch') locked.broken = true;
      else lines[direction].broken = true;
      const done = driver[direction]();
      await clock.advance(10_000);
      expect(await done).toBe(false);
      expect(codes()).toEqual([fault]);
      expect(warnings).toHaveLength(1);
      expect([lines.lock.on, lines.unlock.on]).toEqual([false, false]);
    });
  });

  it('does not take a plug for locked whose switch cannot be read', () => {
    const { locked, driver } = setUp();
    locked.set(true);
    locked.broken = true;
    expect(driver.locked).toBe(false);
  });

  it('stops the motor at the next attempt if it could not at first', async () => {
    const { clock, lock, world, driver } = setUp({ jammed: true });
    void driver.lock();
    await clock.advance(PULSE_MS - 1);
    lock.broken = true;
    await clock.advance(1);
    expect(lock.on).toBe(true);
    lock.broken = false;
    world.jammed = false;
    await clock.advance(10_000);
    expect(lock.on).toBe(false);
    expect(driver.locked).toBe(true);
  });

  it('does not move while the contactor is closed', async () => {
    const { clock, unlock, locked, world, driver } = setUp();
    locked.set(true);
    world.closed = true;
    expect(await driver.unlock()).toBe(false);
    await clock.advance(10_000);
    expect(unlock.history).toEqual([]);
  });

  it('never drives both ways at once', async () => {
    const { clock, world, driver } = setUp();
    const moves = [driver.lock(), driver.unlock(), driver.lock()];
    await clock.advance(5000);
    expect(await Promise.all(moves)).toEqual([true, true, true]);
    expect(world.bothAtOnce).toBe(false);
  });

  it('still does in their order what was asked for in turn', async () => {
    const { clock, driver } = setUp();
    const moves = [driver.lock(), driver.unlock(), driver.unlock(), driver.lock()];
    await clock.advance(5000);
    expect(await Promise.all(moves)).toEqual([true, true, true, true]);
    expect(driver.locked).toBe(true);
  });

  describe('with a plug that is jammed', () => {
    /** The motor as it turns: when each pulse begins and ends. */
    const pulsesOf = (clock: VirtualClock, line: FakeOutput) => {
      const pulses: { from: number; to: number }[] = [];
      line.onWrite = (on) => {
        if (on) pulses.push({ from: clock.now(), to: Number.POSITIVE_INFINITY });
        const last = pulses.at(-1);
        if (!on && last !== undefined) last.to = Math.min(last.to, clock.now());
      };
      return pulses;
    };

    it('tries once more for all who ask while it tries, and gives them one answer', async () => {
      const { clock, locked, unlock, driver } = setUp({ jammed: true });
      locked.set(true);
      const first = driver.unlock();
      const asked: Promise<boolean>[] = [];
      for (let tenth = 0; tenth < 20; tenth++) {
        await clock.advance(100);
        asked.push(driver.unlock());
      }
      expect(new Set(asked).size).toBe(1);
      await clock.advance(60_000);
      expect([await first, await asked[0]]).toEqual([false, false]);
      expect(unlock.history.filter((on) => on)).toHaveLength(2 * ATTEMPTS);
    });

    it('lets the motor rest after each pulse that has not moved it, whoever asks and whenever', async () => {
      const asks = fc.array(fc.integer({ min: 0, max: 4000 }), { minLength: 2, maxLength: 10 });
      await fc.assert(
        fc.asyncProperty(asks, async (asks) => {
          const { clock, locked, unlock, driver } = setUp({ jammed: true });
          locked.set(true);
          const pulses = pulsesOf(clock, unlock);
          for (const ms of asks) {
            void driver.unlock();
            await clock.advance(ms);
          }
          await clock.advance(10_000);
          const rests = pulses.slice(1).map(({ from }, index) => from - (pulses[index]?.to ?? 0));
          expect(Math.min(...rests)).toBeGreaterThanOrEqual(500);
        }),
        { numRuns: 50 },
      );
    });
  });

  it('does not drive a line that is closed', async () => {
    const { clock, lock, driver } = setUp({ jammed: true });
    void driver.lock();
    await clock.advance(100);
    driver.close();
    const before = lock.history.length;
    await clock.advance(10_000);
    expect(lock.history).toHaveLength(before);
  });
});

/** The motor lock: pulses, retries, and a plug that stays while the contactor is closed. */
import { describe, expect, it } from 'vitest';
import { ATTEMPTS, MotorLock, PULSE_MS } from '../../../hal/gpio/connector-lock.ts';
import { VirtualClock } from '../../sim/virtual-clock.ts';
import { FakeInput, FakeOutput } from './fake-lines.ts';

const setUp = ({ jammed = false, travelMs = 200 } = {}) => {
  const clock = new VirtualClock();
  const lock = new FakeOutput();
  const unlock = new FakeOutput();
  const locked = new FakeInput(false);
  const faults = new Set<string>();
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
    raise: (code) => faults.add(code),
    clear: (code) => faults.delete(code),
  });
  return { clock, lock, unlock, locked, faults, world, driver };
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

  it('tries three times, then raises the fault and answers false; a later success clears it', async () => {
    const { clock, lock, faults, world, driver } = setUp({ jammed: true });
    const done = driver.lock();
    await clock.advance(10_000);
    expect(await done).toBe(false);
    expect(lock.history).toEqual(Array.from({ length: ATTEMPTS }, () => [true, false]).flat());
    expect([...faults]).toEqual(['lockFailed']);
    world.jammed = false;
    const again = driver.lock();
    await clock.advance(PULSE_MS);
    expect(await again).toBe(true);
    expect(faults.size).toBe(0);
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

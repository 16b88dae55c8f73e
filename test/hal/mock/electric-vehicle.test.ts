/** The car against the control pilot, in virtual time. */
import { beforeEach, describe, expect, it } from 'vitest';
import { ElectricVehicle } from '../../../hal/mock/electric-vehicle.ts';
import { VirtualClock } from '../../sim/virtual-clock.ts';

describe('electric vehicle', () => {
  let clock: VirtualClock;
  let ev: ElectricVehicle;
  beforeEach(() => {
    clock = new VirtualClock();
    ev = new ElectricVehicle(clock);
  });
  const signal = async (offer: number | 'x1' | 'F') => {
    ev.signal(offer);
    await clock.advance(0);
  };

  it('is B on plugging and A on unplugging, at once', () => {
    expect(ev.state).toBe('A');
    ev.patch({ plugged: true });
    expect(ev.state).toBe('B');
    ev.patch({ plugged: false });
    expect(ev.state).toBe('A');
  });

  it('asks for power once PWM has been offered for delayMs', async () => {
    ev.patch({ plugged: true, delayMs: 700 });
    await clock.advance(5000);
    await signal(16);
    await clock.advance(699);
    expect(ev.state).toBe('B');
    await clock.advance(1);
    expect(ev.state).toBe('C');
  });

  it('counts the delay from the first offer, not from its last change', async () => {
    ev.patch({ plugged: true });
    await signal(16);
    await clock.advance(600);
    await signal(10);
    await clock.advance(400);
    expect(ev.state).toBe('C');
  });

  it('asks for ventilation with D where it wants it', async () => {
    ev.patch({ plugged: true, vent: true, delayMs: 0 });
    await signal(16);
    expect(ev.state).toBe('D');
  });

  it.each(['x1', 'F'] as const)(
    'goes back to B as soon as %s withdraws the offer, never within the call',
    async (offer) => {
      ev.patch({ plugged: true, delayMs: 0 });
      await signal(16);
      ev.signal(offer);
      expect(ev.state).toBe('C');
      await Promise.resolve();
      expect(ev.state).toBe('B');
    },
  );

  it('waits anew after an interruption of the offer', async () => {
    ev.patch({ plugged: true });
    await signal(16);
    await clock.advance(900);
    await signal('x1');
    await signal(16);
    await clock.advance(999);
    expect(ev.state).toBe('B');
    await clock.advance(1);
    expect(ev.state).toBe('C');
  });

  it.each(['B', 'C', 'D', 'E', 'F'] as const)('can be forced to %s, whatever is offered', async (mode) => {
    ev.patch({ plugged: true, mode });
    expect(ev.state).toBe(mode);
    await signal(16);
    await clock.advance(60_000);
    expect(ev.state).toBe(mode);
    ev.patch({ plugged: false });
    expect(ev.state).toBe('A');
  });

  it('draws what it likes up to the offer, and only in C and D', async () => {
    ev.patch({ plugged: true, amps: 20 });
    await signal(32);
    expect(ev.drawA).toBe(0);
    await clock.advance(1000);
    expect(ev.drawA).toBe(20);
    await signal(10);
    expect(ev.drawA).toBeCloseTo(10);
    ev.patch({ mode: 'B' });
    expect(ev.drawA).toBe(0);
  });

  it('leaves no timer behind when it is unplugged', async () => {
    ev.patch({ plugged: true });
    await signal(16);
    ev.patch({ plugged: false });
    expect(clock.armed).toBe(0);
  });

  it('obeys as late as it was made: it draws the most that it has been told within that time', async () => {
    const late = new ElectricVehicle(clock, 5000);
    const drawn = async (offer: number | 'x1', ms: number): Promise<number> => {
      late.signal(offer);
      await clock.advance(ms);
      return late.drawA;
    };
    late.patch({ plugged: true, delayMs: 0 });
    expect(await drawn(16, 0)).toBe(16);
    expect(await drawn(10, 3000)).toBe(16);
    expect(await drawn(20, 1000)).toBe(20);
    expect(await drawn(8, 4999)).toBe(20);
    await clock.advance(1);
    expect(late.drawA).toBe(8);
  });

  it('opens its switch as late as it obeys, and forgets what it was told when it is unplugged', async () => {
    const late = new ElectricVehicle(clock, 5000);
    const draws: number[] = [];
    late.onDraw(() => draws.push(late.drawA));
    late.patch({ plugged: true, delayMs: 0 });
    late.signal(16);
    await clock.advance(0);
    late.signal('x1');
    await clock.advance(4999);
    expect([late.state, late.drawA]).toEqual(['C', 16]);
    await clock.advance(1);
    expect([late.state, late.drawA]).toEqual(['B', 0]);
    expect(draws.at(-1)).toBe(0);
    late.signal(16);
    await clock.advance(5000);
    late.signal('x1');
    late.patch({ plugged: false });
    late.patch({ plugged: true });
    await clock.advance(1000);
    expect(late.state).toBe('B');
  });
});

/** The mock meter over virtual time. */
import { describe, expect, it } from 'vitest';
import { MockMeter } from '../../../hal/mock/mock-meter.ts';
import { hours, seconds, VirtualClock } from '../../sim/virtual-clock.ts';

const setUp = (phases: 1 | 3 = 3) => {
  const clock = new VirtualClock();
  return { clock, meter: new MockMeter({ clock, phases, serial: 'S', temperatureC: () => 25 }) };
};

describe('mock meter', () => {
  it('integrates the power of the car over the clock', async () => {
    const { clock, meter } = setUp();
    meter.carry({ amps: 16, phases: 3 });
    await clock.advance(hours(1));
    expect(meter.energyWh).toBe(16 * 230 * 3);
  });

  it('counts whole watt-seconds exactly, in however many steps', async () => {
    const { clock, meter } = setUp();
    meter.patch({ watts: 3600 });
    meter.carry({ amps: 0, phases: 1 });
    for (let second = 1; second <= 100; second++) {
      await clock.advance(seconds(1));
      expect(meter.energyWh).toBe(second);
    }
  });

  it('stands still while the contactor is open, also with an overridden power', async () => {
    const { clock, meter } = setUp();
    meter.patch({ watts: 9999 });
    await clock.advance(hours(1));
    expect(meter.energyWh).toBe(0);
    expect(meter.watts).toBe(0);
  });

  it('takes an overridden power for the current too', () => {
    const { meter } = setUp();
    meter.carry({ amps: 16, phases: 1 });
    meter.patch({ watts: 4600 });
    expect(meter.amps).toBe(20);
  });

  it('is another meter after its register was set, unless it has a serial number of its own', () => {
    const { meter } = setUp();
    const first = meter.serialNumber;
    meter.patch({ wh: 1234 });
    expect(meter.energyWh).toBe(1234);
    expect(meter.serialNumber).not.toBe(first);
    meter.patch({ serial: 'OWN' });
    meter.patch({ wh: 5 });
    expect(meter.serialNumber).toBe('OWN');
  });

  it.each([1, 3] as const)('reads exactly what it says it offers, on %i phases', async (phases) => {
    const { meter } = setUp(phases);
    meter.carry({ amps: 10, phases: 1 });
    const { values, serialNumber } = await meter.read();
    const read = Object.entries(values).map(([quantity, lines]) => [quantity, Object.keys(lines).sort()]);
    const offered = Object.entries(meter.offers).map(([quantity, lines]) => [quantity, [...lines].sort()]);
    expect(Object.fromEntries(read)).toEqual(Object.fromEntries(offered));
    expect(serialNumber).toBe(meter.serialNumber);
    expect(values.current?.L1).toBe(10);
    expect(values.current?.L2).toBe(phases === 3 ? 0 : undefined);
    expect(values.activePower).toMatchObject({ sum: 2300, L1: 2300 });
  });

  it('says what flows on each line', () => {
    const { meter } = setUp();
    expect(meter.lineAmps).toEqual([0, 0, 0]);
    meter.carry({ amps: 10, phases: 2 });
    expect(meter.lineAmps).toEqual([10, 10, 0]);
  });

  it('does not answer while it is dropped', async () => {
    const { meter } = setUp();
    meter.patch({ drop: true });
    await expect(meter.read()).rejects.toMatchObject({ code: 'meterSilent' });
    meter.patch({ drop: false });
    await expect(meter.read()).resolves.toMatchObject({ at: 0 });
  });
});

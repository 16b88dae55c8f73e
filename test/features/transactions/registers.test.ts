/** The register at the end of a transaction is the one after the contactor has opened. */
import { describe, expect, it } from 'vitest';
import type { EnergyMeter, Reading } from '../../../hal/contract.ts';
import { Registers } from '../../../src/features/transactions/registers.ts';
import { VirtualClock } from '../../sim/virtual-clock.ts';
import { silentLog } from '../../sim/world.ts';

/** Takes a while for each look; whoever asks meanwhile gets the look that is under way. */
function slowMeter(clock: VirtualClock, lookMs: number): EnergyMeter {
  let underWay: Promise<Reading> | undefined;
  const look = (at: number): Promise<Reading> =>
    new Promise((resolve) => {
      clock.after(lookMs, () => {
        underWay = undefined;
        resolve({ at, serialNumber: 'S', values: { energyImport: { sum: at } } });
      });
    });
  return {
    offers: { energyImport: ['sum'] },
    read() {
      underWay ??= look(clock.now());
      return underWay;
    },
  };
}

async function registerAskedDuringALook(lookMs: number): Promise<number | undefined> {
  const clock = new VirtualClock();
  const meter = slowMeter(clock, lookMs);
  const registers = new Registers({ meters: new Map([[1, meter]]), clock, log: silentLog });
  void meter.read();
  await clock.advance(100);
  let register: number | undefined;
  void registers.once(1).then((reading) => {
    register = reading?.values.energyImport?.sum;
  });
  await clock.advance(10_000);
  return register;
}

describe('the register', () => {
  it('is not taken from a look that began before it was asked for', async () => {
    expect(await registerAskedDuringALook(500)).toBe(500);
  });

  it('is taken from that look all the same if there is no time for another', async () => {
    expect(await registerAskedDuringALook(1500)).toBe(0);
  });

  it('is not waited for longer than 2 s', async () => {
    expect(await registerAskedDuringALook(5000)).toBeUndefined();
  });
});

/** Peak detectors through IIO files: which device, which voltages, and how often the slow half is looked at. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PeakChannel } from '../../../hal/board-description.ts';
import type { Offer } from '../../../hal/contract.ts';
import { iioDevice, openIioSense } from '../../../hal/gpio/iio-sense.ts';
import { HalError } from '../../../hal/hal-error.ts';
import { VirtualClock } from '../../sim/virtual-clock.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'iio-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** As the kernel has it: a folder below the parent device, and a link to it. */
function device(number: number, name: string, at: string, files: Record<string, string> = {}): string {
  const folder = join(root, 'devices/i2c-1', at, `iio:device${number}`);
  mkdirSync(folder, { recursive: true });
  mkdirSync(join(root, 'bus/iio/devices'), { recursive: true });
  symlinkSync(folder, join(root, 'bus/iio/devices', `iio:device${number}`));
  for (const [file, text] of Object.entries({ name, ...files })) writeFileSync(join(folder, file), `${text}\n`);
  return folder;
}

const code = async (act: () => unknown): Promise<string> => {
  try {
    await act();
  } catch (error) {
    return error instanceof HalError ? `${error.code}: ${error.message}` : String(error);
  }
  return 'nothing';
};

describe('a converter of the kernel', () => {
  it('is found by its name, whatever its number, and by its place where two have that name', () => {
    device(3, 'ads1115', '1-0048');
    device(0, 'ads1115', '1-0049');
    device(7, 'mcp3208', 'spi0.0');
    expect(iioDevice(root, { device: 'mcp3208' })).toMatch(/iio:device7$/);
    expect(iioDevice(root, { device: 'ads1115', at: '1-0048' })).toMatch(/iio:device3$/);
  });

  it('that is missing, or not the only one, is named with what there is', async () => {
    expect(await code(() => iioDevice(root, { device: 'ads1115' }))).toMatch(/^noSuchAdc: no .*found: none/);
    device(3, 'ads1115', '1-0048');
    device(0, 'ads1115', '1-0049');
    expect(await code(() => iioDevice(root, { device: 'ads1115' }))).toMatch(
      /^noSuchAdc: more than one .*ads1115 at 1-004\d, ads1115 at 1-004\d/,
    );
  });
});

/** 1 V at the converter are 6 V of the pilot; the detector of the negative half turns it round. */
const POSITIVE: PeakChannel = {
  channel: 0,
  calibration: [
    { adcV: 0, pilotV: 0 },
    { adcV: 2, pilotV: 12 },
  ],
};
const NEGATIVE: PeakChannel = {
  channel: 2,
  calibration: [
    { adcV: 0, pilotV: 0 },
    { adcV: 2, pilotV: -12 },
  ],
};
const SCALE_MV = 0.125;
const OFFSET = 4;

async function open({ diode = true } = {}) {
  const clock = new VirtualClock();
  const folder = device(1, 'ads1115', '1-0048', {
    in_voltage_scale: String(SCALE_MV),
    in_voltage0_offset: String(OFFSET),
    in_voltage0_raw: '0',
    in_voltage2_raw: '0',
  });
  const sense = await openIioSense(
    { adc: { device: 'ads1115' }, positive: POSITIVE, ...(diode ? { negative: NEGATIVE } : {}) },
    { sysfsRoot: root, clock },
  );
  const put = (channel: 0 | 2, adcV: number) => {
    const raw = Math.round((adcV * 1000) / SCALE_MV) - (channel === 0 ? OFFSET : 0);
    writeFileSync(join(folder, `in_voltage${channel}_raw`), `${raw}\n`);
  };
  return { sense, put, folder };
}

describe('peak detectors on the pilot', () => {
  it.each<[number, Offer, string]>([
    [2, 'x1', 'A'],
    [1.5, 'x1', 'B'],
    [1, 16, 'C'],
    [0.5, 16, 'D'],
    [0, 16, 'E'],
    [0, 'F', 'F'],
    [1.75, 'x1', 'nonsense'],
  ])('%d V at the converter while %s is signalled', async (adcV, offer, sample) => {
    const { sense, put } = await open();
    put(0, adcV);
    expect(sense.look(offer).sample).toBe(sample);
    sense.close();
  });

  it('that read more than the pilot can have are broken; 0 V is a short circuit as well', async () => {
    const { sense, put } = await open();
    const brokenAt = (adcV: number) => {
      put(0, adcV);
      return sense.look('x1').broken;
    };
    expect([2.3, 2, 1.75, 0].map(brokenAt)).toEqual([true, false, false, false]);
    sense.close();
  });

  it('look at the negative half in one look of five, and only while there is PWM', async () => {
    const { sense, put } = await open();
    put(0, 1.5);
    put(2, 2);
    const looks = (offer: Offer) => Array.from({ length: 10 }, () => sense.look(offer).negativeHalf);
    expect(looks('x1')).toEqual(Array(10).fill(undefined));
    expect(
      looks(16)
        .map((seen) => seen ?? '-')
        .join(' '),
    ).toBe('true - - - - true - - - -');
    put(2, 1.5);
    expect(looks(16).filter((seen) => seen !== undefined)).toEqual([false, false]);
    sense.close();
  });

  it('cannot check the diode without the second one', async () => {
    const { sense } = await open({ diode: false });
    expect(sense.checksDiode).toBe(false);
    expect(sense.look(16).negativeHalf).toBeUndefined();
    sense.close();
  });

  it('take a reading that is no number for no sample', async () => {
    const { sense, folder } = await open();
    writeFileSync(join(folder, 'in_voltage0_raw'), '\n');
    expect(sense.look('x1').sample).toBe('nonsense');
    sense.close();
  });

  it('on a channel that the converter has not are refused at once', async () => {
    device(1, 'ads1115', '1-0048', { in_voltage_scale: '1' });
    const opening = () =>
      openIioSense({ adc: { device: 'ads1115' }, positive: POSITIVE }, { sysfsRoot: root, clock: new VirtualClock() });
    expect(await code(opening)).toMatch(/^noSuchAdc: .*evse\.positive\.channel/);
  });
});

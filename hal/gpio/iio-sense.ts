/** Peak detectors on the control pilot, read through the kernel's driver of a converter (IIO in sysfs). */
import { closeSync, constants, existsSync, openSync, readdirSync, readFileSync, readSync, realpathSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { LOOK_MOST_MS, type PeakChannel, type PeakHoldPilotEvseDescription } from '../board-description.ts';
import type { Offer, Timebase } from '../contract.ts';
import { HalError } from '../hal-error.ts';
import type { Sample } from './pilot-filter.ts';
import { calibrated, isBrokenLevel, isNegativeHalf, sampleOfVolts } from './pilot-levels.ts';
import type { ConverterSense, PilotLook, PilotSense } from './pilot-sense.ts';
import { ready, systemCode } from './ready-files.ts';

/** The negative half is seen in one look of five: a second conversion takes as long as the first. */
const NEGATIVE_EVERY = 5;
/** The best of so many readings counts: a start-up has other things to do meanwhile. */
const TRIALS = 3;

export interface IioOptions {
  readonly sysfsRoot: string;
  readonly clock: Timebase;
}

type Wanted = Pick<PeakHoldPilotEvseDescription, 'adc' | 'positive' | 'negative'>;

const textOf = (...path: string[]): string => readFileSync(join(...path), 'utf8').trim();

/** The folder of the one device of that name. Throws HalError noSuchAdc that lists what there is. */
export function iioDevice(sysfsRoot: string, { device, at }: Wanted['adc']): string {
  const folder = join(sysfsRoot, 'bus/iio/devices');
  const names = existsSync(folder) ? readdirSync(folder).filter((name) => name.startsWith('iio:device')) : [];
  const devices = names.map((name) => {
    const path = join(folder, name);
    return { path, name: textOf(path, 'name'), at: basename(dirname(realpathSync(path))) };
  });
  const fitting = devices.filter((each) => each.name === device && (at === undefined || each.at === at));
  const [found, second] = fitting;
  if (found !== undefined && second === undefined) return found.path;
  const there = devices.map((each) => `${each.name} at ${each.at}`).join(', ');
  const wanted = `${device}${at === undefined ? '' : ` at ${at}`}`;
  throw new HalError(
    'noSuchAdc',
    `${found === undefined ? 'no' : 'more than one'} converter is called ${wanted}; found: ${there === '' ? 'none' : there}. Check its dtoverlay in config.txt and evse.adc in the board file${found === undefined ? '' : ' (adc.at)'}.`,
  );
}

interface Channel {
  volts(): number;
  close(): void;
}

/** Kept open and read in the turn that wants it: a read through the thread pool would wait behind files that are being written. */
function openChannel(device: string, { channel, calibration }: PeakChannel): Channel {
  const attribute = (name: string): number | undefined => {
    const own = join(device, `in_voltage${channel}_${name}`);
    const shared = join(device, `in_voltage_${name}`);
    const file = [own, shared].find(existsSync);
    return file === undefined ? undefined : Number(textOf(file));
  };
  // IIO ABI: (raw + offset) * scale is in millivolt.
  const millivolts = attribute('scale') ?? 1;
  const offset = attribute('offset') ?? 0;
  const pilotV = calibrated(calibration);
  const fd = openSync(join(device, `in_voltage${channel}_raw`), 'r');
  const bytes = Buffer.alloc(32);
  return {
    volts() {
      const text = bytes.toString('latin1', 0, readSync(fd, bytes, 0, bytes.length, 0)).trim();
      // An empty text would be 0, and 0 V a state.
      return text === '' ? Number.NaN : pilotV(((Number(text) + offset) * millivolts) / 1000);
    },
    close: () => closeSync(fd),
  };
}

function quickest(channel: Channel, clock: Timebase): number {
  const times = Array.from({ length: TRIALS }, () => {
    const from = clock.now();
    channel.volts();
    return clock.now() - from;
  });
  return Math.min(...times);
}

/** Rejects with HalError noSuchAdc, noPermission, or badBoard for a converter that is too slow. */
export async function openIioSense({ adc, positive, negative }: Wanted, options: IioOptions): Promise<ConverterSense> {
  const { clock, sysfsRoot } = options;
  const device = iioDevice(sysfsRoot, adc);
  const channels: Channel[] = [];
  const open = async (wanted: PeakChannel): Promise<Channel> => {
    const file = join(device, `in_voltage${wanted.channel}_raw`);
    if (existsSync(file)) await ready([file], clock, constants.R_OK);
    const channel = openChannel(device, wanted);
    channels.push(channel);
    const tookMs = quickest(channel, clock);
    if (tookMs <= LOOK_MOST_MS) return channel;
    throw new HalError(
      'badBoard',
      `one reading of ${adc.device} takes ${tookMs.toFixed(1)} ms, expected at most ${LOOK_MOST_MS} ms. Raise its sampling frequency (dtoverlay=ads1115,cha_datarate=7).`,
    );
  };
  const close = () => {
    for (const channel of channels.splice(0)) channel.close();
  };
  try {
    const high = await open(positive);
    const low = negative === undefined ? undefined : await open(negative);
    return { ...peaks(high, low), close };
  } catch (error) {
    close();
    if (error instanceof HalError) throw error;
    const denied = systemCode(error) === 'EACCES' || systemCode(error) === 'EPERM';
    throw new HalError(
      denied ? 'noPermission' : 'noSuchAdc',
      `the converter ${adc.device} cannot be read${denied ? '. Check the udev rules.' : `: ${String(error)}. Check evse.positive.channel and evse.negative.channel.`}`,
      { cause: error },
    );
  }
}

function peaks(high: Channel, low: Channel | undefined): PilotSense {
  let before: Sample = 'nonsense';
  let looks = 0;
  return {
    checksDiode: low !== undefined,
    look(offer: Offer): PilotLook {
      const volts = high.volts();
      before = sampleOfVolts(volts, before, offer === 'F');
      // Without PWM there is no negative half.
      const due = low !== undefined && typeof offer === 'number' && looks++ % NEGATIVE_EVERY === 0;
      const negativeHalf = due ? isNegativeHalf(low.volts()) : undefined;
      return { sample: before, negativeHalf, broken: isBrokenLevel(volts, offer === 'F') };
    },
    onEdge: () => () => {},
  };
}

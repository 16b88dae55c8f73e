/** The control pilot by bursts of an MCP3008 or MCP3208: both halves of the PWM, without a peak detector. */
import { type BurstPilotEvseDescription, LOOK_MOST_MS } from '../board-description.ts';
import type { Timebase } from '../contract.ts';
import { HalError } from '../hal-error.ts';
import type { Libc } from '../linux/libc.ts';
import { openBurst, type SpiBurst } from '../linux/spi.ts';
import { MOST_TRANSFERS } from '../linux/spi-uapi.ts';
import type { Sample } from './pilot-filter.ts';
import { calibrated, isBrokenLevel, isNegativeHalf, sampleOfVolts } from './pilot-levels.ts';
import type { ConverterSense } from './pilot-sense.ts';
import { plateausOf } from './plateaus.ts';
import { systemCode } from './ready-files.ts';

/** Two periods of the PWM, counted without the pauses between two samples: whatever those are, no half is missed. */
const BURST_MS = 2;
/** Three samples in the 80 us of the shortest pulse that offers a current (8 %). */
const INTERVAL_MOST_US = 26;
/** The best of so many bursts counts: a start-up has other things to do meanwhile. */
const TRIALS = 3;
/** Start bit, mode, channel and the answer, in whole bytes. */
const BYTES = 3;

type Adc = BurstPilotEvseDescription['adc'];

/** How the chips are asked for one channel against ground, and what of the answer is the number (their datasheets, section 6.1). */
const CHIPS: {
  readonly [model in Adc['model']]: { readonly bits: number; command(channel: number): Uint8Array };
} = {
  mcp3008: { bits: 10, command: (channel) => Uint8Array.of(0x01, 0x80 | (channel << 4), 0) },
  mcp3208: { bits: 12, command: (channel) => Uint8Array.of(0x06 | (channel >> 2), (channel & 3) << 6, 0) },
};

export const commandOf = ({ model, channel }: Pick<Adc, 'model' | 'channel'>): Uint8Array =>
  CHIPS[model].command(channel);

export const samplesAt = (speedHz: number): number =>
  Math.min(MOST_TRANSFERS, Math.ceil((BURST_MS * speedHz) / (BYTES * 8 * 1000)));

/** Volts at the converter, in the order in which they were sampled. */
export function voltsIn(answers: Uint8Array, { model, referenceV }: Pick<Adc, 'model' | 'referenceV'>): number[] {
  const { bits } = CHIPS[model];
  const count = 2 ** bits;
  return Array.from({ length: Math.floor(answers.length / BYTES) }, (_, index) => {
    const high = answers[BYTES * index + 1] ?? 0;
    const low = answers[BYTES * index + 2] ?? 0;
    return (((high << 8) | low) % count) * (referenceV / count);
  });
}

type Wanted = Pick<BurstPilotEvseDescription, 'adc' | 'calibration'>;

/** Throws HalError noSuchAdc, noPermission, or badBoard where two samples lie too far apart. */
export function openMcpSense({ adc, calibration }: Wanted, libc: Libc, clock: Timebase): ConverterSense {
  const times = samplesAt(adc.speedHz);
  const burst = opened(adc, libc, times);
  try {
    checkPace(adc, quickest(burst, adc, clock), times);
  } catch (error) {
    burst.close();
    throw error;
  }
  const pilotV = calibrated(calibration);
  let before: Sample = 'nonsense';
  return {
    checksDiode: true,
    look(offer) {
      const { high, low } = plateausOf(voltsIn(burst.run(), adc).map(pilotV));
      before = high === undefined ? 'nonsense' : sampleOfVolts(high, before, offer === 'F');
      return {
        sample: before,
        negativeHalf: low === undefined ? undefined : isNegativeHalf(low),
        // SPI has no acknowledgement: a converter that is dead reads as one end of its range or the other.
        broken: high !== undefined && isBrokenLevel(high, offer === 'F'),
      };
    },
    onEdge: () => () => {},
    close: () => burst.close(),
  };
}

function opened(adc: Adc, libc: Libc, times: number): SpiBurst {
  try {
    return openBurst(libc, adc.spi, { command: commandOf(adc), times, speedHz: adc.speedHz });
  } catch (error) {
    const code = systemCode(error);
    const denied = code === 'EACCES' || code === 'EPERM';
    throw new HalError(
      denied ? 'noPermission' : 'noSuchAdc',
      denied
        ? `${adc.spi} may not be opened. Add the user to the group spi and check the udev rules.`
        : `${adc.spi} is no SPI device (${code ?? String(error)}). Check dtparam=spi=on in config.txt and evse.adc.spi in the board file.`,
      { cause: error },
    );
  }
}

function quickest(burst: SpiBurst, { spi }: Adc, clock: Timebase): number {
  const times = Array.from({ length: TRIALS }, () => {
    const from = clock.now();
    try {
      burst.run();
    } catch (cause) {
      throw new HalError('noSuchAdc', `${spi} refuses a burst: ${systemCode(cause) ?? String(cause)}`, { cause });
    }
    return clock.now() - from;
  });
  return Math.min(...times);
}

function checkPace({ spi, speedHz }: Adc, tookMs: number, times: number): void {
  const intervalUs = (tookMs * 1000) / times;
  if (tookMs <= LOOK_MOST_MS && intervalUs <= INTERVAL_MOST_US) return;
  throw new HalError(
    'badBoard',
    `${spi} takes ${intervalUs.toFixed(0)} us from sample to sample, expected at most ${INTERVAL_MOST_US}: the pulse of a small current would be missed. Raise adc.speedHz (${speedHz}).`,
  );
}

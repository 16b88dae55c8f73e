/** Bursts of an MCP3008 or MCP3208: from a waveform through the chip's answers to state and diode. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import type { BurstPilotEvseDescription } from '../../../hal/board-description.ts';
import type { Offer } from '../../../hal/contract.ts';
import { dutyOf } from '../../../hal/duty.ts';
import { commandOf, openMcpSense, samplesAt, voltsIn } from '../../../hal/gpio/mcp-sense.ts';
import { plateausOf } from '../../../hal/gpio/plateaus.ts';
import { HalError } from '../../../hal/hal-error.ts';
import type { Libc } from '../../../hal/linux/libc.ts';
import { SPI_TRANSFER, SPI_WRITE_MODE, spiMessage } from '../../../hal/linux/spi-uapi.ts';

const SPEED_HZ = 1_600_000;
const BITS_US = 15;

interface Wave {
  readonly high: number;
  readonly low: number;
  readonly duty: number;
  /** Where in its period the first sample falls, in us. */
  readonly phaseUs: number;
  /** From sample to sample. */
  readonly intervalUs: number;
  readonly noise: (index: number) => number;
  /** These samples are anything. */
  readonly spikes?: readonly { readonly at: number; readonly volts: number }[];
}

const sampled = ({ high, low, duty, phaseUs, intervalUs, noise, spikes = [] }: Wave, count: number): number[] =>
  Array.from({ length: count }, (_, index) => {
    const spike = spikes.find(({ at }) => at === index);
    if (spike !== undefined) return spike.volts;
    const place = (phaseUs + index * intervalUs) % 1000;
    return (place < duty * 10 ? high : low) + noise(index);
  });

const waves = (duty: fc.Arbitrary<number>) =>
  fc.record({
    nominal: fc.constantFrom(12, 9, 6, 3),
    error: fc.double({ min: -0.5, max: 0.5, noNaN: true }),
    diode: fc.boolean(),
    duty,
    phaseUs: fc.double({ min: 0, max: 999, noNaN: true }),
    intervalUs: fc.double({ min: BITS_US, max: 26, noNaN: true }),
    noise: fc.array(fc.double({ min: -0.3, max: 0.3, noNaN: true }), { minLength: 16, maxLength: 16 }),
    spike: fc.record({ at: fc.nat(samplesAt(SPEED_HZ) - 1), volts: fc.double({ min: -14, max: 14, noNaN: true }) }),
  });

describe('the two levels of a sampled pilot', () => {
  interface Case {
    readonly duty: fc.Arbitrary<number>;
    readonly spiked: boolean;
    readonly sees: readonly ('high' | 'low')[];
  }
  const duty = (min: number, max: number) => fc.double({ min, max, noNaN: true });

  it.each<[string, Case]>([
    ['at every duty cycle that offers a current', { duty: duty(8, 97), spiked: false, sees: ['high', 'low'] }],
    ['through a spike, up to 70 A', { duty: duty(8, 92), spiked: true, sees: ['high', 'low'] }],
    // There the low half is hit once in a period: a spike may hide it from one look, of the ten that it takes.
    ['through a spike, the upper one always', { duty: duty(92, 97), spiked: true, sees: ['high'] }],
  ])('are found %s, wherever the burst begins', (_what, { duty: duties, spiked, sees }) => {
    fc.assert(
      fc.property(waves(duties), ({ nominal, error, diode, noise, spike, ...rest }) => {
        const high = nominal + error;
        const low = diode ? -12 : -high;
        const spikes = spiked ? [spike] : [];
        const noisy = (index: number) => noise[index % noise.length] ?? 0;
        const found = plateausOf(sampled({ ...rest, high, low, noise: noisy, spikes }, samplesAt(SPEED_HZ)));
        const real = { high, low };
        for (const level of sees) expect(Math.abs((found[level] ?? Number.NaN) - real[level])).toBeLessThan(0.6);
      }),
      { numRuns: 2000 },
    );
  });

  it.each([12, 9, 6, 3, 0, -12])('are one and the same on a pilot that stays at %d V', (level) => {
    const volts = Array.from({ length: 134 }, (_, index) => level + ((index % 7) - 3) / 20);
    const { high = Number.NaN, low = Number.NaN } = plateausOf(volts);
    expect(Math.abs(high - level)).toBeLessThan(0.3);
    expect(Math.abs(low - level)).toBeLessThan(0.3);
  });

  it('are not found where no samples agree', () => {
    expect(plateausOf([])).toEqual({ high: undefined, low: undefined });
    expect(plateausOf([1, 4, 7, 10])).toEqual({ high: undefined, low: undefined });
  });
});

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** The kernel and the chip: 12 V of the pilot (`reachV`) are 3.3 V at the converter, -12 V are 0 V. */
class FakeSpi implements Pick<Libc, 'ioctl' | 'addressOf'> {
  readonly device: string;
  readonly modes: number[] = [];
  commands: string[] = [];
  wave: (index: number) => number = () => 12;
  tookMs = 3;
  reachV = 12;
  now = 0;
  down: string | undefined;
  readonly #bits: number;
  readonly #memory = new Map<bigint, Buffer>();

  constructor(bits: number) {
    this.#bits = bits;
    const folder = mkdtempSync(join(tmpdir(), 'fake-spi-'));
    folders.push(folder);
    this.device = join(folder, 'spidev0.0');
    writeFileSync(this.device, '');
  }

  addressOf(memory: Buffer): bigint {
    const address = 0x1000_0000n * BigInt(this.#memory.size + 1);
    this.#memory.set(address, memory);
    return address;
  }

  ioctl(_fd: number, request: number, argument: Buffer): void {
    if (this.down !== undefined) throw Object.assign(new Error(this.down), { code: this.down });
    if (request === SPI_WRITE_MODE) {
      this.modes.push(argument[0] ?? -1);
      return;
    }
    const count = argument.length / SPI_TRANSFER.size;
    expect(request).toBe(spiMessage(count));
    this.now += this.tookMs;
    this.commands = [];
    for (let index = 0; index < count; index += 1) this.#transfer(argument, index, index === count - 1);
  }

  #transfer(message: Buffer, index: number, isLast: boolean): void {
    const at = index * SPI_TRANSFER.size;
    const length = message.readUInt32LE(at + SPI_TRANSFER.length);
    const sent = this.#at(message.readBigUInt64LE(at + SPI_TRANSFER.transmit), length);
    this.commands.push(sent.toString('hex'));
    const adcV = ((this.wave(index) + this.reachV) / (2 * this.reachV)) * 3.3;
    const count = Math.max(0, Math.min(2 ** this.#bits - 1, Math.round((adcV / 3.3) * 2 ** this.#bits)));
    // What the chip does not drive reads as it likes.
    const answer = Buffer.of(0xff, (0xff << (this.#bits - 8)) | (count >> 8), count & 0xff);
    answer.copy(this.#at(message.readBigUInt64LE(at + SPI_TRANSFER.receive), length));
    expect(message.readUInt8(at + SPI_TRANSFER.deselect)).toBe(isLast ? 0 : 1);
  }

  #at(address: bigint, length: number): Buffer {
    for (const [start, memory] of this.#memory) {
      const offset = Number(address - start);
      if (offset >= 0 && offset + length <= memory.length) return memory.subarray(offset, offset + length);
    }
    throw new Error('EFAULT');
  }
}

/** `reachV`: what the ends of its range stand for. */
const opened = (model: 'mcp3008' | 'mcp3208', prepare: (spi: FakeSpi) => void = () => {}, reachV = 12) => {
  const spi = new FakeSpi(model === 'mcp3008' ? 10 : 12);
  spi.reachV = reachV;
  prepare(spi);
  const description: Pick<BurstPilotEvseDescription, 'adc' | 'calibration'> = {
    adc: { model, spi: spi.device, channel: 5, speedHz: SPEED_HZ, referenceV: 3.3 },
    calibration: [
      { adcV: 0, pilotV: -reachV },
      { adcV: 3.3, pilotV: reachV },
    ],
  };
  const clock = { now: () => spi.now, after: () => () => {} };
  const sense = openMcpSense(description, spi as unknown as Libc, clock);
  return { spi, sense };
};

const refusal = (open: () => unknown): string => {
  try {
    open();
  } catch (error) {
    if (error instanceof HalError) return `${error.code}: ${error.message}`;
    throw error;
  }
  return 'opened';
};

describe.each(['mcp3008', 'mcp3208'] as const)('a pilot on an %s', (model) => {
  const pwm = (offer: number, high: number, low: number) => (index: number) =>
    (index * 20 + 137) % 1000 < dutyOf(offer) * 10 ? high : low;

  it.each<[Offer, (index: number) => number, string, boolean | undefined]>([
    [6, pwm(6, 9, -12), 'B', true],
    [32, pwm(32, 6, -12), 'C', true],
    [80, pwm(80, 3, -12), 'D', true],
    [16, pwm(16, 9, -9), 'B', false],
    [16, pwm(16, 6, -6), 'C', false],
    ['x1', () => 12, 'A', false],
    ['x1', () => 9, 'B', false],
    ['F', () => -12, 'F', true],
    ['x1', () => -12, 'E', true],
    [16, () => 0, 'E', false],
  ])('at %s A sees what is there', (offer, wave, sample, negativeHalf) => {
    const { spi, sense } = opened(model);
    spi.wave = wave;
    expect(sense.look(offer)).toMatchObject({ sample, negativeHalf });
  });

  it.each<[string, Offer, number, boolean]>([
    ['that does not answer, its line low, is broken', 'x1', -13, true],
    ['that does not answer, its line high, is broken', 'x1', 13.5, true],
    ['sees our own F, and that is not broken', 'F', -12, false],
    ['sees CP shorted to PE, and that is not broken', 16, 0, false],
  ])('%s', (_what, offer, volts, broken) => {
    const { spi, sense } = opened(model, undefined, 14);
    spi.wave = () => volts;
    expect(sense.look(offer).broken).toBe(broken);
  });

  it('asks for its channel in mode 0, as the datasheet has it, every time', () => {
    const { spi, sense } = opened(model);
    sense.look('x1');
    expect(spi.modes).toEqual([0]);
    expect(new Set(spi.commands)).toEqual(new Set([model === 'mcp3008' ? '01d000' : '074000']));
    expect(spi.commands).toHaveLength(samplesAt(SPEED_HZ));
  });
});

describe('an SPI converter', () => {
  it('is refused where two samples lie too far apart for the pulse of 6 A', () => {
    const slow = (spi: FakeSpi) => {
      spi.tookMs = 4;
    };
    expect(refusal(() => opened('mcp3008', slow))).toMatch(/^badBoard: .* 30 us from sample to sample.*adc\.speedHz/);
  });

  it.each([
    ['EACCES', /^noPermission: .*group spi/],
    ['ENOTTY', /^noSuchAdc: .*dtparam=spi=on/],
  ])('that gives %s is named with the remedy', (code, message) => {
    const broken = (spi: FakeSpi) => {
      spi.down = code;
    };
    expect(refusal(() => opened('mcp3008', broken))).toMatch(message);
  });

  it('covers two periods of the PWM by the bits alone', () => {
    for (const speedHz of [1_000_000, 1_600_000, 3_600_000]) {
      expect((samplesAt(speedHz) * 24_000) / speedHz).toBeGreaterThanOrEqual(2);
    }
  });

  it('counts from 0 to the reference', () => {
    expect(voltsIn(Uint8Array.of(0xff, 0xfc, 0, 0, 3, 0xff), { model: 'mcp3008', referenceV: 1024 })).toEqual([
      0, 1023,
    ]);
    expect([...commandOf({ model: 'mcp3208', channel: 3 })]).toEqual([0x06, 0xc0, 0]);
  });
});

/** Pilots on converters: the structures of spidev as the kernel has them, and a whole board on peak detectors whose PWM and GPIO are the fake's. */
import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import type { PeakHoldPilotEvseDescription } from '../../hal/board-description.ts';
import { encodeTransfers, MOST_TRANSFERS, SPI_TRANSFER, SPI_WRITE_MODE, spiMessage } from '../../hal/linux/spi-uapi.ts';
import { FakeSysfs, numberOf } from './rigs/fake-sysfs.ts';
import {
  BUDGET_MS,
  boardOn,
  boardRigs,
  COIL,
  DUTY,
  EVSE,
  IDLE,
  quantile,
  RELEASE_MS,
  report,
  wired,
} from './support/board-rig.ts';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** What a C program says that has the header of the kernel; it may read our bytes. */
function inC(body: string, input: Buffer = Buffer.alloc(0)): readonly number[] {
  const folder = mkdtempSync(join(tmpdir(), 'spi-uapi-'));
  folders.push(folder);
  const program = join(folder, 'facts');
  execFileSync('cc', ['-x', 'c', '-o', program, '-'], {
    input: `#include <linux/spi/spidev.h>\n#include <sys/ioctl.h>\n#include <stddef.h>\n#include <stdio.h>\n#define TELL(x) printf("%llu\\n", (unsigned long long)(x))\nint main(void) {\n${body}\nreturn 0; }\n`,
  });
  return execFileSync(program, { input, encoding: 'utf8' }).trim().split('\n').map(Number);
}

describe('the structures of spidev', () => {
  it('spi_ioc_transfer is as the header of the kernel has it, and so are the numbers of the requests', () => {
    const members = ['tx_buf', 'rx_buf', 'len', 'speed_hz', 'delay_usecs', 'bits_per_word', 'cs_change'];
    const facts = inC(
      [
        'TELL(sizeof(struct spi_ioc_transfer));',
        ...members.map((member) => `TELL(offsetof(struct spi_ioc_transfer, ${member}));`),
        `TELL(SPI_IOC_WR_MODE); TELL((unsigned)SPI_IOC_MESSAGE(1)); TELL((unsigned)SPI_IOC_MESSAGE(${MOST_TRANSFERS}));`,
      ].join('\n'),
    );
    expect(facts).toEqual([...Object.values(SPI_TRANSFER), SPI_WRITE_MODE, spiMessage(1), spiMessage(MOST_TRANSFERS)]);
  });

  it('a C program reads from our bytes what we meant', () => {
    const transfer = { transmit: 0x7f00_1000n, receive: 0x7f00_2000n, length: 3, speedHz: 1_600_000 };
    const bytes = encodeTransfers([
      { ...transfer, deselect: true },
      { ...transfer, receive: 0x7f00_2003n, deselect: false },
    ]);
    const facts = inC(
      `struct spi_ioc_transfer t[2]; if (fread(t, sizeof t, 1, stdin) != 1) return 1;
       for (int i = 0; i < 2; i++) { TELL(t[i].tx_buf); TELL(t[i].rx_buf); TELL(t[i].len); TELL(t[i].speed_hz); TELL(t[i].bits_per_word);
       TELL(t[i].cs_change); TELL(t[i].delay_usecs + t[i].tx_nbits + t[i].rx_nbits + t[i].word_delay_usecs + t[i].pad); }`,
      bytes,
    );
    const common = [3, 1_600_000, 8];
    expect(facts).toEqual([0x7f001000, 0x7f002000, ...common, 1, 0, 0x7f001000, 0x7f002003, ...common, 0, 0]);
  });
});

/** 0.1 mV a count, 6 V of the pilot for 1 V at the converter. */
const points = (sign: 1 | -1) => [
  { adcV: 0, pilotV: 0 },
  { adcV: 2, pilotV: 12 * sign },
];
const rawOf = (volts: number): string => String(Math.round((Math.abs(volts) / 6) * 10_000)).padStart(8);
const VOLTS = { A: 12, B: 9, C: 6, E: 0 } as const;

const { comparators: _, driver: __, ...ownPilot } = EVSE;
const PEAKS: PeakHoldPilotEvseDescription = {
  ...ownPilot,
  driver: 'peakHoldPilot',
  adc: { device: 'ads1115' },
  positive: { channel: 0, calibration: points(1) },
  negative: { channel: 1, calibration: points(-1) },
  settleMs: 5,
};
const COIL_LEVEL = `/gpio/gpio${numberOf(COIL)}/value`;

/** The converter of the fake machine: one of another name beside it. */
class Converter {
  readonly #files: readonly number[];

  constructor(machine: FakeSysfs) {
    const device = (number: number, name: string): string => {
      const folder = join(machine.folder, 'iio', `iio:device${number}`);
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, 'name'), `${name}\n`);
      return folder;
    };
    device(0, 'bme280');
    const folder = device(4, 'ads1115');
    writeFileSync(join(folder, 'in_voltage_scale'), '0.1\n');
    this.#files = [0, 1].map((channel) => {
      const file = join(folder, `in_voltage${channel}_raw`);
      writeFileSync(file, `${rawOf(channel === 0 ? 12 : -12)}\n`);
      return openSync(file, 'r+');
    });
  }

  /** In one write, as the kernel gives it. Returns when, on the machine's monotonic clock. */
  put(channel: 0 | 1, volts: number): bigint {
    writeSync(this.#files[channel] ?? -1, rawOf(volts), 0);
    return process.hrtime.bigint();
  }

  close(): void {
    for (const file of this.#files) closeSync(file);
  }
}

const { begin } = boardRigs();
const converters: Converter[] = [];
afterEach(() => {
  for (const converter of converters.splice(0)) converter.close();
});

function start(evse: PeakHoldPilotEvseDescription = PEAKS) {
  const machine = new FakeSysfs();
  const converter = new Converter(machine);
  converters.push(converter);
  const rig = begin({
    machine,
    board: boardOn({ backend: 'onoff', chip: 'pinctrl-fake' }, evse),
    coil: COIL_LEVEL,
    before: [...IDLE, wired],
  });
  const charge = async () => {
    converter.put(0, VOLTS.B);
    await rig.told({ state: { pilot: 'B' } });
    converter.put(0, VOLTS.C);
    await rig.told({ state: { pilot: 'C', contactor: 'closed' } });
  };
  const openedAt = async (from: bigint): Promise<number> => {
    for (;;) {
      const off = machine.log.find(({ ns, what, value }) => ns > from && what === COIL_LEVEL && value === '0');
      if (off !== undefined) return Number(off.ns - from) / 1e6;
      await delay(5);
    }
  };
  return { rig, machine, converter, charge, openedAt };
}

describe('a board on peak detectors', () => {
  it.each(['A', 'B', 'E'] as const)('opens within the budget when the pilot leaves C for %s', async (to) => {
    const { rig, converter, charge, openedAt } = start();
    await rig.told({ ready: true }, 20_000);
    const times: number[] = [];
    for (let time = 0; time < 8; time += 1) {
      await charge();
      // Any moment of the sampling.
      await delay(7 * time);
      times.push(await openedAt(converter.put(0, VOLTS[to])));
      await rig.told({ state: { pilot: to } });
    }
    report(
      `C to ${to} by peak detectors`,
      times.toSorted((a, b) => a - b),
    );
    expect(
      quantile(
        times.toSorted((a, b) => a - b),
        0.5,
      ),
    ).toBeLessThan(BUDGET_MS - RELEASE_MS - PEAKS.settleMs);
  });

  it('takes a missing diode for a fault before anything is closed', async () => {
    const { rig, converter } = start();
    await rig.told({ ready: true }, 20_000);
    converter.put(1, -9);
    converter.put(0, VOLTS.B);
    await rig.told({ fault: 'diodeFault', raised: true });
    converter.put(0, VOLTS.C);
    await delay(1000);
    expect(rig.coil).not.toBe('1');
  });

  it('finds its converter by name, and says which there are where it is missing', async () => {
    const { rig } = start({ ...PEAKS, adc: { device: 'ads1015' } });
    await rig.told({ error: 'noSuchAdc' }, 20_000);
    expect(rig.writes(DUTY).at(-1) ?? '1000000').toBe('1000000');
  });
});

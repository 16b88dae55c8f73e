/** Pilots on converters: the structures of spidev as the kernel has them, and whole boards on peak detectors and on bursts, with the real drivers on the fake kernel. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import type { PeakHoldPilotEvseDescription } from '../../hal/board-description.ts';
import { samplesAt } from '../../hal/gpio/mcp-sense.ts';
import { encodeTransfers, MOST_TRANSFERS, SPI_TRANSFER, SPI_WRITE_MODE, spiMessage } from '../../hal/linux/spi-uapi.ts';
import { lab, load } from '../config/support.ts';
import { FakeGpiochip } from './rigs/fake-gpiochip.ts';
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
const countOf = (volts: number): number => Math.round((Math.abs(volts) / 6) * 10_000);
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

const adc = (channel: 0 | 1, volts: number): string => `adc ${channel} ${countOf(volts)}`;
const rawOf = (channel: 0 | 1): string => `/iio/iio:device4/in_voltage${channel}_raw`;

const { begin } = boardRigs();

function start(evse: PeakHoldPilotEvseDescription = PEAKS) {
  const machine = new FakeSysfs();
  const rig = begin({
    machine,
    board: boardOn({ backend: 'onoff', chip: 'pinctrl-fake' }, evse),
    coil: COIL_LEVEL,
    before: [...IDLE, wired, adc(0, 12), adc(1, -12)],
  });
  /** Returns when it was told to be so, on the machine's monotonic clock. */
  const put = (channel: 0 | 1, volts: number): bigint => {
    const now = process.hrtime.bigint();
    machine.control(adc(channel, volts));
    return now;
  };
  const charge = async () => {
    put(0, VOLTS.B);
    await rig.told({ state: { pilot: 'B' } });
    put(0, VOLTS.C);
    await rig.told({ state: { pilot: 'C', contactor: 'closed' } });
  };
  /** After the level of the converter changed, in ms: `from` is when that was ordered. */
  const openedAfter = async (from: bigint): Promise<number> => {
    for (;;) {
      const since = machine.log.filter(({ ns }) => ns > from);
      const changed = since.find(({ what }) => what === 'adc 0');
      const off = since.find(({ what, value }) => what === COIL_LEVEL && value === '0');
      if (changed !== undefined && off !== undefined) return Number(off.ns - changed.ns) / 1e6;
      await delay(5);
    }
  };
  return { rig, machine, put, charge, openedAfter };
}

describe('a board on peak detectors', () => {
  it.each(['A', 'B', 'E'] as const)('opens within the budget when the pilot leaves C for %s', async (to) => {
    const { rig, machine, put, charge, openedAfter } = start();
    await rig.told({ ready: true }, 20_000);
    const times: number[] = [];
    for (let time = 0; time < 8; time += 1) {
      await charge();
      // Any moment of the sampling.
      await delay(7 * time);
      times.push(await openedAfter(put(0, VOLTS[to])));
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
    // Both halves came from the files of the kernel.
    const readings = (channel: 0 | 1) => machine.log.filter(({ what }) => what === rawOf(channel));
    expect(readings(0).map(({ value }) => value)).toContain(String(countOf(VOLTS[to])));
    expect(readings(1).map(({ value }) => value)).toEqual([String(countOf(-12))]);
  });

  it('takes a missing diode for a fault before anything is closed', async () => {
    const { rig, put } = start();
    await rig.told({ ready: true }, 20_000);
    put(1, -9);
    put(0, VOLTS.B);
    await rig.told({ fault: 'diodeFault', raised: true });
    put(0, VOLTS.C);
    await delay(1000);
    expect(rig.coil).not.toBe('1');
  });

  it('opens for a converter that gives errors instead of readings, and calls it a fault', async () => {
    const { rig, machine, charge } = start();
    await rig.told({ ready: true }, 20_000);
    await charge();
    const now = process.hrtime.bigint();
    machine.control('dead 0');
    await rig.told({ state: { pilot: 'E', contactor: 'open' } });
    expect(machine.log.some(({ ns, what, value }) => ns > now && what === COIL_LEVEL && value === '0')).toBe(true);
    await rig.told({ fault: 'pilotSilent', raised: true });
  });

  it('finds its converter by name, and says which there are where it is missing', async () => {
    const { rig } = start({ ...PEAKS, adc: { device: 'ads1015' } });
    const { message } = await rig.told({ error: 'noSuchAdc' }, 20_000);
    expect(message).toContain('found: bme280 at devices, ads1115 at devices');
    expect(rig.writes(DUTY).at(-1) ?? '1000000').toBe('1000000');
  });
});

describe('the board of raspberry-pi-hat.yaml, by bursts of spidev', () => {
  /** Divider and calibration of the file: -12 V is 0.15 V, 12 V is 3.15 V; 3.3 V are 1024 counts. */
  const counted = (pilotV: number): number => Math.round(((1.65 + pilotV / 8) / 3.3) * 1024);
  /** 1 kHz, high for 26.7 %: 16 A. Without a diode the lower half is the upper one turned round. */
  const pilot = (volts: number, negative = -12): string => `spi ${counted(volts)} ${counted(negative)} 267`;
  const COIL_LINE = `/line/${COIL}`;

  const onHat = () => {
    const { config } = load({ ...lab, board: 'raspberry-pi-hat' });
    if (config === undefined || config.board === 'mock') throw new Error('the board does not load');
    const machine = new FakeGpiochip();
    // Only what is the machine's own has another name here: its chip and its PWM.
    const connectors = config.board.connectors.map((connector) =>
      connector.evse.driver === 'burstPilot'
        ? { ...connector, evse: { ...connector.evse, pwm: { ...connector.evse.pwm, device: 'fake.pwm' } } }
        : connector,
    );
    const board = { ...config.board, gpio: { chip: 'pinctrl-fake' }, connectors };
    const rig = begin({ machine, board, coil: COIL_LINE, before: [wired, pilot(VOLTS.A)] });
    return { machine, rig };
  };

  it('opens it, sees each state, closes for an EV in C and opens when that leaves', async () => {
    const { machine, rig } = onHat();
    await rig.told({ ready: true }, 20_000);
    machine.control(pilot(VOLTS.B));
    await rig.told({ state: { pilot: 'B' } });
    machine.control(pilot(VOLTS.C));
    await rig.told({ state: { pilot: 'C', contactor: 'closed' } });
    const from = process.hrtime.bigint();
    machine.control(pilot(VOLTS.A));
    await rig.told({ state: { pilot: 'A', contactor: 'open' } });
    const since = machine.log.filter(({ ns }) => ns > from);
    const changed = since.find(({ what }) => what === `spi ${counted(VOLTS.A)}`);
    const off = since.find(({ what, value }) => what === COIL_LINE && value === '0');
    expect(Number((off?.ns ?? 0n) - (changed?.ns ?? 0n)) / 1e6).toBeLessThan(BUDGET_MS);
    expect(machine.log.filter(({ what }) => what === '/spi/mode0').map(({ value }) => value)).toEqual(['set']);
    const bursts = machine.log.filter(({ what }) => what.startsWith('/spi/channel'));
    expect(new Set(bursts.map(({ what, value }) => `${what} ${value}`))).toEqual(
      new Set([`/spi/channel0 ${samplesAt(1_600_000)}`]),
    );
    expect(bursts).toHaveLength(4);
  });

  it('takes a missing diode for a fault before anything is closed', async () => {
    const { machine, rig } = onHat();
    await rig.told({ ready: true }, 20_000);
    machine.control(pilot(VOLTS.B, -VOLTS.B));
    await rig.told({ fault: 'diodeFault', raised: true });
    machine.control(pilot(VOLTS.C, -VOLTS.C));
    await delay(1000);
    expect(rig.coil).not.toBe('1');
  });
});

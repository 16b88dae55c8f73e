/** Lines by the character device: which chip, levels and edges, and refusals of the kernel in words that help. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { gpiochipLines } from '../../../hal/gpio/gpiochip-lines.ts';
import { openInput, openOutput } from '../../../hal/gpio/line.ts';
import { chipDevices, chosenBackend } from '../../../hal/gpio/open-lines.ts';
import { HalError } from '../../../hal/hal-error.ts';
import { type Libc, loadLibc } from '../../../hal/linux/libc.ts';
import { type FakeDevice, FakeKernel } from './fake-kernel.ts';

const PI4 = { name: 'gpiochip0', label: 'pinctrl-bcm2711', lines: 58 };
const EXPANDER = { name: 'gpiochip1', label: 'raspberrypi-exp-gpio', lines: 8 };

let libc: Libc;
beforeAll(async () => {
  libc = await loadLibc();
});

const kernels: FakeKernel[] = [];
const closers: (() => void)[] = [];
const folders: string[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
  for (const kernel of kernels.splice(0)) kernel.end();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

interface Wanted {
  readonly devices?: { readonly [file: string]: FakeDevice };
  readonly labels?: readonly string[];
  readonly sysfsRoot?: string;
}

class HastyClock {
  #now = 0;
  /** Called with the time before each wait. */
  onWait: (now: number) => void = () => {};

  now(): number {
    return this.#now;
  }

  after(delayMs: number, action: () => void): () => void {
    this.onWait(this.#now);
    this.#now += delayMs;
    queueMicrotask(action);
    return () => {};
  }
}

function bench({
  devices = { gpiochip0: PI4, gpiochip1: EXPANDER },
  labels = ['pinctrl-rp1', 'pinctrl-bcm2711'],
  sysfsRoot = '/nowhere',
}: Wanted = {}) {
  const kernel = new FakeKernel(libc, devices);
  kernels.push(kernel);
  const warnings: string[] = [];
  const log = { info: () => {}, warn: (message: string) => warnings.push(message) };
  /** Nobody else is there: every wait is over at once. */
  const clock = new HastyClock();
  const open = () =>
    gpiochipLines(kernel, { labels, devRoot: kernel.devRoot, devices: Object.keys(devices), sysfsRoot, clock, log });
  return { kernel, warnings, clock, open };
}

/** Code and text of what the promise is rejected with. */
const refusal = async (promise: Promise<unknown>): Promise<[string, string]> =>
  promise.then(
    () => ['none', ''],
    (error: unknown) => (error instanceof HalError ? [error.code, error.message] : ['other', String(error)]),
  );

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('the chip', () => {
  it('is found by its label, and a link to it is no second one', async () => {
    const { open } = bench({ devices: { gpiochip0: PI4, gpiochip1: EXPANDER, gpiochip4: PI4 } });
    await expect(open()).resolves.toBeDefined();
  });

  it.each<[string, string, RegExp, Wanted]>([
    [
      'not there',
      'noSuchLine',
      /no GPIO chip is labelled pinctrl-rp1; found: pinctrl-bcm2711, raspberrypi-exp-gpio\. Set gpio\.chip/,
      { labels: ['pinctrl-rp1'] },
    ],
    [
      'there twice',
      'noSuchLine',
      /more than one/,
      { devices: { gpiochip0: PI4, gpiochip1: { ...PI4, name: 'gpiochip1' } } },
    ],
    ['looked for where there is no device', 'noSuchLine', /found: none/, { devices: {} }],
  ])('that is %s is an error (%s)', async (_name, code, text, wanted) => {
    const [actual, message] = await refusal(bench(wanted).open());
    expect(actual).toBe(code);
    expect(message).toMatch(text);
  });

  it.each(['EACCES', 'EPERM'])('that may not be opened (%s) names the group', async (code) => {
    const { kernel, open } = bench();
    kernel.down = code;
    const [actual, message] = await refusal(open());
    expect(actual).toBe('noPermission');
    expect(message).toMatch(/may not be opened\. Add the user to the group gpio/);
  });

  it('is waited for while udev has not given it to the group yet', async () => {
    const { kernel, clock, open } = bench();
    kernel.down = 'EACCES';
    clock.onWait = (now) => {
      if (now >= 9000) kernel.down = undefined;
    };
    await expect(open()).resolves.toBeDefined();
    expect(clock.now()).toBeGreaterThanOrEqual(9000);
  });
});

describe('an output', () => {
  it.each([
    [false, 0, 1],
    [true, 1, 0],
  ] as const)('has its off level when it is granted, and follows (activeLow %s)', async (activeLow, off, on) => {
    const { kernel, open } = bench();
    const granted: (number | undefined)[] = [];
    kernel.onGranted = (line) => granted.push(kernel.levels.get(line));
    const coil = await openOutput(await open(), { line: 17, activeLow });
    closers.push(() => coil.close());
    expect(granted).toEqual([off]);
    coil.write(true);
    expect(kernel.levels.get(17)).toBe(on);
    expect(kernel.isOpen(17)).toBe(true);
    coil.close();
    expect([kernel.levels.get(17), kernel.isOpen(17)]).toEqual([off, false]);
  });

  it('that is closed cannot reach the line that has its number now', async () => {
    const { kernel, open } = bench();
    const lines = await open();
    const first = await lines.openOutput(17, 0, {});
    first.close();
    const second = await lines.openOutput(18, 0, {});
    closers.push(() => second.close());
    expect(() => first.write(1)).toThrow('EBADF');
    expect(kernel.levels.get(18)).toBe(0);
  });

  it('that does not take its level is given back, and the wiring suspected', async () => {
    const { kernel, open } = bench();
    kernel.onGranted = () => kernel.levels.set(17, 1);
    const [code, message] = await refusal(openOutput(await open(), { line: 17 }));
    expect(code).toBe('badBoard');
    expect(message).toMatch(/pinctrl-bcm2711:17 was set to 0 and reads 1: .*wiring/);
    expect(kernel.isOpen(17)).toBe(false);
  });
});

describe('an input', () => {
  const opened = async (activeLow: boolean) => {
    const made = bench();
    const line = await openInput(await made.open(), { line: 6, activeLow });
    closers.push(() => line.close());
    const seen: boolean[] = [];
    let wake: () => void = () => {};
    line.onChange((on) => {
      seen.push(on);
      wake();
    });
    const told = () =>
      new Promise<void>((resolve) => {
        wake = resolve;
      });
    return { ...made, line, seen, told };
  };

  it.each([
    [false, [true, false]],
    [true, [false, true]],
  ])('tells each change (activeLow %s)', async (activeLow, values) => {
    const { kernel, line, seen, told } = await opened(activeLow);
    kernel.pull(6, 1, 1);
    await told();
    kernel.pull(6, 0, 2);
    await told();
    expect(seen).toEqual(values);
    expect(line.read()).toBe(values[1]);
  });

  it('tells where it ended when edges were lost, and warns once', async () => {
    const { kernel, warnings, seen, told } = await opened(false);
    kernel.pull(6, 1, 41);
    await told();
    kernel.pull(6, 0, 99);
    await told();
    expect(seen).toEqual([true, false]);
    expect(warnings).toEqual(['a GPIO line changes faster than it can be followed']);
  });

  it('does not warn while no edge is lost', async () => {
    const { kernel, warnings, told } = await opened(false);
    for (const [index, level] of ([1, 0, 1] as const).entries()) {
      kernel.pull(6, level, index + 1);
      await told();
    }
    expect(warnings).toEqual([]);
  });

  it('is given back when it is closed, and keeps its last value', async () => {
    const { kernel, line } = await opened(false);
    kernel.levels.set(6, 1);
    line.close();
    expect([line.read(), kernel.isOpen(6)]).toEqual([true, false]);
  });

  it('that is gone reaches whoever watches over the process, and is not read any more', async () => {
    const { kernel, line } = await opened(false);
    const thrown = new Promise<unknown>((resolve) => {
      // vitest listens, too, and would count it as a failure.
      const others = process.listeners('uncaughtException');
      process.removeAllListeners('uncaughtException');
      process.once('uncaughtException', (error) => {
        for (const listener of others) process.on('uncaughtException', listener);
        resolve(error);
      });
    });
    kernel.remove(6);
    await expect(thrown).resolves.toMatchObject({ code: 'noSuchLine', message: /pinctrl-bcm2711:6 is gone/ });
    kernel.down = undefined;
    expect(() => line.read()).toThrow(/is gone/);
    closers.length = 0;
    await turn();
  });
});

describe('a line', () => {
  it.each<[string, string, string, string | undefined, RegExp]>([
    ['that somebody has', 'EBUSY', 'lineBusy', 'spi0 CS0', /:17 is held by spi0 CS0\. End that program, .*config\.txt/],
    [
      'that somebody has who says nothing',
      'EBUSY',
      'lineBusy',
      '',
      /:17 is held by another driver or program\. See gpioinfo/,
    ],
    ['that may not be used', 'EPERM', 'noPermission', undefined, /group gpio/],
    ['that the kernel refuses', 'EINVAL', 'noSuchLine', undefined, /Correct the line number/],
    ['of a chip that is gone', 'ENODEV', 'noSuchLine', undefined, /chip was removed/],
    [
      'of a kernel before 5.10',
      'ENOTTY',
      'driverMissing',
      undefined,
      /older than Linux 5\.10\. Set gpio\.backend: sysfs/,
    ],
    ['that fails otherwise', 'EMFILE', 'lineBusy', undefined, /cannot be opened/],
  ])('%s (%s) is the error %s with a remedy', async (_name, errno, code, holder, text) => {
    const { kernel, open } = bench();
    kernel.refusals.set(17, errno);
    if (holder !== undefined) kernel.holders.set(17, holder);
    const [actual, message] = await refusal(openOutput(await open(), { line: 17 }));
    expect(actual).toBe(code);
    expect(message).toMatch(text);
  });

  it.each([58, -1, 1.5])('that the chip does not have (%d) is never asked for', async (line) => {
    const { kernel, open } = bench();
    const asked: number[] = [];
    kernel.onGranted = (of) => asked.push(of);
    const [code, message] = await refusal(openInput(await open(), { line }));
    expect(code).toBe('noSuchLine');
    expect(message).toContain('has the lines 0..57');
    expect(asked).toEqual([]);
  });

  describe('that was left exported in sysfs', () => {
    const sysfs = () => {
      const root = mkdtempSync(join(tmpdir(), 'sysfs-'));
      folders.push(root);
      const chip = join(root, 'class/gpio/gpiochip512');
      mkdirSync(chip, { recursive: true });
      for (const [name, text] of [
        ['label', PI4.label],
        ['base', '512'],
        ['ngpio', '58'],
      ] as const)
        writeFileSync(join(chip, name), `${text}\n`);
      return root;
    };

    it('is busy if it stays there, and was asked to go by its number', async () => {
      const root = sysfs();
      const { kernel, open, warnings } = bench({ sysfsRoot: root });
      kernel.refusals.set(17, 'EBUSY');
      kernel.holders.set(17, 'sysfs');
      const [code, message] = await refusal(openOutput(await open(), { line: 17 }));
      expect([code, warnings.length]).toEqual(['lineBusy', 1]);
      expect(message).toContain('is held by sysfs');
      expect(readFileSync(join(root, 'class/gpio/unexport'), 'utf8')).toBe('529');
    });

    it('is busy where there is no sysfs to take it from', async () => {
      const { kernel, open } = bench();
      kernel.refusals.set(17, 'EBUSY');
      kernel.holders.set(17, 'sysfs');
      expect((await refusal(openOutput(await open(), { line: 17 })))[0]).toBe('lineBusy');
    });
  });
});

describe('the back end', () => {
  it.each([
    [undefined, ['gpiochip0'], 'character-device'],
    ['auto', ['gpiochip0'], 'character-device'],
    ['auto', [], 'sysfs'],
    ['sysfs', ['gpiochip0'], 'sysfs'],
    ['onoff', ['gpiochip0'], 'sysfs'],
    ['character-device', [], 'character-device'],
  ] as const)('%s with the devices %j is %s', (backend, devices, chosen) => {
    expect(chosenBackend(backend === undefined ? {} : { backend }, devices)).toBe(chosen);
  });

  it('knows the devices by their names', () => {
    const folder = mkdtempSync(join(tmpdir(), 'dev-'));
    folders.push(folder);
    for (const name of ['gpiochip0', 'gpiochip12', 'gpiomem', 'gpiochip']) writeFileSync(join(folder, name), '');
    expect([...chipDevices(folder)].sort()).toEqual(['gpiochip0', 'gpiochip12']);
    expect(chipDevices(join(folder, 'nothing'))).toEqual([]);
  });
});

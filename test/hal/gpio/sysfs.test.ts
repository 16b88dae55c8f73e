/** Finding chips and channels in sysfs by what they are, not by their number. Plain files stand in for the kernel's. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { chipsOf, explained, globalNumber, loadOnoff } from '../../../hal/gpio/onoff-lines.ts';
import { notStarted, openPwm, PERIOD_NS, pulseOf, pwmChip } from '../../../hal/gpio/pwm.ts';
import { HalError } from '../../../hal/hal-error.ts';
import { VirtualClock } from '../../sim/virtual-clock.ts';

const roots: string[] = [];
afterEach(() => {
  for (const root of roots.splice(0)) rmSync(root, { recursive: true });
});

const sysfs = (files: { readonly [path: string]: string }, links: { readonly [path: string]: string } = {}) => {
  const root = mkdtempSync(join(tmpdir(), 'sysfs-'));
  roots.push(root);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(root, path, '..'), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  for (const [path, target] of Object.entries(links)) {
    mkdirSync(join(root, path, '..'), { recursive: true });
    symlinkSync(target, join(root, path));
  }
  return root;
};

const chip = (base: number, label: string, lines: number) => ({
  [`class/gpio/gpiochip${base}/label`]: `${label}\n`,
  [`class/gpio/gpiochip${base}/base`]: `${base}\n`,
  [`class/gpio/gpiochip${base}/ngpio`]: `${lines}\n`,
});

const code = (action: () => unknown): string | undefined => {
  try {
    action();
    return undefined;
  } catch (error) {
    return error instanceof HalError ? error.code : String(error);
  }
};

describe('GPIO numbers', () => {
  it('are base plus offset of the chip with the label (512 + 17 on a kernel of 6.6 or later)', () => {
    const chips = chipsOf(sysfs({ ...chip(512, 'pinctrl-bcm2711', 58), ...chip(570, 'raspberrypi-exp-gpio', 8) }));
    expect(globalNumber(chips, ['pinctrl-bcm2835', 'pinctrl-bcm2711'], 17)).toBe(529);
    expect(globalNumber(chips, ['raspberrypi-exp-gpio'], 7)).toBe(577);
  });

  it.each([
    ['a chip that is not there', 'pinctrl-rp1', 17],
    ['a label that two chips have', 'twice', 0],
    ['a line beyond the chip', 'pinctrl-bcm2711', 58],
    ['a line that is no number', 'pinctrl-bcm2711', 1.5],
  ])('do not exist for %s', (_name, label, line) => {
    const chips = chipsOf(
      sysfs({ ...chip(512, 'pinctrl-bcm2711', 58), ...chip(600, 'twice', 1), ...chip(601, 'twice', 1) }),
    );
    expect(code(() => globalNumber(chips, [label], line))).toBe('noSuchLine');
  });

  it('are none where the kernel has no GPIO in sysfs', () => {
    expect(chipsOf('/nonexistent')).toEqual([]);
  });
});

describe('a line that the kernel does not give', () => {
  it.each([
    ['EBUSY', 'lineBusy', 'See /sys/kernel/debug/gpio and config.txt'],
    ['EACCES', 'noPermission', 'Add the user to the group gpio and check the udev rules.'],
    ['EPERM', 'noPermission', 'Add the user to the group gpio and check the udev rules.'],
    ['EINVAL', 'noSuchLine', 'Correct the line number in the board file.'],
    ['ENOENT', 'driverMissing', 'this kernel has no GPIO in sysfs (CONFIG_GPIO_SYSFS)'],
    ['EROFS', 'noPermission', '/sys is read-only here. Run outside the container or mount it writable.'],
  ])('with %s is %s, with what to do', (errno, told, remedy) => {
    const error = Object.assign(new Error(errno), { code: errno });
    const { code: name, message, cause } = explained(error, 'pinctrl-bcm2711:17');
    expect([name, cause]).toEqual([told, error]);
    expect(message).toMatch(/^GPIO line pinctrl-bcm2711:17 /);
    expect(message).toContain(remedy);
  });

  it('keeps what was said about it already', () => {
    const error = new HalError('badBoard', 'pull cannot be set');
    expect(explained(error, 'pinctrl-bcm2711:17')).toBe(error);
  });

  it('is a missing driver where onoff was never compiled, with how to get it', async () => {
    const cause = new Error("Cannot find module '../build/Release/epoll.node'");
    await expect(loadOnoff(() => Promise.reject(cause))).rejects.toMatchObject({
      code: 'driverMissing',
      message: expect.stringMatching(/Install build-essential and python3, then run npm install onoff\.$/),
      cause,
    });
  });
});

const fan = { 'class/pwm/pwmchip0/device': '../../../107d517a80.pwm' };
const pilot = { 'class/pwm/pwmchip2/device': '../../../1f00098000.pwm' };

describe('PWM channel', () => {
  it('is found by its device, whatever its number', () => {
    const root = sysfs({}, { ...fan, ...pilot });
    expect(pwmChip(root, '1f00098000.pwm')).toBe(join(root, 'class/pwm/pwmchip2'));
    expect(pwmChip(root, '1f*.pwm')).toBe(join(root, 'class/pwm/pwmchip2'));
  });

  it.each(['*.pwm', '1f0009c000.pwm', '1f00098000xpwm', ''])('is not guessed: %j fits none or two', (device) => {
    const root = sysfs({}, { ...fan, ...pilot });
    expect(code(() => pwmChip(root, device))).toBe('noSuchPwm');
  });

  it.each([
    [53.3333, false, 533_333],
    [100, false, PERIOD_NS],
    [0, false, 0],
    [100, true, 0],
    [10, true, 900_000],
  ])('is high for the duty cycle: %d %% (inverted %s) is %d ns', (percent, inverted, ns) => {
    expect(pulseOf(percent, inverted)).toBe(ns);
  });

  const running = (values: { period: string; duty_cycle: string; enable: string }) =>
    sysfs(
      Object.fromEntries(Object.entries(values).map(([name, text]) => [`class/pwm/pwmchip2/pwm1/${name}`, text])),
      pilot,
    );

  it('goes to x1 when a process that died has left it running', async () => {
    const root = running({ period: '1000000\n', duty_cycle: '266667\n', enable: '1\n' });
    const pwm = await openPwm({ device: '1f*.pwm', channel: 1 }, { sysfsRoot: root, clock: new VirtualClock() });
    pwm.close();
    pwm.close();
    expect(readFileSync(join(root, 'class/pwm/pwmchip2/pwm1/duty_cycle'), 'utf8')).toBe('1000000');
  });

  it.each([
    ['EACCES', 'noPermission', 'Add the user to the group gpio and check the udev rules.'],
    ['EPERM', 'noPermission', 'Add the user to the group gpio and check the udev rules.'],
    ['EROFS', 'noPermission', 'mount it writable'],
    ['EBUSY', 'pwmBusy', 'dtparam=audio=off in config.txt), the overlay of a fan'],
    ['EINVAL', 'noSuchPwm', 'Check pwm.channel in the board file.'],
  ])('that the kernel refuses with %s is told as %s, with what to do', (errno, told, remedy) => {
    const error = Object.assign(new Error(errno), { code: errno });
    const { code: name, message, cause } = notStarted(error, { device: 'fe20c000.pwm', channel: 0 });
    expect([name, cause]).toEqual([told, error]);
    expect(message).toMatch(/^PWM channel 0 of fe20c000\.pwm /);
    expect(message).toContain(remedy);
  });

  it('rejects when the channel does not come up', async () => {
    const clock = new VirtualClock();
    const root = sysfs({ 'class/pwm/pwmchip2/export': '' }, pilot);
    const opening = openPwm({ device: '1f*.pwm', channel: 7 }, { sysfsRoot: root, clock }).then(
      () => 'open',
      (error: HalError) => error.code,
    );
    let outcome: string | undefined;
    void opening.then((how) => {
      outcome = how;
    });
    while (outcome === undefined) await clock.advance(1000);
    expect(outcome).toBe('noSuchPwm');
  });
});

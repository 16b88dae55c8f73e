/** The real board on a fake machine, by sysfs (unmodified onoff) and by the character device: what is driven, in which order, and how soon. */
import { describe, expect, it } from 'vitest';
import type { BoardDescription, GpioDescription } from '../../hal/board-description.ts';
import { FakeGpiochip } from './rigs/fake-gpiochip.ts';
import { FakeSysfs, numberOf } from './rigs/fake-sysfs.ts';
import {
  ABOVE,
  BUDGET_MS,
  boardOn,
  boardRigs,
  COIL,
  DUTY,
  EVSE,
  IDLE,
  MAINS,
  MIRROR,
  NEGATIVE,
  openingTimes,
  quantile,
  RELEASE_MS,
  type Rig,
  report,
  STOP,
  wired,
} from './support/board-rig.ts';

const CHIP = 'pinctrl-fake';
const ON_SYSFS: GpioDescription = { backend: 'sysfs', chip: CHIP };
const COIL_VALUE = `/gpio/gpio${numberOf(COIL)}/value`;

const { begin } = boardRigs();

/** [name, its description of a board, a machine of its own, what its log calls the level of the coil, asking for a line, giving it back] */
const BACKENDS = [
  ['sysfs', ON_SYSFS, () => new FakeSysfs(), COIL_VALUE, /^\/gpio\/export$/, /^\/gpio\/unexport$/],
  // Which one it is nobody says: there is a device.
  ['the character device', { chip: CHIP }, () => new FakeGpiochip(), `/line/${COIL}`, /^\/request\//, /^\/release\//],
] as const;

describe.each(BACKENDS)('the real board on %s', (name, gpio, machine, coil, asks, gives) => {
  const open = async (...before: string[]): Promise<Rig> => {
    const rig = begin({ machine: machine(), board: boardOn(gpio), coil, before: [...IDLE, ...before] });
    await rig.told({ ready: true });
    return rig;
  };
  it('starts the pilot with period, then x1, then enable', async () => {
    const rig = await open();
    const pwm = rig.machine.log
      .filter(({ what }) => what.startsWith('/pwm'))
      .map(({ what, value }) => `${what.slice(14)} ${value}`);
    expect(pwm.slice(0, 4)).toEqual(['export 0', 'pwm0/period 1000000', 'pwm0/duty_cycle 1000000', 'pwm0/enable 1']);
  });

  it('walks from plugging in to unplugging: one write for an offer, the coil off first when the EV leaves', async () => {
    const rig = await open(wired);
    await rig.charge();
    expect(rig.coil).toBe('1');
    expect(rig.writes(DUTY).at(-1)).toBe('266667');
    const before = rig.machine.log.length;
    rig.ev('A');
    await rig.told({ state: { pilot: 'A' } });
    const after = rig.machine.log.slice(before).filter(({ what }) => !what.startsWith('pull'));
    expect(after.map(({ what, value }) => `${what} ${value}`).slice(0, 2)).toEqual([`${coil} 0`, `${DUTY} 1000000`]);
  });

  it('opens within the budget when the EV leaves C', async () => {
    const rig = await open(wired);
    await rig.charge();
    for (let cycle = 0; cycle < 12; cycle++) {
      rig.ev('B');
      await rig.told({ state: { pilot: 'B', contactor: 'open' } });
      rig.ev('C');
      await rig.told({ state: { pilot: 'C', contactor: 'closed' } });
    }
    const times = openingTimes(
      rig.machine.log,
      coil,
      ({ what, value }) => what === `pull ${ABOVE[1]}` && value === '1',
    );
    report(`${name}: pilot leaves C -> coil off`, times);
    expect(times).toHaveLength(12);
    expect(quantile(times, 0.99) + RELEASE_MS).toBeLessThanOrEqual(BUDGET_MS);
  });

  it('opens at once for an emergency stop and for failing mains', async () => {
    const rig = await open(wired);
    await rig.charge();
    for (let cycle = 0; cycle < 8; cycle++) {
      rig.machine.pull(STOP, 1);
      await rig.told({ fault: 'emergencyStop', raised: true });
      expect(rig.coil).toBe('0');
      rig.machine.pull(STOP, 0);
      await rig.told({ fault: 'emergencyStop', raised: false });
      rig.say('offer');
      rig.say('permit');
      await rig.told({ state: { contactor: 'closed' } });
    }
    const times = openingTimes(rig.machine.log, coil, ({ what, value }) => what === `pull ${STOP}` && value === '1');
    report(`${name}: emergency stop -> coil off`, times);
    expect(times).toHaveLength(8);
    expect(quantile(times, 0.99) + RELEASE_MS).toBeLessThanOrEqual(BUDGET_MS);
    rig.machine.pull(MAINS, 1);
    await rig.told({ mains: 'failing' });
    expect(rig.coil).toBe('0');
  });

  it('takes the coil off when the contactor does not close', async () => {
    const rig = await open();
    rig.ev('B');
    await rig.told({ state: { pilot: 'B' } });
    rig.ev('C');
    await rig.told({ fault: 'contactorStuckOpen', raised: true });
    expect(rig.coil).toBe('0');
  });

  it('finds a welded contactor, and keeps it after it has come loose until it is reset', async () => {
    const rig = await open(wired);
    await rig.charge();
    rig.machine.control(`cut ${COIL}`);
    rig.ev('A');
    await rig.told({ fault: 'contactorWelded', raised: true });
    rig.machine.pull(MIRROR, 0);
    await rig.told({ state: { contactor: 'open' } });
    rig.say('reset');
    await rig.told({ fault: 'contactorWelded', raised: false });
  });

  it('refuses an EV without a diode', async () => {
    const rig = await open(wired, `pull ${NEGATIVE} 0`);
    rig.ev('C');
    await rig.told({ fault: 'diodeFault', raised: true });
    expect(rig.writes(coil)).not.toContain('1');
  });

  it('leaves an open contactor, x1 and no line behind when it is closed, and the process ends by itself', async () => {
    const rig = await open(wired);
    await rig.charge();
    rig.say('close');
    await rig.told({ closed: true });
    expect(await rig.exit).toBe(0);
    const times = (which: RegExp) => rig.machine.log.filter(({ what }) => which.test(what)).length;
    expect([times(asks), times(gives)]).toEqual([9, 9]);
    expect([rig.coil, rig.writes(DUTY).at(-1)]).toEqual(['0', '1000000']);
  });
});

describe('the real board on sysfs', () => {
  const start = (board: BoardDescription, ...before: string[]): Rig =>
    begin({ machine: new FakeSysfs(), board, coil: COIL_VALUE, before: [...IDLE, ...before] });
  const open = async (board: BoardDescription): Promise<Rig> => {
    const rig = start(board);
    await rig.told({ ready: true });
    return rig;
  };
  const BOARD = boardOn(ON_SYSFS);

  it('sets level and direction of the coil in one write, before anything else is driven', async () => {
    const rig = await open(BOARD);
    const driven = rig.machine.log
      .filter(({ what }) => /direction|value|pwm/.test(what))
      .map(({ what, value }) => `${what} ${value}`);
    expect(driven[0]).toBe(`/gpio/gpio${numberOf(COIL)}/direction low`);
    expect(rig.writes(`/gpio/gpio${numberOf(COIL)}/active_low`)).toEqual(['0']);
    expect(rig.writes(COIL_VALUE)).not.toContain('1');
  });

  it('never drives a coil that is on while its pin is low', async () => {
    const contactor = { ...EVSE.contactor, coil: { line: COIL, activeLow: true } };
    const rig = await open(boardOn(ON_SYSFS, { ...EVSE, contactor }));
    expect(rig.writes(`/gpio/gpio${numberOf(COIL)}/direction`)).toEqual(['high']);
    expect(rig.writes(COIL_VALUE)).not.toContain('0');
  });

  it('switches off what a process that died has left on, without a gap in the pilot', async () => {
    const left = [
      `cd /sys/class; echo ${numberOf(COIL)} >gpio/export; echo high >gpio/gpio${numberOf(COIL)}/direction;`,
      'echo 0 >pwm/pwmchip0/export; cd pwm/pwmchip0/pwm0;',
      'echo 1000000 >period; echo 266667 >duty_cycle; echo 1 >enable; cd /;',
    ];
    const rig = begin({
      machine: new FakeSysfs(),
      board: BOARD,
      coil: COIL_VALUE,
      before: [...IDLE, wired],
      left: left.join(' '),
    });
    await rig.told({ ready: true });
    expect(rig.writes(`/gpio/gpio${numberOf(COIL)}/direction`)).toEqual(['high', 'low']);
    expect(rig.writes(DUTY).slice(0, 2)).toEqual(['266667', '1000000']);
    expect(rig.writes(DUTY.replace('duty_cycle', 'enable'))).not.toContain('0');
  });

  const on = (chip: string): BoardDescription => boardOn({ backend: 'onoff', chip });
  const withPwm = (device: string): BoardDescription => boardOn(ON_SYSFS, { ...EVSE, pwm: { device, channel: 0 } });

  it.each<[string, string, RegExp, BoardDescription, string[]]>([
    ['a chip that is not there', 'noSuchLine', /pinctrl-rp1.*found: pinctrl-fake/, on('pinctrl-rp1'), []],
    ['a line that another driver holds', 'lineBusy', /pinctrl-fake:6 /, BOARD, [`busy ${STOP}`]],
    ['a line that it may not open', 'noPermission', /group gpio/, BOARD, [`deny ${MIRROR}`]],
    ['a PWM channel that somebody holds', 'pwmBusy', /PWM channel 0 .*dtparam=audio=off/, BOARD, ['hold 0']],
    ['a PWM chip that is not there', 'noSuchPwm', /found: fake\.pwm/, withPwm('1f00098000.pwm'), []],
  ])('names %s (%s) and leaves the coil off', async (_name, code, message, board, before) => {
    const rig = start(board, ...before);
    expect((await rig.told({ error: code }))['message']).toMatch(message);
    expect(await rig.exit).toBe(0);
    expect(rig.coil ?? '0').toBe('0');
    const refused = before.some((command) => /^(busy|deny) /.test(command)) ? 1 : 0;
    expect(rig.writes('/gpio/unexport')).toHaveLength(rig.writes('/gpio/export').length - refused);
  });
});

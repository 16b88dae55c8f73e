/** The GPIO character device: every byte that goes to the kernel, and what the agent makes of its refusals. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { BoardDescription, ComparatorPilotEvseDescription, GpioDescription } from '../../hal/board-description.ts';
import {
  ATTRIBUTE,
  CHIP_INFO,
  GPIO_GET_CHIPINFO,
  GPIO_V2_GET_LINE,
  GPIO_V2_GET_LINEINFO,
  GPIO_V2_GET_VALUES,
  GPIO_V2_SET_VALUES,
  LINE_CONFIG,
  LINE_EVENT,
  LINE_INFO,
  LINE_REQUEST,
  LINE_VALUES,
} from '../../hal/linux/gpio-uapi.ts';
import { FakeGpiochip } from './rigs/fake-gpiochip.ts';
import { numberOf } from './rigs/fake-sysfs.ts';
import { boardOn, boardRigs, COIL, EVSE, IDLE, MIRROR, type Rig, STOP, wired } from './support/board-rig.ts';

const GPIO: GpioDescription = { chip: ['pinctrl-rp1', 'pinctrl-fake'] };
const COIL_LEVEL = `/line/${COIL}`;

const { begin } = boardRigs();

const start = (
  board: BoardDescription,
  before: readonly string[] = [],
  more: { left?: string; tracer?: string[] } = {},
): Rig => begin({ machine: new FakeGpiochip(), board, coil: COIL_LEVEL, before: [...IDLE, ...before], ...more });

const contactorWith = (
  contactor: Partial<ComparatorPilotEvseDescription['contactor']>,
): ComparatorPilotEvseDescription => ({
  ...EVSE,
  contactor: { ...EVSE.contactor, ...contactor },
});

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});
const scratch = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'gpio-uapi-'));
  folders.push(folder);
  return folder;
};

/** What the C compiler makes of these expressions. */
function inC(expressions: readonly string[]): readonly number[] {
  const folder = scratch();
  const lines = expressions.map((expression) => `printf("%llu\\n", (unsigned long long)(${expression}));`).join('\n');
  const program = join(folder, 'facts');
  execFileSync('cc', ['-x', 'c', '-o', program, '-'], {
    input: `#include <linux/gpio.h>\n#include <stddef.h>\n#include <stdio.h>\nint main(void) {\n${lines}\n}\n`,
  });
  return execFileSync(program, { encoding: 'utf8' }).trim().split('\n').map(Number);
}

describe('the structures of the GPIO character device', () => {
  it.each<
    [string, { readonly size: number; readonly [member: string]: number }, { readonly [member: string]: string }]
  >([
    ['gpiochip_info', CHIP_INFO, { name: 'name', label: 'label', lines: 'lines' }],
    ['gpio_v2_line_info', LINE_INFO, { name: 'name', consumer: 'consumer', offset: 'offset', flags: 'flags' }],
    [
      'gpio_v2_line_request',
      LINE_REQUEST,
      { offsets: 'offsets', consumer: 'consumer', config: 'config', lines: 'num_lines', fd: 'fd' },
    ],
    ['gpio_v2_line_config', LINE_CONFIG, { flags: 'flags', attributes: 'num_attrs', attribute: 'attrs' }],
    ['gpio_v2_line_config_attribute', ATTRIBUTE, { id: 'attr.id', value: 'attr.values', mask: 'mask' }],
    ['gpio_v2_line_values', LINE_VALUES, { bits: 'bits', mask: 'mask' }],
    ['gpio_v2_line_event', LINE_EVENT, { lineSequence: 'line_seqno' }],
  ])('%s is as the header of the kernel has it', (structure, layout, members) => {
    const { size, ...offsets } = layout;
    expect(Object.keys(members).sort()).toEqual(Object.keys(offsets).sort());
    const names = Object.keys(members);
    const facts = inC([
      `sizeof(struct ${structure})`,
      ...names.map((name) => `offsetof(struct ${structure}, ${members[name]})`),
    ]);
    expect(facts).toEqual([size, ...names.map((name) => offsets[name])]);
  });

  it('are asked for by the numbers of the header', () => {
    expect(
      inC([
        'GPIO_GET_CHIPINFO_IOCTL',
        'GPIO_V2_GET_LINEINFO_IOCTL',
        'GPIO_V2_GET_LINE_IOCTL',
        'GPIO_V2_LINE_GET_VALUES_IOCTL',
        'GPIO_V2_LINE_SET_VALUES_IOCTL',
      ]),
    ).toEqual([GPIO_GET_CHIPINFO, GPIO_V2_GET_LINEINFO, GPIO_V2_GET_LINE, GPIO_V2_GET_VALUES, GPIO_V2_SET_VALUES]);
  });
});

describe('a board on the GPIO character device', () => {
  it('asks for the coil with direction, polarity and level in one request, as strace reads it', async () => {
    const trace = join(scratch(), 'trace');
    const board = boardOn(
      GPIO,
      contactorWith({ coil: { line: COIL, activeLow: true }, mirror: { line: MIRROR, pull: 'up', debounceMs: 2 } }),
    );
    const rig = start(board, [], {
      tracer: ['strace', '-f', '-v', '-e', 'trace=ioctl', '-e', 'signal=none', '-o', trace],
    });
    await rig.told({ ready: true }, 20_000);
    const calls = readFileSync(trace, 'utf8')
      .split('\n')
      .filter((line) => line.includes('GPIO'))
      .map((line) => line.replace(/^\d+\s+ioctl\(\d+, /, '').replace(/fd=\d+/, 'fd=N'));
    const request = (rest: string) => `GPIO_V2_GET_LINE_IOCTL, {num_lines=1, ${rest} => {fd=N}) = 0`;
    const output =
      'config={flags=GPIO_V2_LINE_FLAG_ACTIVE_LOW|GPIO_V2_LINE_FLAG_OUTPUT, num_attrs=1, attrs=[{values=0, mask=0x1}]}}';
    const edges = 'GPIO_V2_LINE_FLAG_INPUT|GPIO_V2_LINE_FLAG_EDGE_RISING|GPIO_V2_LINE_FLAG_EDGE_FALLING';
    expect(calls.slice(0, 4)).toEqual([
      'GPIO_GET_CHIPINFO_IOCTL, {name="gpiochip0", label="pinctrl-fake", lines=54}) = 0',
      request(`offsets=[${COIL}], consumer="chargepoint", ${output}`),
      'GPIO_V2_LINE_GET_VALUES_IOCTL, {mask=0x1} => {bits=0}) = 0',
      request(
        `offsets=[${MIRROR}], consumer="chargepoint", config={flags=${edges}|GPIO_V2_LINE_FLAG_BIAS_PULL_UP, num_attrs=1, attrs=[{debounce_period_us=2000, mask=0x1}]}}`,
      ),
    ]);
    expect(calls).toContain(
      request(`offsets=[${STOP}], consumer="chargepoint", config={flags=${edges}, num_attrs=0}}`),
    );
  });

  it.each([
    [false, '0', '1'],
    [true, '1', '0'],
  ])('never drives a coil that is on before somebody charges (activeLow %s)', async (activeLow, off, on) => {
    const rig = start(boardOn(GPIO, contactorWith({ coil: { line: COIL, activeLow } })));
    await rig.told({ ready: true });
    const driven = rig.machine.log.filter(({ what }) => /^\/(line|pwm)/.test(what));
    expect(driven[0]).toMatchObject({ what: COIL_LEVEL, value: off });
    expect(rig.writes(COIL_LEVEL)).not.toContain(on);
    rig.say('close');
    await rig.told({ closed: true });
    expect(rig.writes(COIL_LEVEL)).not.toContain(on);
    expect(await rig.exit).toBe(0);
  });

  it('takes over what an agent that used sysfs has left exported, and switches it off', async () => {
    const number = numberOf(COIL);
    const left = `echo ${number} >/sys/class/gpio/export; echo high >/sys/class/gpio/gpio${number}/direction;`;
    const rig = start(boardOn(GPIO), [], { left });
    await rig.told({ warn: 'a GPIO line was left exported in sysfs and is taken from there' });
    await rig.told({ ready: true });
    expect(rig.writes('/gpio/unexport')).toEqual([String(number)]);
    expect(rig.coil).toBe('0');
  });

  it('opens for an emergency stop whose first edges the kernel had to throw away, and says so once', async () => {
    const rig = start(boardOn(GPIO), [wired]);
    await rig.told({ ready: true });
    await rig.charge();
    rig.machine.control(`bounce ${STOP} 41`);
    await rig.told({ warn: 'a GPIO line changes faster than it can be followed' });
    await rig.told({ fault: 'emergencyStop', raised: true });
    expect(rig.coil).toBe('0');
  });

  it('does not live on when a line is gone that it has to watch', async () => {
    const rig = start(boardOn(GPIO), [wired]);
    await rig.told({ ready: true });
    rig.machine.control('remove 0');
    expect(await rig.exit).toBe(1);
    expect(rig.errors).toMatch(/GPIO line pinctrl-fake:\d+ is gone: its chip was removed/);
  });

  it.each<[string, string, RegExp, BoardDescription, string[]]>([
    [
      'a chip that is not there',
      'noSuchLine',
      /pinctrl-bcm2711; found: pinctrl-fake/,
      boardOn({ chip: 'pinctrl-bcm2711' }),
      [],
    ],
    ['that it is no Raspberry Pi', 'noSuchLine', /pinctrl-rp1; found: pinctrl-fake.*gpio\.chip/, boardOn({}), []],
    [
      'who holds a line',
      'lineBusy',
      /pinctrl-fake:6 is held by spi0_CS0\. .*config\.txt/,
      boardOn(GPIO),
      [`hold ${STOP} spi0_CS0`],
    ],
    ['a line that it may not use', 'noPermission', /pinctrl-fake:27 .*group gpio/, boardOn(GPIO), [`deny ${MIRROR}`]],
    [
      'a line beyond the chip',
      'noSuchLine',
      /lines 0\.\.53, not 54/,
      boardOn(GPIO, contactorWith({ mirror: { line: 54 } })),
      [],
    ],
  ])('names %s (%s) and leaves the coil off and every line free', async (_name, code, message, board, before) => {
    const rig = start(board, before);
    expect((await rig.told({ error: code }))['message']).toMatch(message);
    expect(await rig.exit).toBe(0);
    expect(rig.coil ?? '0').toBe('0');
    const count = (what: RegExp) => rig.machine.log.filter((entry) => what.test(entry.what)).length;
    expect(count(/^\/release/)).toBe(count(/^\/request/));
  });
});

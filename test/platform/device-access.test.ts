/** The agent of the service reaches every device that a driver opens, and no other: the udev rules and the unit against the sources of hal. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../..');
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const UNIT = read('systemd/chargepoint.service');

interface DeviceClass {
  /** As in /proc/devices, which DeviceAllow= reads. */
  readonly allowed: string;
  readonly subsystem: string;
  /** A node of it, as the kernel calls it. */
  readonly node: string;
  readonly access: 'r' | 'rw';
}

const TTYS = ['ttyUSB', 'ttyACM', 'ttyAMA', 'ttyS'].map(
  (name): DeviceClass => ({ allowed: name, subsystem: 'tty', node: `${name}0`, access: 'rw' }),
);

/** What each source of hal opens in /dev. */
const OPENED: { readonly [source: string]: readonly DeviceClass[] } = {
  'hal/gpio/gpiochip-lines.ts': [{ allowed: 'gpiochip', subsystem: 'gpio', node: 'gpiochip0', access: 'rw' }],
  'hal/linux/spi.ts': [{ allowed: 'spi', subsystem: 'spidev', node: 'spidev0.0', access: 'rw' }],
  'hal/modbus/serial-port.ts': TTYS,
  'hal/rfid/keyboard-wedge.ts': [{ allowed: 'input', subsystem: 'input', node: 'event3', access: 'r' }],
};

/** Flags of open() stand where a device is opened; files of sysfs take the names of Node ('r', 'w'). */
const OPENS = /constants\.(O_RDWR|O_RDONLY|O_WRONLY)|new SerialPort\(/g;

const sources = (folder: string): readonly string[] =>
  readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    return entry.isDirectory() ? sources(path) : path.endsWith('.ts') ? [path] : [];
  });

interface Rule {
  readonly subsystem: string | undefined;
  readonly kernel: string | undefined;
  readonly group: string | undefined;
  readonly mode: string | undefined;
  readonly run: string | undefined;
}

const RULES = read('systemd/60-chargepoint.rules')
  .split('\n')
  .filter((line) => line.startsWith('SUBSYSTEM'))
  .map((line): Rule => {
    const value = (key: string): string | undefined => new RegExp(`\\b${key}\\+?==?"([^"]*)"`).exec(line)?.[1];
    const [subsystem, kernel, group, mode, run] = ['SUBSYSTEM', 'KERNEL', 'GROUP', 'MODE', 'RUN'].map(value);
    return { subsystem, kernel, group, mode, run };
  });

/** A pattern of udev: `*`, `[0-9]` and `|`. */
const fits = (pattern: string | undefined, name: string): boolean =>
  pattern === undefined || new RegExp(`^(${pattern.replaceAll('.', '\\.').replaceAll('*', '.*')})$`).test(name);

const ruleFor = ({ subsystem, node }: DeviceClass): Rule | undefined =>
  RULES.find((rule) => rule.subsystem === subsystem && rule.group !== undefined && fits(rule.kernel, node));

const GROUPS = /^SupplementaryGroups=(.*)$/m.exec(UNIT)?.[1]?.split(' ') ?? [];
const ALLOWED = [...UNIT.matchAll(/^DeviceAllow=char-(\S+) (\S+)$/gm)].map(([, name = '', access = '']) => ({
  name,
  access,
}));
const CLASSES = Object.values(OPENED).flat();

describe('the devices of the service', () => {
  it('are those that the sources of hal open, each as it is opened', () => {
    const found = sources('hal').filter((path) => !path.startsWith('hal/mock/') && read(path).search(OPENS) >= 0);
    expect(found.sort()).toEqual(Object.keys(OPENED).sort());
    for (const [source, classes] of Object.entries(OPENED)) {
      const onlyReads = [...read(source).matchAll(OPENS)].every(([, flag]) => flag === 'O_RDONLY');
      expect(new Set(classes.map(({ access }) => access)), source).toEqual(new Set([onlyReads ? 'r' : 'rw']));
    }
  });

  it.each(CLASSES.map((each) => [each.node, each] as const))('%s has a group in which the agent is', (_node, each) => {
    const rule = ruleFor(each);
    expect(rule, `no rule for ${each.node}`).toBeDefined();
    expect(rule?.mode).toBe('0660');
    expect(GROUPS).toContain(rule?.group);
  });

  it('are let through by the unit, with no more access than a driver wants, and no others', () => {
    expect(UNIT).toMatch(/^DevicePolicy=closed$/m);
    const wanted = CLASSES.map(({ allowed, access }) => ({ name: allowed, access }));
    const byName = (a: { name: string }, b: { name: string }): number => a.name.localeCompare(b.name);
    expect(ALLOWED.toSorted(byName)).toEqual(wanted.toSorted(byName));
    expect([...UNIT.matchAll(/^DeviceAllow=/gm)]).toHaveLength(wanted.length);
  });

  it('have no group without a rule that gives it something', () => {
    expect(GROUPS.toSorted()).toEqual([...new Set(RULES.flatMap(({ group }) => group ?? []))].toSorted());
  });

  it('and the files of sysfs that are written belong to a group of the agent, too', () => {
    for (const subsystem of ['pwm', 'gpio']) {
      const run = RULES.find((rule) => rule.subsystem === subsystem && rule.run !== undefined)?.run;
      expect(/chgrp -R (\w+) /.exec(run ?? '')?.[1], subsystem).toBe('gpio');
    }
  });

  it('would be missed: another device class, another driver', () => {
    expect(ruleFor({ allowed: 'hidraw', subsystem: 'hidraw', node: 'hidraw0', access: 'rw' })).toBeUndefined();
    expect(ruleFor({ allowed: 'ttySC', subsystem: 'tty', node: 'ttySC0', access: 'rw' })).toBeUndefined();
  });
});

/** What `check` says about a machine that would keep a contactor closed after the agent. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BoardDescription } from '../../hal/board-description.ts';
import { exitChainWarnings } from '../../src/platform/exit-chain.ts';
import { controllerFile } from '../hal/modbus/controller-maps.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'exit-chain-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const put = (path: string, text: string): void => {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
};
const line = (number: number) => ({ line: number });

const OWN_PILOT: BoardDescription = {
  name: 'own pilot',
  gpio: {},
  connectors: [
    {
      id: 1,
      maxA: 32,
      phases: 3,
      evse: {
        driver: 'comparatorPilot',
        pwm: { device: '*.pwm', channel: 0 },
        comparators: { above10V5: line(1), above7V5: line(2), above4V5: line(3), above1V5: line(4) },
        contactor: { coil: line(17), mirror: line(27), releaseMs: 30 },
      },
    },
  ],
};
const CONTROLLER: BoardDescription = {
  name: 'controller',
  connectors: [
    {
      id: 1,
      maxA: 32,
      phases: 3,
      evse: {
        driver: 'controller',
        model: 'evse-wb-din',
        map: controllerFile('evse-wb-din'),
        bus: { port: '/dev/evse' },
        unit: 1,
      },
    },
  ],
};

const said = (board = OWN_PILOT) =>
  exitChainWarnings(board, { root, path: `/nowhere:${join(root, 'tools')}` }).map((text) =>
    text.split(/[,:(]/)[0]?.trim(),
  );

const KEEPS = 'the kernel keeps lines driven after a process has died';
const NO_TOOLS = 'there is neither gpioset nor GPIO in sysfs';
const NO_WATCHDOG = 'the hardware watchdog is off';

describe('the exit chain', () => {
  it('has nothing to say about a kernel that lets go, with the tools and a watchdog', () => {
    put('sys/module/pinctrl_bcm2835/parameters/persist_gpio_outputs', 'N\n');
    put('sys/class/watchdog/watchdog0/state', 'active\n');
    put('tools/gpioset', '');
    expect(said()).toEqual([]);
  });

  it.each(['pinctrl_bcm2835', 'pinctrl_rp1'])(
    'names a kernel whose %s keeps lines driven, and strict_gpiod',
    (module) => {
      put(`sys/module/${module}/parameters/persist_gpio_outputs`, 'Y\n');
      put('tools/gpioset', '');
      expect(said()).toEqual([KEEPS]);
      expect(exitChainWarnings(OWN_PILOT, { root })[0]).toMatch(new RegExp(`${module}.*dtparam=strict_gpiod`));
    },
  );

  it('misses what contactor-open works with, unless sysfs has GPIO', () => {
    expect(said()).toEqual([NO_TOOLS]);
    put('sys/class/gpio/export', '');
    expect(said()).toEqual([]);
  });

  it('asks for the hardware watchdog where there is one that is off', () => {
    put('sys/class/watchdog/watchdog0/state', 'inactive\n');
    put('tools/gpioset', '');
    expect(said()).toEqual([NO_WATCHDOG]);
  });

  it('does not speak of lines to a board that drives none', () => {
    put('sys/module/pinctrl_rp1/parameters/persist_gpio_outputs', 'Y\n');
    put('sys/class/watchdog/watchdog0/state', 'inactive\n');
    expect(said(CONTROLLER)).toEqual([NO_WATCHDOG]);
  });
});

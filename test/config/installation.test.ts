/** `installation` in the configuration file: what the electrician has connected around the box. */

import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { nodeFiles } from '../../src/platform/files.ts';
import { bench, LAB_USE, lab, load, SHIPPED } from './support.ts';

const LAB = nodeFiles.read(join(SHIPPED, 'boards/raspberry-pi-lab.yaml'));
const meter = { model: 'eastron-sdm630', bus: { port: '/dev/ttyUSB0' }, unit: 3 };
const onBench = (installation: unknown, more: object = {}) => load({ ...bench, ...more, installation });
const onBoard = (installation: unknown, more: object = {}) => load({ ...lab, ...more, installation });

/** The laboratory board with a dimming contact. */
const onDimmedBoard = (installation: unknown) =>
  load(
    { ...lab, board: './board.yaml', installation },
    { '/etc/chargepoint/board.yaml': `${LAB}\ndimming: { line: 3 }\n` },
  );

describe('the installation', () => {
  const defaults = { nominalV: 230, phases: 3, safeA: 6, randomDelayS: 0, phaseSwitchEveryS: 60 };

  it.each([undefined, null, {}])('has only defaults when it is %j', (given) => {
    const { config, errors, warnings } = given === undefined ? load(bench) : onBench(given);
    expect([errors, warnings]).toEqual([[], []]);
    expect(config?.installation).toEqual(defaults);
  });

  it('is taken as it stands there', () => {
    const given = {
      nominalV: 240.5,
      phases: 3,
      fuseA: 63,
      safeA: 0,
      randomDelayS: 600,
      rampAPerMinute: 0.5,
      phaseSwitchEveryS: 300,
      gridConnection: { fuseA: 35 },
      dimming: { limitW: 4200 },
    };
    const { config, errors, warnings } = onBench(given);
    expect([errors, warnings]).toEqual([[], []]);
    expect(config?.installation).toEqual(given);
  });

  it('has as many phases as the connector that has the most', () => {
    const connector = (id: number, phases: 1 | 3) => ({ id, cable: 'attached', phases });
    const phasesOf = (...connectors: object[]) => load({ ...bench, connectors }).config?.installation.phases;
    expect(phasesOf(connector(1, 1))).toBe(1);
    expect(phasesOf(connector(1, 1), connector(2, 3))).toBe(3);
  });

  it('with one phase has no connector with three', () => {
    const { config, errors } = onBench({ phases: 1 });
    expect(config).toBeUndefined();
    expect(errors.join()).toMatch(
      /^chargepoint\.yaml:\d+:5 installation\.phases: is 1, but connector 1 has 3\n {4}connectors\[0\]\.phases: 1$/,
    );
    const single = { connectors: [{ id: 1, cable: 'socket', phases: 1 }] };
    expect(onBench({ phases: 1 }, single).config?.installation.phases).toBe(1);
    expect(onBench({ phases: 3 }, single).config?.installation.phases).toBe(3);
  });

  it('may have a fuse that is smaller than what a connector carries', () => {
    const { config, errors, warnings } = onBench({ fuseA: 16 });
    expect([errors, warnings]).toEqual([[], []]);
    expect(config?.installation.fuseA).toBe(16);
  });

  it.each([
    [{ nominalV: 99 }, 'installation.nominalV: is 99, expected a number from 100 to 250 V'],
    [{ nominalV: '230' }, 'installation.nominalV: is "230", expected a number from 100 to 250 V'],
    [{ phases: 2 }, 'installation.phases: is 2, expected one of 1, 3'],
    [{ fuseA: 5.9 }, 'installation.fuseA: is 5.9, expected a number from 6 to 1000 A'],
    [{ safeA: 81 }, 'installation.safeA: is 81, expected a number from 0 to 80 A'],
    [{ randomDelayS: 1801 }, 'installation.randomDelayS: is 1801, expected a whole number from 0 to 1800 s'],
    [{ randomDelayS: 0.5 }, 'installation.randomDelayS: is 0.5, expected a whole number from 0 to 1800 s'],
    [{ rampAPerMinute: 0 }, 'installation.rampAPerMinute: is 0, expected a number from 0.1 to 100 A'],
    [{ phaseSwitchEveryS: 9 }, 'installation.phaseSwitchEveryS: is 9, expected a whole number from 10 to 86400 s'],
    [{ gridConnection: {} }, 'installation.gridConnection.fuseA: is missing, expected a number from 6 to 1000 A'],
    [{ dimming: { limitW: -1 } }, 'installation.dimming.limitW: is -1, expected a whole number from 0 to 1000000 W'],
    [{ dimming: {} }, 'installation.dimming.limitW: is missing, expected a whole number from 0 to 1000000 W'],
    [{ fuse: 32 }, 'installation.fuse: is unknown\n    did you mean fuseA?'],
    [[], 'installation: is a list, expected an object'],
  ])('%j is an error with its place', (wrong, expected) => {
    const { config, errors } = onBench(wrong);
    expect(config).toBeUndefined();
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatch(/^chargepoint\.yaml:\d+:\d+ /);
    expect(errors[0]).toContain(expected);
  });
});

describe('the meter of the grid connection', () => {
  it('is needed on a real board', () => {
    const { config, errors } = onBoard({ gridConnection: { fuseA: 35 } });
    expect(config).toBeUndefined();
    expect(errors.join()).toMatch(
      /^chargepoint\.yaml:\d+:5 installation\.gridConnection\.meter: is missing, expected the energy meter of the whole house\n {4}meter: /,
    );
  });

  it('is read as that of a connector is, its bus named or given', () => {
    const given = onBoard({ gridConnection: { fuseA: 35, meter } });
    expect(given.errors).toEqual([]);
    expect(given.config?.installation.gridConnection).toMatchObject({
      fuseA: 35,
      meter: { model: 'eastron-sdm630', map: { quantities: {} }, bus: { port: '/dev/ttyUSB0' }, unit: 3 },
    });
    const buses = { rs485: { port: '/dev/ttyS0', baudRate: 19200 } };
    const named = (bus: string) => onBoard({ gridConnection: { fuseA: 35, meter: { ...meter, bus } } }, { buses });
    expect(named('rs485').config?.installation.gridConnection?.meter?.bus).toEqual(buses.rs485);
    expect(named('rs458').errors.join()).toMatch(
      /^chargepoint\.yaml:\d+:\d+ installation\.gridConnection\.meter\.bus: is rs458, .*\n {4}did you mean rs485\?/,
    );
  });

  it('of a model that nobody knows is an error with its place', () => {
    const { errors } = onBoard({ gridConnection: { fuseA: 35, meter: { ...meter, model: 'easton' } } });
    expect(errors.join()).toMatch(
      /^chargepoint\.yaml:\d+:\d+ installation\.gridConnection\.meter\.model: cannot read the register map of the meter easton/,
    );
  });

  it('is ignored with a warning on the mock board, which has one of its own', () => {
    const { config, errors, warnings } = onBench({ gridConnection: { fuseA: 35, meter } });
    expect(errors).toEqual([]);
    expect(config?.installation.gridConnection).toEqual({ fuseA: 35 });
    expect(warnings.join()).toMatch(/^chargepoint\.yaml:\d+:\d+ installation\.gridConnection\.meter: is ignored/);
  });
});

describe('dimming', () => {
  it('on a real board without the contact is an error', () => {
    const { config, errors } = onBoard({ dimming: { limitW: 4200 } });
    expect(config).toBeUndefined();
    expect(errors.join()).toMatch(
      /^chargepoint\.yaml:\d+:5 installation\.dimming: is set, but the board .* has no dimming contact\n {4}add its line/,
    );
  });

  it('is taken where the board has the contact', () => {
    const { config, errors, warnings } = onDimmedBoard({ dimming: { limitW: 4200 } });
    expect([errors, warnings]).toEqual([[], [LAB_USE]]);
    expect(config?.installation.dimming).toEqual({ limitW: 4200 });
  });

  it('is asked for with a warning where the board has the contact and nobody says what it allows', () => {
    const { config, warnings } = onDimmedBoard({});
    expect(config?.installation.dimming).toBeUndefined();
    expect(warnings.join()).toMatch(
      /installation\.dimming: is missing: .* changes nothing\n {4}dimming: \{ limitW: 4200 \}/,
    );
  });
});

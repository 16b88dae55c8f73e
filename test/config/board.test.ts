/** Board and meter files: the shipped ones load, and what would be unsafe is refused with its place. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { nodeFiles } from '../../src/platform/files.ts';
import { lab, load, SHIPPED } from './support.ts';

const LAB = nodeFiles.read(join(SHIPPED, 'boards/raspberry-pi-lab.yaml'));
const withBoard = (text: string, main: object = lab) =>
  load({ ...main, board: './board.yaml' }, { '/etc/chargepoint/board.yaml': text });

describe('the shipped files', () => {
  it.each(readdirSync(join(SHIPPED, 'meters')).filter((name) => name.endsWith('.yaml')))('meters/%s loads', (name) => {
    const model = name.replace('.yaml', '');
    const { config, errors } = load({
      ...lab,
      connectors: [{ id: 1, cable: 'attached', meter: { model, bus: { port: '/dev/x' }, unit: 1 } }],
    });
    expect(errors).toEqual([]);
    expect(config?.connectors[0]?.meter?.map.quantities.energyImport).toBeDefined();
  });

  it.each(readdirSync(join(SHIPPED, 'boards')).filter((name) => name.endsWith('.yaml')))('boards/%s loads', (name) => {
    const { config, errors } = load({ ...lab, board: name.replace('.yaml', '') });
    expect(errors).toEqual([]);
    expect(config?.board).toMatchObject({ connectors: [{ id: 1 }] });
  });

  it('chargepoint.yaml loads without a warning', () => {
    const { config, errors, warnings } = load(nodeFiles.read(join(SHIPPED, 'chargepoint.yaml')));
    expect([errors, warnings]).toEqual([[], []]);
    expect(config?.bench?.port).toBe(9001);
  });
});

describe('a board', () => {
  it('that opens too slowly is refused: sampling, filter, write and release within 100 ms', () => {
    expect(withBoard(LAB.replace('releaseMs: 30', 'releaseMs: 40')).errors).toEqual([]);
    const { config, errors } = withBoard(LAB.replace('releaseMs: 30', 'releaseMs: 41'));
    expect(config).toBeUndefined();
    expect(errors.join()).toMatch(
      /board\.yaml:\d+:\d+ connectors\[0\]\.evse\.contactor\.releaseMs: .* = 101 ms, expected at most 100 ms/,
    );
  });

  it('counts the filter at its slowest, whatever filterMs says', () => {
    const text = LAB.replace('filterMs: 20', 'filterMs: 0').replace('releaseMs: 30', 'releaseMs: 41');
    expect(withBoard(text).errors.join()).toContain('= 101 ms');
  });

  it('with one line for two things is refused', () => {
    const { errors } = withBoard(LAB.replace('above10V5: { line: 5 }', 'above10V5: { line: 17 }'));
    expect(errors.join()).toMatch(/line 17 is taken by .*comparators\.above10V5/);
  });

  describe('with more than a contactor', () => {
    const withMore = (more: string) => withBoard(LAB.replace('    phases: 3\n', `    phases: 3\n${more}`));
    const SWITCH = '    phaseSwitch: { onePhase: { line: 7 }, feedback: { line: 8, activeLow: true } }\n';

    it('yields the phase switch, the thermometer and the dimming contact', () => {
      const thermometer =
        '    thermometer: { file: /sys/bus/w1/devices/28-0/temperature, steps: [{ fromC: 50, factor: 0.5 }], stopC: 60 }\n';
      const { config, errors } = withBoard(
        `${LAB.replace('    phases: 3\n', `    phases: 3\n${SWITCH}${thermometer}`)}dimming: { line: 9, activeLow: true }\n`,
        { ...lab, installation: { dimming: { limitW: 4200 } } },
      );
      expect(errors).toEqual([]);
      expect(config?.board).toMatchObject({
        dimming: { line: 9, activeLow: true },
        connectors: [
          {
            phaseSwitch: { onePhase: { line: 7 }, feedback: { line: 8, activeLow: true } },
            thermometer: { steps: [{ fromC: 50, factor: 0.5 }], stopC: 60 },
          },
        ],
      });
    });

    it.each([
      [
        'an EVSE controller',
        /evse:\n(?: {6}.*\n)+/,
        'evse: { driver: controller, model: evse-wb, bus: { port: /dev/x }, unit: 1 }\n',
      ],
      ['one phase', 'phases: 3', 'phases: 1'],
    ])('refuses a phase switch on %s', (_what, from, to) => {
      const text = LAB.replace('    phases: 3\n', `    phases: 3\n${SWITCH}`).replace(from, to);
      expect(withBoard(text).errors.join()).toMatch(
        /board\.yaml:\d+:\d+ connectors\[0\]\.phaseSwitch: is there .*expected (comparatorPilot|phases: 3)/,
      );
    });

    it.each([
      ['the coil', 'onePhase: { line: 17 }', 'line 17 is taken by'],
      ['a fault input', 'onePhase: { line: 7 }, feedback: { line: 22 }', 'line 22 is taken by'],
    ])('refuses a phase switch on the line of %s', (_what, lines, message) => {
      expect(withMore(`    phaseSwitch: { ${lines} }\n`).errors.join()).toContain(message);
    });

    it('refuses a dimming contact on the line of another', () => {
      expect(withBoard(`${LAB}dimming: { line: 17 }\n`).errors.join()).toMatch(/dimming\.line: line 17 is taken by/);
    });

    it.each([
      ['cooler steps after hotter ones', 'steps: [{ fromC: 60, factor: 0.5 }, { fromC: 50, factor: 0.2 }]', 'steps[1]'],
      ['steps that leave more and more', 'steps: [{ fromC: 50, factor: 0.2 }, { fromC: 60, factor: 0.5 }]', 'steps[1]'],
      [
        'a stop below the hottest step',
        'steps: [{ fromC: 60, factor: 0.5 }], stopC: 60',
        'stopC: is 60, expected more than the 60 C',
      ],
      ['a stop below the usual steps', 'stopC: 68', 'stopC: is 68, expected more than the 68 C'],
      [
        'a step above the usual stop',
        'steps: [{ fromC: 75, factor: 0.5 }]',
        'stopC: is 70, expected more than the 75 C',
      ],
      ['no step at all', 'steps: []', 'steps'],
      ['a factor above 1', 'steps: [{ fromC: 50, factor: 1.5 }]', 'factor'],
    ])('refuses a thermometer with %s', (_what, limits, message) => {
      expect(withMore(`    thermometer: { file: /sys/t, ${limits} }\n`).errors.join()).toContain(message);
    });
  });

  it('with lines but without a chip is refused', () => {
    expect(withBoard(LAB.replace(/^gpio:.*$/m, '')).errors.join()).toContain('no chip is named');
  });

  it('with an unknown driver, fault or member is refused with its place', () => {
    expect(withBoard(LAB.replace('driver: comparatorPilot', 'driver: comparator')).errors.join()).toContain(
      'connectors[0].evse',
    );
    expect(withBoard(LAB.replace('fault: groundFault', 'fault: groundfault')).errors.join()).toContain(
      'did you mean groundFault?',
    );
    expect(withBoard(LAB.replace('releaseMs:', 'release:')).errors.join()).toMatch(
      /release: is unknown\n {4}did you mean releaseMs/,
    );
  });

  it('with an input of a connector that it does not have is refused', () => {
    expect(withBoard(LAB.replace('connector: 0', 'connector: 2')).errors.join()).toContain('inputs[1].connector: is 2');
  });

  it('with our own pilot needs the acknowledgement of laboratory use', () => {
    const { config, errors } = withBoard(LAB, { ...lab, acknowledgeLabUse: false });
    expect(config).toBeUndefined();
    expect(errors.join()).toContain('acknowledgeLabUse');
  });

  it('that is not there is reported at the member that names it', () => {
    const { errors } = load({ ...lab, board: 'raspberry' });
    expect(errors.join()).toMatch(
      /chargepoint\.yaml:\d+:\d+ board: cannot read the board file .*raspberry\.yaml: there is no such file/,
    );
  });
});

describe('connectors on a board', () => {
  const connector = lab.connectors[0];
  const withConnector = (more: object) => load({ ...lab, connectors: [{ ...connector, ...more }] });

  it('take current and phases from the board and may only lower them', () => {
    expect(load(lab).config?.connectors[0]).toMatchObject({ maxA: 32, phases: 3 });
    expect(withConnector({ maxA: 16, phases: 1 }).config?.connectors[0]).toMatchObject({ maxA: 16, phases: 1 });
    expect(withConnector({ maxA: 33 }).errors.join()).toContain('maxA: is 33, expected at most the 32 A');
  });

  it('need a lock and a proximity pilot to be a socket', () => {
    expect(withConnector({ cable: 'socket' }).errors.join()).toContain('no lock and proximity pilot');
  });

  it('need a meter, on a bus that is named or given', () => {
    expect(withConnector({ meter: undefined }).errors.join()).toContain('meter: is missing');
    const named = { ...lab, connectors: [{ ...connector, meter: { model: 'eastron-sdm630', bus: 'rs485', unit: 3 } }] };
    const { config } = load({ ...named, buses: { rs485: { port: '/dev/ttyS0', baudRate: 19200 } } });
    expect(config?.connectors[0]?.meter).toMatchObject({ bus: { port: '/dev/ttyS0', baudRate: 19200 }, unit: 3 });
    expect(load({ ...named, buses: { rs458: { port: '/dev/ttyS0' } } }).errors.join()).toMatch(
      /bus: is rs485, .*\n {4}did you mean rs458/,
    );
  });

  it('count from 1 without gaps and not beyond the board', () => {
    expect(withConnector({ id: 2 }).errors.join()).toContain('is 2, expected 1');
    const two = load({ ...lab, connectors: [connector, { ...connector, id: 2 }] });
    expect(two.errors.join()).toContain('are 2, expected at most the 1 of the board');
  });

  it('are those of the board where the file names none, and then lack a meter', () => {
    const { connectors: _, ...withoutConnectors } = lab;
    expect(load(withoutConnectors).errors.join()).toContain('connectors[0].meter: is missing');
  });
});

/** Board and meter files: the shipped ones load, and what would be unsafe is refused with its place. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { BoardDescription } from '../../hal/board-description.ts';
import { nodeFiles } from '../../src/platform/files.ts';
import { safeOutputs } from '../../src/platform/safe-outputs.ts';
import { lab, load, SHIPPED } from './support.ts';

const LAB = nodeFiles.read(join(SHIPPED, 'boards/raspberry-pi-lab.yaml'));
const DIN = nodeFiles.read(join(SHIPPED, 'boards/raspberry-pi-evse-din.yaml'));
const HAT = nodeFiles.read(join(SHIPPED, 'boards/raspberry-pi-hat.yaml'));
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

  it.each(readdirSync(join(SHIPPED, 'controllers')).filter((name) => name.endsWith('.yaml')))(
    'controllers/%s loads, and says that it goes on without us',
    (name) => {
      const { config, errors, warnings } = withBoard(DIN.replace('evse-wb-din ', name.replace('.yaml', ' ')));
      expect(errors).toEqual([]);
      expect(config?.board).toMatchObject({ connectors: [{ evse: { map: { whenSilent: 'keepsCurrent' } } }] });
      expect(warnings.join('\n')).toMatch(/evse\.model: .* goes on with its last current/);
    },
  );

  it('of the three reference builds fit a meter, and the one with a pilot of its own says at each start what it is not', () => {
    expect(load(nodeFiles.read(join(SHIPPED, 'chargepoint.yaml'))).errors).toEqual([]);
    const { acknowledgeLabUse: _, ...controller } = lab;
    const din = load({ ...controller, board: 'raspberry-pi-evse-din' });
    expect([din.errors, din.warnings.some((warning) => warning.includes('laboratory'))]).toEqual([[], false]);
    const hat = load({ ...lab, board: 'raspberry-pi-hat' });
    expect(hat.errors).toEqual([]);
    expect(hat.warnings.join('\n')).toMatch(
      /acknowledgeLabUse: Raspberry Pi HAT with own pilot drives the pilot .* no protective device/,
    );
  });

  it.each<[string, RegExp | undefined]>([
    [
      '/dev/serial0',
      /connectors\[0\]\.meter: is on \/dev\/serial0, the line of an EVSE controller: .* holds up the order/,
    ],
    ['/dev/ttyUSB0', undefined],
  ])('with a meter on %s: the line of a controller is to be its own', (port, warning) => {
    const { acknowledgeLabUse: _, ...controller } = lab;
    const meter = { model: 'eastron-sdm630', bus: { port }, unit: 7 };
    const { errors, warnings } = load({
      ...controller,
      board: 'raspberry-pi-evse-din',
      connectors: [{ id: 1, cable: 'attached', meter }],
    });
    expect(errors).toEqual([]);
    const said = warnings.filter((text) => text.includes('the line of an EVSE controller'));
    expect(said).toEqual(warning === undefined ? [] : [expect.stringMatching(warning)]);
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

  describe('whose pilot a converter looks at', () => {
    const PEAKS = HAT.replace('driver: burstPilot', 'driver: peakHoldPilot').replace(
      /adc: [\s\S]*?(?= {6}contactor:)/,
      `adc: { device: ads1115 }
      positive: { channel: 0, calibration: [{ adcV: 0, pilotV: 0 }, { adcV: 3, pilotV: 12 }] }
      negative: { channel: 1, calibration: [{ adcV: 0, pilotV: 0 }, { adcV: 3, pilotV: -12 }] }
      settleMs: 10
`,
    );

    it.each(
      [...nodeFiles.read(join(SHIPPED, '../docs/control-pilot.md')).matchAll(/```yaml\n(evse:\n[\s\S]*?)```/g)].map(
        ([, text = '']) => [/driver: (\w+)/.exec(text)?.[1] ?? '', text] as const,
      ),
    )('loads as docs/control-pilot.md has %s', (driver, text) => {
      const evse = text.replace(/^/gm, '    ').trimEnd();
      const { config, errors } = withBoard(HAT.replace(/ {4}evse:\n[\s\S]*?(?=\n# Normally)/, `${evse}\n`));
      expect(errors).toEqual([]);
      expect(config?.board).toMatchObject({ connectors: [{ evse: { driver } }] });
    });

    it.each([
      ['an MCP3008', HAT],
      ['peak detectors', PEAKS],
    ])('by %s reads no cable: a socket is refused, with what to do', (_what, text) => {
      const socket = { ...lab, board: './board.yaml', connectors: [{ ...lab.connectors[0], cable: 'socket' }] };
      const { errors, config } = load(socket, { '/etc/chargepoint/board.yaml': text });
      expect(config).toBeUndefined();
      expect(errors.join()).toMatch(
        /cable: is socket, but the board has no lock and proximity pilot .*\n {4}cable: attached; or lock/,
      );
    });

    it.each([
      ['comparators', LAB, /\n.*belowMinus10V5:.*/, 'comparators.belowMinus10V5'],
      ['peak detectors', PEAKS, /\n.*negative:.*/, 'negative'],
    ] as const)('by %s and cannot check the diode is warned of', (_what, text, member, remedy) => {
      expect(withBoard(text).warnings.join('\n')).not.toContain('diode');
      const { errors, warnings } = withBoard(text.replace(member, ''));
      expect(errors).toEqual([]);
      const warning = warnings.join('\n');
      expect(warning).toMatch(/connectors\[0\]\.evse: .* the contactor closes without a diode check/);
      expect(warning).toContain(remedy);
    });

    it('by bursts counts the burst: at most 35 ms are left for the contactor', () => {
      expect(withBoard(HAT.replace('releaseMs: 25', 'releaseMs: 35')).errors).toEqual([]);
      expect(withBoard(HAT.replace('releaseMs: 25', 'releaseMs: 36')).errors.join()).toMatch(
        /releaseMs: opening takes sampling 10 \+ burst 5 \+ filter 40 .* = 101 ms/,
      );
    });

    it('by peak detectors counts how slowly these forget', () => {
      expect(withBoard(PEAKS).errors).toEqual([]);
      expect(withBoard(PEAKS.replace('settleMs: 10', 'settleMs: 11')).errors.join()).toMatch(
        /releaseMs: opening takes sampling 10 \+ peak detector and converter 16 \+ .* = 101 ms/,
      );
    });

    it.each([
      ['one point', HAT.replace(/ {8}- \{ adcV: 3.*\n/, ''), /calibration/],
      ['two points at one voltage', HAT.replace('adcV: 3.15', 'adcV: 0.15'), /evse\.calibration: goes up and down/],
      [
        'a line that turns back',
        HAT.replace('pilotV: 12 }', 'pilotV: 12 }\n        - { adcV: 4, pilotV: 3 }'),
        /evse\.calibration: goes up and down/,
      ],
      [
        'the same of a peak detector',
        PEAKS.replace('{ adcV: 3, pilotV: -12 }', '{ adcV: 3, pilotV: 0 }'),
        /negative\.calibration: goes up and down/,
      ],
      ['a clock that is too slow', HAT.replace('speedHz: 1600000', 'speedHz: 100000'), /speedHz/],
    ])('is refused with %s', (_what, text, message) => {
      expect(withBoard(text).errors.join()).toMatch(message);
    });

    it('has its coil and PWM made safe when nobody runs, and its lines for itself', () => {
      const { config } = withBoard(PEAKS);
      expect(safeOutputs(config?.board as BoardDescription).split('\n')).toEqual(
        expect.arrayContaining([expect.stringMatching(/^gpio .* 17 0 0$/), 'pwm fe20c000.pwm 0 100']),
      );
      expect(withBoard(HAT.replace('line: 22', 'line: 17')).errors.join()).toContain('line 17 is taken by');
    });
  });

  describe('with an EVSE controller', () => {
    const WB = nodeFiles.read(join(SHIPPED, 'controllers/evse-wb-din.yaml'));
    const withMap = (text: string) =>
      load(
        { ...lab, board: './board.yaml' },
        {
          '/etc/chargepoint/board.yaml': DIN.replace('model: evse-wb-din', 'model: ./mine.yaml'),
          '/etc/chargepoint/mine.yaml': text,
        },
      );

    it('takes a register map of our own', () => {
      expect(withMap(WB).errors).toEqual([]);
    });

    it.each([
      [
        'a register that is not polled',
        WB.replace('vehicle: { address: 1002', 'vehicle: { address: 1012'),
        /vehicle\.address: is 1012, which no line of poll/,
      ],
      [
        'a register that is fetched twice',
        WB.replace('count: 8 }', 'count: 8 }\n  - { function: input, address: 1007, count: 1 }'),
        /poll\[1\]: fetches 1007 a second time/,
      ],
      [
        'a coil for a register',
        WB.replace('function: holding', 'function: coils'),
        /current\.address: is 1000 of coils, expected a register/,
      ],
      ['a state that there is not', WB.replace('3: C', '3: G'), /mine\.yaml:\d+:\d+ vehicle\.codes/],
    ])('refuses %s', (_what, text, message) => {
      expect(withMap(text).errors.join()).toMatch(message);
    });

    it('that nobody has described is reported at the member that names it', () => {
      expect(withBoard(DIN.replace('evse-wb-din ', 'evse-wx ')).errors.join()).toMatch(
        /board\.yaml:\d+:\d+ connectors\[0\]\.evse\.model: cannot read the register map of the controller evse-wx/,
      );
    });
  });

  it('says how long its contactor stays off, and may have a comparator for a short circuit of the proximity pilot', () => {
    const contactor = 'releaseMs: 30\n        pauseMs: 60000\n        pauseAfterErrorMs: 120000';
    const { config, errors } = withBoard(LAB.replace('releaseMs: 30', contactor));
    expect(errors).toEqual([]);
    expect(config?.board).toMatchObject({
      connectors: [{ evse: { contactor: { pauseMs: 60_000, pauseAfterErrorMs: 120_000 } } }],
    });
    const lines = ['present', 'atLeast20A', 'atLeast32A', 'atLeast63A', 'short'];
    const proximity = lines.map((name, index) => `${name}: { line: ${40 + index} }`).join(', ');
    const withShort = withBoard(
      LAB.replace('      filterMs: 20\n', `      filterMs: 20\n    proximity: { ${proximity} }\n`),
    );
    expect(withShort.errors).toEqual([]);
    expect(withShort.config?.board).toMatchObject({ connectors: [{ proximity: { short: { line: 44 } } }] });
  });

  it('with one line for two things is refused', () => {
    const { errors } = withBoard(LAB.replace('above10V5: { line: 5 }', 'above10V5: { line: 17 }'));
    expect(errors.join()).toMatch(/line 17 is taken by .*comparators\.above10V5/);
  });

  it('has an RCD that can be tested, on lines of its own', () => {
    const rcd = (lines: string) => LAB.replace('      filterMs: 20\n', `      filterMs: 20\n    rcd: ${lines}\n`);
    const good = withBoard(rcd('{ tripped: { line: 20, debounceMs: 5 }, test: { line: 21, tripsWithinMs: 500 } }'));
    expect(good.errors).toEqual([]);
    expect(good.config?.board).toMatchObject({
      connectors: [{ rcd: { tripped: { line: 20, debounceMs: 5 }, test: { line: 21, tripsWithinMs: 500 } } }],
    });
    expect(withBoard(rcd('{ tripped: { line: 22 } }')).errors.join()).toMatch(/line 22 is taken by .*rcd\.tripped/);
    expect(withBoard(rcd('{ test: { line: 21 } }')).errors.join()).toContain('rcd.tripped: is missing');
  });

  describe('with GPIO lines', () => {
    const GPIO = 'gpio: { backend: auto, chip: pinctrl-bcm2711 }';
    const withGpio = (gpio: string, text = LAB) => withBoard(text.replace(GPIO, gpio));

    it.each([
      ['gpio: {}', {}],
      ['gpio: { chip: auto }', { chip: 'auto' }],
      ['gpio: { backend: onoff, chip: pinctrl-bcm2835 }', { backend: 'onoff', chip: 'pinctrl-bcm2835' }],
      [
        'gpio: { backend: character-device, chip: [pinctrl-rp1, pinctrl-bcm2711] }',
        { backend: 'character-device', chip: ['pinctrl-rp1', 'pinctrl-bcm2711'] },
      ],
    ])('takes %s', (text, gpio) => {
      const { config, errors } = withGpio(text);
      expect(errors).toEqual([]);
      expect(config?.board).toMatchObject({ gpio });
    });

    it.each([
      'gpio: { backend: libgpiod }',
      'gpio: { chip: [] }',
      'gpio: { chip: "pinctrl-rp1,pinctrl-bcm2711" }',
      'gpio: { chip: "two words" }',
    ])('refuses %s', (text) => {
      expect(withGpio(text).errors.join()).toMatch(/board\.yaml:\d+:\d+ gpio\.(backend|chip): .*expected/);
    });

    const pulled = LAB.replace('mirror: { line: 27', 'mirror: { line: 27, pull: up, debounceMs: 5');

    it('takes a pull resistor and a debounce where a line is read, but no debounce on the control pilot', () => {
      expect(withBoard(pulled).errors).toEqual([]);
      expect(withBoard(LAB.replace('above4V5: { line: 13', 'above4V5: { line: 13, pull: none')).errors).toEqual([]);
      const late = LAB.replace('above4V5: { line: 13', 'above4V5: { line: 13, debounceMs: 5');
      expect(withBoard(late).errors.join()).toContain('above4V5.debounceMs');
    });

    it.each(['sysfs', 'onoff'])('refuses what %s cannot do to a line', (backend) => {
      expect(withGpio(`gpio: { backend: ${backend}, chip: pinctrl-bcm2711 }`, pulled).errors.join()).toMatch(
        /board\.yaml:\d+:\d+ connectors\[0\]\.evse\.contactor\.mirror\.pull: .*expected backend: character-device/,
      );
    });
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
        'evse: { driver: controller, model: evse-wb-din, bus: { port: /dev/x }, unit: 1 }\n',
      ],
      ['one phase', 'phases: 3', 'phases: 1'],
    ])('refuses a phase switch on %s', (_what, from, to) => {
      const text = LAB.replace('    phases: 3\n', `    phases: 3\n${SWITCH}`).replace(from, to);
      expect(withBoard(text).errors.join()).toMatch(
        /board\.yaml:\d+:\d+ connectors\[0\]\.phaseSwitch: is there .*expected (a pilot of our own|phases: 3)/,
      );
    });

    it.each([
      ['the coil', 'onePhase: { line: 17 }', 'line 17 is taken by'],
      ['a fault input', 'onePhase: { line: 7 }, feedback: { line: 22 }', 'line 22 is taken by'],
    ])('refuses a phase switch on the line of %s', (_what, lines, message) => {
      expect(withMore(`    phaseSwitch: { ${lines} }\n`).errors.join()).toContain(message);
    });

    it('yields the dead man, whose period the monostable behind it has to outlast', () => {
      const { config, errors } = withBoard(`${LAB}deadMan: { line: 9, periodMs: 50 }\n`);
      expect([errors, config?.board]).toMatchObject([[], { deadMan: { line: 9, periodMs: 50 } }]);
      expect(withBoard(`${LAB}deadMan: { line: 9, periodMs: 300 }\n`).errors.join()).toContain('deadMan.periodMs');
      expect(withBoard(`${LAB}deadMan: { line: 17 }\n`).errors.join()).toMatch(/deadMan\.line: line 17 is taken by/);
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

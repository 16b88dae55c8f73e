/** `chargepoint setup` as a person meets it: a process of its own on a real terminal. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { bundled } from './support/bundled.ts';
import { MeterBus } from './support/meter-bus.ts';

const ROOT = join(import.meta.dirname, '../..');
const RIGS = join(import.meta.dirname, 'rigs');
const bundles = mkdtempSync(join(ROOT, 'node_modules/.setup-'));
const entry = join(bundles, 'setup-entry.mjs');

let directory: string;
let file: string;

beforeAll(async () => {
  await bundled('meter-entry.ts', entry);
});
afterAll(() => rmSync(bundles, { recursive: true, force: true }));
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'setup-'));
  file = join(directory, 'chargepoint.yaml');
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

type Step = readonly [expected: string, typed: string];

function atTerminal(steps: readonly Step[], ...options: readonly string[]) {
  const script = join(ROOT, 'src/main.ts');
  const command = [process.execPath, entry, script, 'setup', '--config', file, ...options];
  const said = execFileSync('/usr/bin/python3', [join(RIGS, 'terminal.py'), JSON.stringify(steps), ...command], {
    encoding: 'utf8',
  });
  return JSON.parse(said) as { screen: string; status: number; stuck: string | null };
}

const ENTER = '\r';
const CTRL_C = '\x03';
const CTRL_D = '\x04';
const SECRET = 'correct horse battery';

const UP_TO_THE_PASSWORD: readonly Step[] = [
  ['Board:', `nothing-like-it${ENTER}`],
  ['cannot read the board file', ''],
  ['Board:', `mock${ENTER}`],
  ['Identity:', `CP-8${ENTER}`],
  ['Vendor:', `<${ENTER}`],
  ['Identity:', `CP-7${ENTER}`],
  ['Vendor:', `Acmee\x7f${ENTER}`],
  ['Model:', `Pi${ENTER}`],
  ['Serial number', ENTER],
  ['Security profile', `1${ENTER}`],
  ['Address', `http://csms.example${ENTER}`],
  ['did you mean ws://csms.example?', ''],
  ['Address', `ws://csms.example${ENTER}`],
];
const REST: readonly Step[] = [
  ['Password:', `${SECRET}${ENTER}`],
  ['Connectors [1]', ENTER],
  ['cable', ENTER],
  ['most current', `160${ENTER}`],
  ['expected a number from 6 to 80 A', ''],
  ['most current', `16${ENTER}`],
  ['phases', ENTER],
  ['Country', `DE${ENTER}`],
  ['Fuse', ENTER],
  ['Main fuse', ENTER],
];

describe('chargepoint setup on a terminal', { timeout: 90_000 }, () => {
  it('takes answers, explains wrong ones, goes back, hides the password, writes both files and checks them', () => {
    const { screen, status, stuck } = atTerminal([...UP_TO_THE_PASSWORD, ...REST, ['Write it', ENTER]]);
    expect([stuck, status]).toEqual([null, 0]);
    expect(screen).not.toContain(SECRET);
    expect(screen).toContain(`PASS ${file}`);
    expect(screen).toContain(`chargepoint bench --config ${file}`);
    expect(parse(readFileSync(file, 'utf8'))).toMatchObject({
      chargePoint: { identity: 'CP-7', vendor: 'Acme', model: 'Pi' },
      centralSystem: { url: 'ws://csms.example', securityProfile: 1 },
      connectors: [{ id: 1, cable: 'socket', maxA: 16, phases: 3 }],
      protection: { country: 'DE' },
      secretsFile: 'secrets.yaml',
    });
    expect(parse(readFileSync(join(directory, 'secrets.yaml'), 'utf8'))).toEqual({ AuthorizationKey: SECRET });
  });

  it.each([
    ['Ctrl-C at the first question', [['Board:', CTRL_C]]],
    ['Ctrl-C while the password is typed', [...UP_TO_THE_PASSWORD, ['Password:', `half of it${CTRL_C}`]]],
    ['Ctrl-C when the file has been shown', [...UP_TO_THE_PASSWORD, ...REST, ['Write it', CTRL_C]]],
    ['Ctrl-D', [['Board:', CTRL_D]]],
  ] as const)('leaves nothing behind after %s', (_when, steps) => {
    const { screen, status, stuck } = atTerminal(steps);
    expect([stuck, status]).toEqual([null, 78]);
    expect(screen).toContain('Nothing was written.');
    expect(screen).not.toContain('half of it');
    expect(readdirSync(directory)).toEqual([]);
  });

  it('finds the meter on the bus for whoever types scan', async () => {
    const bus = new MeterBus();
    try {
      await bus.add('eastron-sdm630', { unit: 3 });
      const answers = [
        'board=raspberry-pi-lab',
        'labUse=yes',
        'identity=CP-7',
        'vendor=Acme',
        'model=Pi',
        'serialNumber=',
      ];
      const given = [...answers, 'securityProfile=0', 'url=ws://csms.example', 'connectors=1', 'connector1.maxA=16'];
      const { screen, status, stuck } = atTerminal(
        [
          ['cable', ENTER],
          ['phases', ENTER],
          ['serial port', `${bus.port}${ENTER}`],
          ['meter: ', `scan${ENTER}`],
          ['Eastron SDM630', ''],
          ['Country', ENTER],
          ['Fuse', ENTER],
          ['Main fuse', ENTER],
          ['Write it', ENTER],
        ],
        ...given.flatMap((answer) => ['--answer', answer]),
      );
      expect([stuck, status], screen).toEqual([null, 0]);
      expect(parse(readFileSync(file, 'utf8'))).toMatchObject({
        connectors: [{ meter: { model: 'eastron-sdm630', bus: 'meters', unit: 3 } }],
        buses: { meters: { port: bus.port, baudRate: 9600 } },
      });
    } finally {
      await bus.stop();
    }
  });
});

/** `chargepoint setup`: what it writes is what was answered, `check` has nothing to say against it, and nothing is lost or half done. */
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RegisterMap } from '../../hal/modbus/register-map.ts';
import { loadFor } from '../../src/cli/configuration.ts';
import type { Io } from '../../src/cli/io.ts';
import { program } from '../../src/cli/program.ts';
import { catalogueFor } from '../../src/cli/setup/catalogue.ts';
import { textsOf, withDefaults } from '../../src/cli/setup/examination.ts';
import type { QuestionSurroundings } from '../../src/cli/setup/questions.ts';
import { answersOf, candidatesOf, choose } from '../../src/cli/setup/scan.ts';
import type { Terminal } from '../../src/cli/setup/terminal.ts';
import { type SetupOptions, setup } from '../../src/cli/setup.ts';
import type { Answers } from '../../src/config/setup/answers.ts';
import { currentAnswers } from '../../src/config/setup/current.ts';
import { FEATURES } from '../../src/features/all.ts';
import { load, MAIN } from '../config/support.ts';

let directory: string;
let file: string;
let secrets: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'setup-'));
  file = join(directory, 'chargepoint.yaml');
  secrets = join(directory, 'secrets.yaml');
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const texts = () => {
  const [out, err]: [string[], string[]] = [[], []];
  const io: Io = {
    out: (text) => void out.push(text),
    err: (text) => void err.push(text),
    script: resolve(import.meta.dirname, '../../src/main.ts'),
    environment: {},
    isTerminal: false,
  };
  return { io, out: () => out.join(''), err: () => err.join('') };
};

/** By a script: `--answers` with these answers. */
async function answered(answers: object, ...more: readonly string[]) {
  const given = join(directory, 'answers.yaml');
  writeFileSync(given, JSON.stringify(answers));
  const { io, out, err } = texts();
  const code = await program(io, ['setup', '--config', file, '--answers', given, ...more]);
  return { code, out: out(), err: err() };
}

/** Somebody who types these lines, and then presses Ctrl-C. */
async function typed(lines: readonly string[], options: Partial<SetupOptions> = {}) {
  const { io, out, err } = texts();
  const [waiting, screen]: [string[], string[]] = [[...lines], []];
  const answer = (prompt: string, isShown: boolean): Promise<string | undefined> => {
    const line = waiting.shift();
    screen.push(`${prompt}${isShown ? line : ''}\n`);
    return Promise.resolve(line);
  };
  const terminal: Terminal = {
    line: (prompt) => answer(prompt, true),
    secret: (prompt) => answer(prompt, false),
    say: (text) => void screen.push(text),
    aside: (work) => work(),
    close: () => undefined,
  };
  const code = await setup(io, { config: file, answer: [], ...options }, () => terminal);
  return { code, out: out(), err: err(), screen: screen.join(''), left: waiting };
}

const WHO = { identity: 'CP-7', vendor: 'Acme', model: 'Pi' };
const BENCH = { board: 'mock', ...WHO };
const LAB = {
  board: 'raspberry-pi-lab',
  labUse: 'yes',
  ...WHO,
  securityProfile: 0,
  url: 'ws://csms.example/ocpp',
  connector1: { port: '/dev/ttyUSB0', meter: 'eastron-sdm630' },
};
const KEY = 'a password of 25 letters!';

const SITES: readonly (readonly [name: string, answers: object, expected: object])[] = [
  ['a bench with every default', BENCH, { board: 'mock', centralSystem: { url: 'ws://127.0.0.1:9000' }, bench: {} }],
  [
    'a bench of two connectors behind one fuse and a house',
    { ...BENCH, connectors: 2, connector2: { cable: 'attached', maxA: 16, phases: 1 }, fuseA: 25, houseFuseA: 63 },
    {
      connectors: [
        { cable: 'socket', maxA: 32, phases: 3 },
        { cable: 'attached', maxA: 16, phases: 1 },
      ],
      installation: { fuseA: 25, gridConnection: { fuseA: 63 } },
    },
  ],
  [
    'a laboratory board with the meter that it has from the factory',
    LAB,
    {
      acknowledgeLabUse: true,
      connectors: [{ cable: 'attached', maxA: 32, meter: { model: 'eastron-sdm630', unit: 1 } }],
    },
  ],
  [
    'an EVSE controller and a meter on a port of its own, in Germany',
    {
      ...{ ...WHO, board: 'raspberry-pi-evse-din', securityProfile: 0, url: 'ws://csms.example/ocpp', country: 'DE' },
      connector1: { port: '/dev/ttyUSB0', meter: 'eastron-sdm72d-m-v2', maxA: 16 },
    },
    {
      acknowledgeLabUse: false,
      board: { connectors: [{ evse: { driver: 'controller' } }] },
      connectors: [{ cable: 'attached', maxA: 16, meter: { model: 'eastron-sdm72d-m-v2' } }],
    },
  ],
  ['a HAT with its own pilot', { ...LAB, board: 'raspberry-pi-hat' }, { acknowledgeLabUse: true }],
  [
    'a password without TLS',
    { ...BENCH, securityProfile: 1, url: 'ws://csms.example', authorizationKey: KEY },
    { centralSystem: { securityProfile: 1 }, keys: { AuthorizationKey: KEY } },
  ],
  [
    'TLS, a password of digits, an operator, a serial number with a zero in front',
    {
      ...LAB,
      serialNumber: '0012',
      securityProfile: 2,
      url: 'wss://csms.example/a/b',
      authorizationKey: '0012345678901234567890',
      cpoName: 'Stadtwerke Süd',
    },
    {
      chargePoint: { serialNumber: '0012' },
      keys: { AuthorizationKey: '0012345678901234567890', CpoName: 'Stadtwerke Süd' },
    },
  ],
  [
    'a house meter on the bus of the connector, at a rate of its own',
    {
      ...LAB,
      connector1: { ...LAB.connector1, serial: '19200 even 1' },
      houseFuseA: 35,
      house: { meter: 'eastron-sdm72d-m-v2', unit: 3 },
    },
    {
      connectors: [{ meter: { unit: 1, bus: { port: '/dev/ttyUSB0', baudRate: 19200, parity: 'even', stopBits: 1 } } }],
      installation: { gridConnection: { fuseA: 35, meter: { unit: 3, bus: { port: '/dev/ttyUSB0' } } } },
    },
  ],
  [
    'names that YAML would take for something else',
    { ...BENCH, identity: 'no', vendor: '- a: b #c', model: '1e3', serialNumber: '2026-01-01' },
    { chargePoint: { identity: 'no', vendor: '- a: b #c', model: '1e3', serialNumber: '2026-01-01' } },
  ],
];

/** What `check` says of this machine and, at every start, of such a board: no answer could help it. */
const OF_THE_MACHINE =
  /^warning (there is neither gpioset|safe outputs|\S+ acknowledgeLabUse: .* for laboratory use only|\S+\/config\/boards\/)/;

describe('chargepoint setup for scripts', () => {
  it.each(SITES)('writes what `check` has nothing to say against: %s', async (_name, answers, expected) => {
    const { code, err } = await answered(answers);
    expect(err.split('\n').filter((line) => !OF_THE_MACHINE.test(line))).toEqual(['']);
    expect(code).toBe(0);
    const { io, err: said } = texts();
    const loaded = loadFor(io, file);
    expect(said()).toBe('');
    expect(loaded?.warnings.filter((warning) => warning.file === file && warning.path !== 'acknowledgeLabUse')).toEqual(
      [],
    );
    expect(loaded?.config).toMatchObject(expected);
  });

  it('takes answers from the command line, and they win over those of the file', async () => {
    expect(await answered(BENCH, '--answer', 'model=Pi 5', '--answer', 'connector1.maxA=20')).toMatchObject({
      code: 0,
    });
    expect(loadFor(texts().io, file)?.config).toMatchObject({
      chargePoint: { model: 'Pi 5' },
      connectors: [{ maxA: 20 }],
    });
  });

  it('says everything that is missing or wrong at once, with the words of `check`, and writes nothing', async () => {
    const { code, err } = await answered({
      board: 'mock',
      vender: 'Acme',
      model: 'Pi',
      connector1: { maxA: 99, phases: 2 },
      fuseA: 'big',
    });
    expect(code).toBe(78);
    expect(err.split('\n').filter((line) => line.startsWith('error'))).toEqual([
      'error vender: is not asked',
      expect.stringContaining('error identity: an answer is needed'),
      expect.stringContaining('error vendor: an answer is needed'),
      'error connector1.maxA: is 99, expected a number from 6 to 80 A',
      'error connector1.phases: is 2, expected one of 1, 3',
      'error fuseA: is "big", expected a number from 6 to 1000 A',
    ]);
    expect(err).toContain('did you mean vendor?');
    expect(readdirSync(directory)).toEqual(['answers.yaml']);
  });

  it('does not count the password as needless where the default of the profile asks for one', async () => {
    const { securityProfile: _, ...rest } = LAB;
    expect((await answered({ ...rest, url: 'wss://csms.example', authorizationKey: KEY })).code).toBe(0);
    const { err } = await answered({ ...LAB, authorizationKey: KEY }, '--replace');
    expect(err).toContain('error authorizationKey: is not asked');
  });

  it('does not take laboratory use for granted', async () => {
    const { labUse: _, ...rest } = LAB;
    const { code, err } = await answered(rest);
    expect([code, err]).toEqual([78, expect.stringContaining('error labUse: is not true')]);
  });

  it('replaces nothing unless it is told to, and keeps what was there, each time under a name of its own', async () => {
    writeFileSync(file, 'mine: 1\n', { mode: 0o640 });
    const refused = await answered(BENCH);
    expect([refused.code, refused.err]).toEqual([78, expect.stringContaining('is there already')]);
    expect(readFileSync(file, 'utf8')).toBe('mine: 1\n');
    expect((await answered(BENCH, '--replace')).code).toBe(0);
    const first = readFileSync(file, 'utf8');
    expect((await answered({ ...BENCH, model: 'Other' }, '--replace')).code).toBe(0);
    expect(readFileSync(`${file}.bak`, 'utf8')).toBe('mine: 1\n');
    expect(statSync(`${file}.bak`).mode & 0o777).toBe(0o640);
    expect(readFileSync(`${file}.bak2`, 'utf8')).toBe(first);
  });

  it('puts the password into a file of mode 0600, keeps the old one, and neither shows it nor takes it from the command line', async () => {
    const withKey = { ...BENCH, securityProfile: 1, url: 'ws://csms.example', authorizationKey: KEY };
    const { out, err } = await answered(withKey);
    expect(statSync(secrets).mode & 0o777).toBe(0o600);
    expect(`${out}${err}${readFileSync(file, 'utf8')}`).not.toContain(KEY);
    const other = 'another password, longer';
    await answered({ ...withKey, authorizationKey: other }, '--replace');
    expect(readFileSync(`${secrets}.bak`, 'utf8')).toContain(KEY);
    expect(statSync(`${secrets}.bak`).mode & 0o777).toBe(0o600);
    const { authorizationKey: _, ...kept } = withKey;
    expect((await answered(kept, '--replace')).code).toBe(0);
    expect(loadFor(texts().io, file)?.config.keys).toMatchObject({ AuthorizationKey: other });
    const told = await answered(BENCH, '--replace', '--answer', 'authorizationKey=secret');
    expect([told.code, told.err]).toEqual([78, expect.stringContaining('can be seen by all')]);
  });

  it('says as JSON what was written, what `check` found and what comes next', async () => {
    writeFileSync(file, '');
    const { out } = await answered(BENCH, '--replace', '--json');
    expect(JSON.parse(out)).toEqual({
      file,
      backups: [`${file}.bak`],
      check: 'PASS',
      findings: [],
      next: [`chargepoint bench --config ${file}`],
    });
  });

  it('names the doctor and the service as what comes next on hardware', async () => {
    const { out } = await answered(LAB, '--json');
    expect(JSON.parse(out)).toMatchObject({
      next: [`chargepoint doctor --config ${file}`, `chargepoint run --config ${file}`],
    });
  });

  it.each([
    ['its name is that of a folder', () => mkdirSync(file), /is a directory/],
    ['its name is that of a pipe', () => void execFileSync('mkfifo', [file]), /is no plain file/],
    ['writing it fails', () => mkdirSync(`${file}.new`), /chargepoint\.yaml\.new/],
  ])('leaves everything as it was, secrets included, where %s', async (_what, prepare, why) => {
    prepare();
    const withKey = { ...BENCH, securityProfile: 1, url: 'ws://csms.example', authorizationKey: KEY };
    for (const before of [undefined, 'AuthorizationKey: the one that was there before\n']) {
      if (before !== undefined) writeFileSync(secrets, before, { mode: 0o600 });
      const names = readdirSync(directory);
      const { code, err } = await answered(withKey, '--replace');
      expect([code, err]).toEqual([70, expect.stringMatching(why)]);
      expect(err).toContain('cannot be written');
      expect(readdirSync(directory).filter((name) => name !== 'answers.yaml')).toEqual(
        names.filter((name) => name !== 'answers.yaml'),
      );
      if (before !== undefined) expect(readFileSync(secrets, 'utf8')).toBe(before);
    }
  });

  it('asks nothing for a file that cannot be written', async () => {
    mkdirSync(file);
    const { code, err, left } = await typed(['no answer is asked for']);
    expect([code, left.length]).toEqual([70, 1]);
    expect(err).toContain('is a directory');
  });

  it('fails with a reason where the file cannot be written', async () => {
    writeFileSync(join(directory, 'plain'), '');
    const given = join(directory, 'answers.yaml');
    writeFileSync(given, JSON.stringify(BENCH));
    const { io, err } = texts();
    const code = await program(io, ['setup', '--answers', given, '--config', join(directory, 'plain/cp.yaml')]);
    expect([code, err()]).toEqual([70, expect.stringContaining('cannot be written')]);
  });
});

describe('chargepoint setup at a terminal', () => {
  /** Board, identity, vendor, model, serial number, profile, address, connectors, cable, current, phases, country, two fuses. */
  const BY_HAND = ['mock', 'CP-7', 'Acme', 'Pi', '', '', '', '', '', '', '', '', '', ''];

  it('asks, shows the file, writes it when told to and checks it', async () => {
    const { code, screen, out, left } = await typed([...BY_HAND, 'yes']);
    expect([code, left]).toEqual([0, []]);
    expect(screen).toContain(readFileSync(file, 'utf8'));
    expect(screen).toMatch(/mock +no hardware/);
    expect(screen).toMatch(/raspberry-pi-evse-din +Raspberry Pi with EVSE-DIN, 32 A\n/);
    expect(screen).toMatch(/raspberry-pi-hat +Raspberry Pi HAT with own pilot, 32 A, lab only\n/);
    expect(out).toContain(`PASS ${file}`);
  });

  it('explains a wrong answer at once and asks again', async () => {
    const { screen } = await typed(['raspberry-pi-lap', '1', 'CP-7', 'x'.repeat(21), 'Acme']);
    expect(screen).toMatch(/Board: raspberry-pi-lap\n {2}No good: cannot read the board file/);
    expect(screen).toMatch(
      /Vendor: x+\n {2}No good: is "x+", expected a text of 1 to 20 characters\.\n[^\n]*Vendor: Acme/,
    );
  });

  it('takes what `check` only warns of when it is told twice', async () => {
    const twice = await typed(['mock', 'CP 7', 'no', 'CP-7', 'Acme']);
    expect(twice.screen).toMatch(/Careful: has characters[\s\S]*Identity: CP-7/);
    const kept = await typed(['mock', 'DE*7', 'yes', ...BY_HAND.slice(2), 'yes']);
    expect([kept.code, loadFor(texts().io, file)?.config.chargePoint.identity]).toEqual([0, 'DE*7']);
  });

  it('says what is doubtful about a board, and takes it', async () => {
    const { screen } = await typed(['raspberry-pi-evse-din', 'CP-7']);
    expect(screen).toMatch(/Careful: EV Racing EVSE-WB[\s\S]*Identity: CP-7/);
    expect(screen).not.toContain('Keep it');
  });

  it('goes back one question with <, over what need not be asked', async () => {
    const lines = ['mock', 'wrong', '<', 'CP-7', 'Pi', ...BY_HAND.slice(4), '<', '40'];
    const { code } = await typed([...lines.slice(0, -2), 'yes'], { answer: ['vendor=Acme'] });
    expect(code).toBe(0);
    expect(loadFor(texts().io, file)?.config.chargePoint).toMatchObject({
      identity: 'CP-7',
      vendor: 'Acme',
      model: 'Pi',
    });
    expect((await typed(['<', 'mock'])).screen).toContain('This is the first question.');
  });

  it('goes back from the last question, too', async () => {
    const { code } = await typed([...BY_HAND, '<', '63', 'yes']);
    expect([code, loadFor(texts().io, file)?.config.installation.gridConnection]).toEqual([0, { fuseA: 63 }]);
  });

  it('asks what was given wrongly, and nothing else that was given', async () => {
    const answer = Object.entries({ ...BENCH, vendor: 'x'.repeat(21) }).map(([name, text]) => `${name}=${text}`);
    const { screen } = await typed(['Acme'], { answer });
    expect(screen).toMatch(/vendor\n {2}No good[\s\S]*Vendor: Acme/);
    expect(screen).not.toContain('Model:');
  });

  it('writes nothing when it is ended, at whichever question', async () => {
    for (let count = 0; count < BY_HAND.length; count += 1) {
      const { code, screen } = await typed(BY_HAND.slice(0, count));
      expect([code, screen.endsWith('Nothing was written.\n')]).toEqual([78, true]);
    }
    expect((await typed([...BY_HAND, 'no'])).code).toBe(78);
    expect(readdirSync(directory)).toEqual([]);
  });

  it('has what is there as its defaults, but for a bench, which stands there after an installation', async () => {
    const site = {
      ...LAB,
      connector1: { ...LAB.connector1, serial: '19200 even 1', maxA: 13 },
      country: 'DE',
      fuseA: 25,
    };
    expect((await answered(site)).code).toBe(0);
    const before = readFileSync(file, 'utf8');
    // Only laboratory use is asked anew.
    const again = ['', 'yes', ...Array<string>(16).fill('')];
    expect((await typed([...again, 'yes'])).code).toBe(0);
    expect(readFileSync(file, 'utf8')).toBe(before);
    const none = [...again.slice(0, -2), 'none', ''];
    expect((await typed([...none, 'yes'])).code).toBe(0);
    expect(loadFor(texts().io, file)?.config.installation.fuseA).toBeUndefined();
    await answered(BENCH, '--replace');
    expect((await typed([''])).screen).toContain('an answer is needed');
  });

  it('asks before it replaces a file, and takes neither yes nor no from an empty line', async () => {
    writeFileSync(file, 'mine: 1\n');
    const { code, screen } = await typed([...BY_HAND, '', 'no']);
    expect([code, screen.match(/Replace all/g)?.length]).toEqual([78, 2]);
    expect(readdirSync(directory)).toEqual(['chargepoint.yaml']);
    expect((await typed([...BY_HAND, 'yes'])).code).toBe(0);
    expect(readFileSync(`${file}.bak`, 'utf8')).toBe('mine: 1\n');
  });

  it('does not show the password, not even when it is wrong', async () => {
    const { screen } = await typed(['mock', 'CP-7', 'Acme', 'Pi', '', '1', 'ws://csms.example', 'short', KEY]);
    expect(screen).toContain('expected 16 to 40 characters');
    expect(screen).not.toMatch(/short|a password/);
  });

  it('lists the meters for ?', async () => {
    const answer = Object.entries({ ...BENCH, board: 'raspberry-pi-lab', labUse: 'yes' }).map((pair) => pair.join('='));
    const lines = ['', '0', 'ws://csms.example', '', '', '', '', '/dev/ttyUSB0', '?', 'sdm', 'abb-b23'];
    const { screen } = await typed(lines, { answer: answer.filter((pair) => !pair.startsWith('securityProfile')) });
    expect(screen).toMatch(/ {2}eastron-sdm630 +Eastron SDM630/);
    // Its doubts are said, and stand in nobody's way.
    expect(screen).toMatch(/meter: abb-b23\n {2}Careful: ABB B23 is not verified[\s\S]*Modbus unit/);
  });

  it('has nobody to ask without a terminal: what is missing is an error', async () => {
    const { io, err } = texts();
    expect(await setup(io, { config: file, answer: ['board=mock'] }, () => undefined)).toBe(78);
    expect(err()).toContain('error identity: an answer is needed');
    expect(existsSync(file)).toBe(false);
  });
});

describe('what a scan has found', () => {
  const settings = { baudRate: 19200, parity: 'even', stopBits: 1 } as const;
  const fit = (name: string) =>
    ({ name, map: { model: `Model ${name}` } as RegisterMap, by: 'values', values: {} }) as const;
  const found = (...devices: readonly (readonly [unit: number, ...names: readonly string[]])[]) =>
    candidatesOf({
      devices: devices.map(([unit, ...names]) => ({ settings, unit, fits: names.map(fit) })),
      garbled: [],
      aborted: false,
    });
  const asker = (answer: string | undefined) => {
    const said: string[] = [];
    const line = () => Promise.resolve(answer);
    return { said, line, secret: line, say: (text: string) => void said.push(text) };
  };

  it('becomes the answers for meter, unit and serial settings', async () => {
    const somebody = asker('2');
    const only = await choose(found([4, 'eastron-sdm630'], [5]), somebody);
    expect(somebody.said).toEqual([]);
    expect(only && answersOf('connector2', only)).toEqual({
      'connector2.meter': 'eastron-sdm630',
      'connector2.unit': '4',
      'connector2.serial': '19200 even 1',
    });
  });

  it('is chosen by number where several maps or devices fit', async () => {
    const several = found([1, 'a', 'b'], [2, 'c']);
    const somebody = asker(' 3 ');
    expect(await choose(several, somebody)).toMatchObject({ unit: 2, name: 'c' });
    expect(somebody.said.join('')).toMatch(
      /1 {2}unit 1 {2}a {2}Model a\n[^\n]*unit 1 {2}b[^\n]*\n {2}3 {2}unit 2 {2}c/,
    );
  });

  it.each(['', '4', '0', 'b', undefined])('is none for %s', async (answer) => {
    expect(await choose(found([1, 'a', 'b'], [2, 'c']), asker(answer))).toBeUndefined();
  });

  it('is none where nobody has answered', async () => {
    expect(await choose(found(), asker('1'))).toBeUndefined();
  });
});

describe('every valid set of answers', () => {
  const text = (most: number) =>
    fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: most })
      .map((value) =>
        value
          .replace(/\p{Cc}/gu, '')
          .trim()
          .slice(0, most)
          .trim(),
      )
      .filter((value) => value !== '' && value !== 'none');
  const connector = fc.record({
    cable: fc.constantFrom('socket', 'attached'),
    maxA: fc.oneof(fc.integer({ min: 6, max: 80 }), fc.constant(12.5)).map(String),
    phases: fc.constantFrom('1', '3'),
  });
  const site = fc.record({
    identity: fc.stringMatching(/^[\w.-]{1,40}$/),
    vendor: text(20),
    model: text(20),
    serialNumber: fc.option(text(25), { nil: '' }),
    profile: fc.constantFrom('0', '1', '2', '3'),
    host: fc.domain(),
    key: fc.stringMatching(/^[!-~]{16,40}$/),
    cpoName: fc.option(fc.stringMatching(/^[A-Za-z][A-Za-z :#'"&-]{0,30}[a-z]$/), { nil: '' }),
    connectors: fc.array(connector, { minLength: 1, maxLength: 4 }),
    country: fc.constantFrom('', 'AT', 'CH', 'DE', 'DK', 'FR', 'GB'),
    fuseA: fc.option(fc.integer({ min: 6, max: 1000 }).map(String), { nil: '' }),
    houseFuseA: fc.option(fc.integer({ min: 6, max: 1000 }).map(String), { nil: '' }),
  });

  it('is written so that `check` reads back what was answered and finds nothing but a security profile that no new charge point has a certificate for', async () => {
    const surroundings: QuestionSurroundings = {
      catalogue: await catalogueFor(texts().io, '/etc/chargepoint'),
      hasSecret: false,
      secretProblem: () => undefined,
      stateDir: '/var/lib/chargepoint',
    };
    fc.assert(
      fc.property(site, ({ profile, host, key, cpoName, connectors, ...rest }) => {
        const url = `${Number(profile) >= 2 ? 'wss' : 'ws'}://${host}/ocpp.end`;
        const flat = connectors.flatMap((each, index) =>
          Object.entries(each).map(([name, value]) => [`connector${index + 1}.${name}`, value] as const),
        );
        const given: Answers = {
          ...{ ...rest, board: 'mock', securityProfile: profile, url, connectors: String(connectors.length) },
          ...(profile === '1' || profile === '2' ? { authorizationKey: key } : {}),
          ...(Number(profile) >= 2 ? { cpoName } : {}),
          ...Object.fromEntries(flat),
        };
        fc.pre(rest.identity !== 'ocpp.end');
        const answers = withDefaults(given, surroundings);
        const { main, secrets: secret } = textsOf(answers, surroundings);
        const files =
          secret === undefined
            ? {}
            : { [MAIN.replace('chargepoint.yaml', 'secrets.yaml')]: { text: secret, mode: 0o600 } };
        const knownKeys = FEATURES.flatMap(({ keys }) => keys);
        const { config, errors, warnings } = load(main, files, { knownKeys });
        const beginsAtTheEnd = profile === '3' ? [expect.stringContaining('centralSystem.securityProfile: is 3')] : [];
        expect([errors, warnings]).toEqual([[], beginsAtTheEnd]);
        const real = main.replace('board: mock', 'board: some-board');
        const asked = Object.entries(given).filter(([name, answer]) => answer !== '' && name !== 'authorizationKey');
        expect(currentAnswers(MAIN, real)).toEqual({
          ...Object.fromEntries(asked),
          board: 'some-board',
          stateDir: surroundings.stateDir,
        });
        expect(config).toMatchObject({
          chargePoint: { identity: rest.identity, vendor: rest.vendor, model: rest.model },
          centralSystem: { url, securityProfile: Number(profile) },
          connectors: connectors.map(({ cable, maxA, phases }, index) => ({
            id: index + 1,
            cable,
            maxA: Number(maxA),
            phases: Number(phases),
          })),
        });
        expect(config?.chargePoint.serialNumber ?? '').toBe(rest.serialNumber);
        expect(config?.keys['AuthorizationKey']).toBe(given['authorizationKey']);
        expect(config?.keys['CpoName'] ?? '').toBe(given['cpoName'] ?? '');
        expect(String(config?.installation.fuseA ?? '')).toBe(rest.fuseA);
        expect(String(config?.installation.gridConnection?.fuseA ?? '')).toBe(rest.houseFuseA);
      }),
      { numRuns: 150 },
    );
  });
});

/** The command line in this process: what it prints, and with which exit code. `run` has its own file, as a child process. */
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { json } from '../../src/cli/format.ts';
import { type Io, processIo } from '../../src/cli/io.ts';
import { deadText, outboxText } from '../../src/cli/outbox.ts';
import { program } from '../../src/cli/program.ts';
import { statusText } from '../../src/cli/status.ts';
import { type ControlServer, serveControl } from '../../src/control/server.ts';
import { socketFile } from '../../src/platform/socket-file.ts';
import type { Log } from '../../src/ports.ts';
import { bench, lab } from '../config/support.ts';

const silent: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {}, child: () => silent };
let directory: string;
let server: ControlServer | undefined;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'cli-'));
});
afterEach(async () => {
  await server?.close();
  server = undefined;
  rmSync(directory, { recursive: true, force: true });
});

interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

const chargepoint = (...argv: string[]): Promise<Outcome> => chargepointIn({}, ...argv);

async function chargepointIn(environment: Io['environment'], ...argv: string[]): Promise<Outcome> {
  let out = '';
  let err = '';
  const io: Io = {
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
    script: resolve(import.meta.dirname, '../../src/main.ts'),
    environment,
    isTerminal: false,
  };
  return { code: await program(io, argv), out, err };
}

function file(content: object): string {
  const path = join(directory, 'chargepoint.yaml');
  writeFileSync(path, JSON.stringify(content, undefined, 2));
  return path;
}

async function agentWith(routes: Readonly<Record<string, unknown>>): Promise<string> {
  const path = join(directory, 'control.sock');
  server = await serveControl({
    socket: socketFile(path),
    log: silent,
    routes: Object.entries(routes).map(([route, answer]) => ({ method: 'GET', path: route, handle: () => answer })),
  });
  return path;
}

const fits = (text: string): boolean => text.split('\n').every((line) => [...line].length <= 80);

describe('help and mistakes', () => {
  it.each([
    'run',
    'check',
    'bench',
    'status',
    'why',
    'limits',
    'limits list',
    'limits set',
    'limits withdraw',
    'delay',
    'delay cancel',
    'outbox',
    'config',
    'config show',
    'config forget',
    'central-system switch',
  ])('%s --help shows an example within 80 columns and exits 0', async (command) => {
    const { code, out } = await chargepoint(...command.split(' '), '--help');
    expect(code).toBe(0);
    expect(out).toContain(`$ chargepoint ${command}`);
    expect(fits(out)).toBe(true);
  });

  it.each([
    'check',
    'status',
    'doctor',
    'setup',
    'inputs',
    'pilot',
    'lock',
    'contactor',
    'faults list',
    'faults reset',
    'sessions',
    'logs',
    'rfid',
    'why',
    'limits list',
    'limits set',
    'limits withdraw',
    'delay cancel',
    'meter scan',
    'meter read',
    'meter watch',
    'outbox list',
    'outbox dead',
    'outbox recover',
    'recordings list',
    'recordings save',
    'replay',
    'config show',
    'config diff',
    'config edit',
    'config forget',
    'central-system switch',
    'central-system test',
    'version',
  ])('%s answers a script in JSON', async (command) => {
    expect((await chargepoint(...command.split(' '), '--help')).out).toMatch(/^ {2}--json /m);
  });

  it('no line of any help is wider than 80 columns', async () => {
    const seen: string[] = [];
    const walk = async (argv: readonly string[]): Promise<void> => {
      const { code, out } = await chargepoint(...argv, '--help');
      seen.push(argv.join(' '));
      expect([argv, code, out.split('\n').filter((line) => [...line].length > 80)]).toEqual([argv, 0, []]);
      const [, commands = ''] = /\nCommands:\n([\s\S]*?)\n(?:\n|$)/.exec(out) ?? [];
      const names = [...commands.matchAll(/^ {2}([a-z][a-z-]*)/gm)].map(([, name = '']) => name);
      for (const name of names.filter((each) => each !== 'help')) await walk([...argv, name]);
    };
    await walk([]);
    expect(seen).toEqual(expect.arrayContaining(['contactor', 'central-system switch', 'meter watch', 'version']));
  });

  it('says what is possible, on stderr with exit code 78, for an unknown command or option', async () => {
    for (const argv of [['charge'], ['status', '--colour'], ['outbox', 'recover'], ['config', 'forget']]) {
      const { code, out, err } = await chargepoint(...argv);
      expect([code, out]).toEqual([78, '']);
      expect(err).toContain('--help');
    }
  });

  it('prints the version of the package', async () => {
    expect((await chargepoint('version')).out).toMatch(/^chargepoint \d+\.\d+\.\d+\S*, Node v/);
    const { version: node, platform, arch } = process;
    expect(JSON.parse((await chargepoint('version', '--json')).out)).toEqual({
      version: expect.stringMatching(/^\d+\.\d+\.\d+/),
      node,
      platform,
      arch,
    });
  });
});

describe('what reaches the terminal', () => {
  const foreign = fc.string({ unit: 'binary' });

  it.each(['out', 'err'] as const)(
    'by %s holds no escape sequence, whoever has sent the text, and else is as it was',
    (way) => {
      const stream = way === 'out' ? process.stdout : process.stderr;
      const write = vi.spyOn(stream, 'write').mockReturnValue(true);
      try {
        fc.assert(
          fc.property(foreign, (text) => {
            write.mockClear();
            processIo()[way](`\r${text}\t\n`);
            const kept = [...text].map((each) => (/(?![\t\n\r])\p{Cc}/u.test(each) ? '?' : each)).join('');
            expect(write.mock.calls).toEqual([[`\r${kept}\t\n`]]);
          }),
        );
      } finally {
        write.mockRestore();
      }
    },
  );

  it('as JSON holds none either, and loses nothing', () => {
    fc.assert(
      fc.property(fc.dictionary(foreign, foreign), (answer) => {
        const text = json(answer);
        expect(text).not.toMatch(/(?!\n)\p{Cc}/u);
        expect(JSON.parse(text)).toEqual(answer);
      }),
    );
    expect(json({ notice: '\u009b2J\u007f' })).toBe('{\n  "notice": "\\u009b2J\\u007f"\n}\n');
  });
});

describe('check', () => {
  it('passes a good file and prints what would be used, without secrets', async () => {
    const path = file({
      ...bench,
      stateDir: 'state',
      keys: { HeartbeatInterval: 300, AuthorizationKey: 'hush-hush-hush-hush' },
    });
    const { code, out, err } = await chargepoint('check', path);
    expect(code).toBe(0);
    expect(out).toContain(`PASS ${path}`);
    expect(out).toContain('ws://127.0.0.1:9000/cp001');
    expect(out).toContain('HeartbeatInterval: file 300\n');
    expect(out + err).not.toContain('hush');
  });

  it('shows the installation, its meter and what was chosen beyond the defaults', async () => {
    const row = async (content: object): Promise<string | undefined> =>
      /^Installation +(.*)$/m.exec((await chargepoint('check', file({ ...content, stateDir: directory }))).out)?.[1];
    expect(await row(bench)).toBe('230 V, 3 phases, safe current 6 A');
    const installation = { fuseA: 32, gridConnection: { fuseA: 35 }, dimming: { limitW: 4200 } };
    expect(await row({ ...bench, installation })).toBe(
      '230 V, 3 phases, fuse 32 A, safe current 6 A, house 35 A, dimming 4200 W',
    );
    const meter = { model: 'eastron-sdm630', bus: { port: '/dev/ttyUSB0' }, unit: 3 };
    const patient = { randomDelayS: 600, rampAPerMinute: 0.5, asymmetryA: 20, gridConnection: { fuseA: 35, meter } };
    expect(await row({ ...lab, installation: patient })).toMatch(
      /^230 V, 3 phases, safe current 6 A, random delay up to 600 s, ramp 0.5 A\/min, phases may differ by 20 A, house 35 A, .*SDM630.* unit 3 on \/dev\/ttyUSB0$/,
    );
  });

  it('shows how many roots of the manufacturer the file brings along, if it names any', async () => {
    const row = async (content: object): Promise<string | undefined> =>
      /^Firmware +(.*)$/m.exec((await chargepoint('check', file({ ...content, stateDir: directory }))).out)?.[1];
    expect(await row(bench)).toBeUndefined();
    const root = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
    writeFileSync(join(directory, 'maker.pem'), root + root);
    expect(await row({ ...bench, firmware: { rootFile: 'maker.pem' } })).toBe(
      'signed below one of 2 certificates of rootFile',
    );
  });

  it('shows what is watched, where anything is', async () => {
    const row = async (content: object): Promise<string | undefined> =>
      /^Protection +(.*)$/m.exec((await chargepoint('check', file({ ...content, stateDir: directory }))).out)?.[1];
    expect(await row(bench)).toBeUndefined();
    expect(await row(lab)).toBe('over-current within 7 s, no voltage');
    const protection = { country: 'AT', overCurrent: false, rcdTest: 'day', rcdReclosesOnUnplug: true };
    const contactorLife = { operations: 1000, underLoad: 10 };
    expect(await row({ ...lab, protection: { ...protection, contactorLife } })).toBe(
      'no over-current, 184..253 V, RCD tested each day, RCD forgotten at unplugging, contactor for 1000 cycles',
    );
  });

  it('lets no text of the central system move the cursor of who reads it', async () => {
    const path = file({ ...bench, stateDir: directory });
    const { url } = bench.centralSystem;
    const evil = 'one\u001b[2K\u009b1A\ntwo\r';
    const key = { name: 'HeartbeatInterval', value: evil, source: 'centralSystem', overrides: [] };
    await agentWith({ '/keys': { keys: [key] }, '/status': { url, fileUrl: url, notice: evil } });
    const { out, err } = await chargepoint('check', path);
    expect(err).toContain('warning one?[2K?1A?two?\n');
    expect(out).toContain('one?[2K?1A?two?');
    expect((out + err).replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
  });

  it('says which value wins, where a running agent knows', async () => {
    const path = file({ ...bench, stateDir: directory, keys: { HeartbeatInterval: 300 } });
    const key = {
      name: 'HeartbeatInterval',
      value: '60',
      source: 'centralSystem',
      since: Date.UTC(2026, 0, 5, 8),
      overrides: [
        { source: 'file', value: '300' },
        { source: 'default', value: '300' },
      ],
    };
    await agentWith({ '/keys': { keys: [key] } });
    expect((await chargepoint('check', path)).out).toContain(
      '  HeartbeatInterval: file 300, central system set 60 on 2026-01-05T08:00:00Z (wins)\n',
    );
  });

  it('says whom the running agent dials instead, unless the file was edited since', async () => {
    const notice = 'centralSystem.url ws://127.0.0.1:9000 has not led to a BootNotification Accepted within 300 s';
    await agentWith({ '/status': { url: 'ws://old', fileUrl: 'ws://127.0.0.1:9000', notice } });
    const same = await chargepoint('check', file({ ...bench, stateDir: directory }));
    expect(same.out).toContain('ws://old/cp001');
    expect(same.err).toContain(`warning ${notice}\n`);
    const centralSystem = { url: 'ws://edited:9000' };
    const edited = await chargepoint('check', file({ ...bench, stateDir: directory, centralSystem }));
    expect(edited.out).toContain('ws://edited:9000/cp001');
    expect(edited.err).not.toContain('has not led');
  });

  it('puts the identity before the query of the address, which it does not show', async () => {
    const centralSystem = { url: 'ws://127.0.0.1:9000/ocpp?k=canary' };
    const { out, err } = await chargepoint('check', file({ ...bench, stateDir: directory, centralSystem }));
    expect(out).toContain('ws://127.0.0.1:9000/ocpp/cp001?***');
    expect(out + err).not.toContain('canary');
  });

  it('of the bench inputs knows those of the house only where the installation has one', async () => {
    const withHouse = (grid: unknown) => ({
      ...bench,
      installation: { gridConnection: { fuseA: 35 } },
      bench: { inputs: { grid: { amps: grid } } },
    });
    expect((await chargepoint('check', file(withHouse([1, 2, 3])))).code).toBe(0);
    const wrong = await chargepoint('check', file(withHouse([1, 2])));
    expect(wrong.code).toBe(78);
    expect(wrong.err).toContain('grid.amps');
    const without = await chargepoint('check', file({ ...bench, bench: { inputs: { dimming: true } } }));
    expect(without).toMatchObject({ code: 0, err: expect.stringContaining('bench.inputs.dimming') });
  });

  it('prints every error with its place on stderr and exits 78', async () => {
    const path = file({ ...bench, boards: 1, chargePoint: { identity: 'x' } });
    const { code, out, err } = await chargepoint('check', path);
    expect([code, out]).toEqual([78, '']);
    expect(err).toContain('boards: is unknown\n    did you mean board?');
    expect(err).toContain('chargePoint.vendor: is missing');
    expect(err).toContain('3 errors; nothing was started');
  });

  it('prints warnings and still passes', async () => {
    const { code, err } = await chargepoint('check', file({ ...bench, options: { Nonsense: 1 } }));
    expect(code).toBe(0);
    expect(err).toMatch(/^warning .*chargepoint\.yaml:\d+:\d+ options\.Nonsense: /);
  });

  it('says the same in JSON, and nothing else', async () => {
    const bad = await chargepoint('check', '--json', file({ ...bench, chargePoint: { identity: 'x' } }));
    expect([bad.code, bad.err]).toEqual([78, '']);
    const report = JSON.parse(bad.out) as { errors: { path: string }[] };
    expect(report).toMatchObject({ passed: false, warnings: [] });
    expect(report.errors.map(({ path }) => path)).toContain('chargePoint.vendor');

    const keys = { HeartbeatInterval: 60, AuthorizationKey: 'a-key-that-nobody-reads' };
    const stateDir = join(directory, 'state');
    const good = await chargepointIn(
      { CHARGEPOINT_ROOT: directory },
      'check',
      '--json',
      file({ ...lab, stateDir, keys }),
    );
    expect([good.code, good.err]).toEqual([0, '']);
    expect(good.out).not.toContain('nobody-reads');
    expect(JSON.parse(good.out)).toMatchObject({
      passed: true,
      used: { Board: 'Raspberry Pi lab board', 'Connector 1': expect.stringContaining('opens within 90 ms') },
      keys: { HeartbeatInterval: 'file 60', AuthorizationKey: 'file ***' },
      safeOutputs: expect.stringContaining('safe-outputs'),
      warnings: expect.arrayContaining([
        expect.objectContaining({ path: 'acknowledgeLabUse', line: expect.any(Number) }),
        { message: expect.stringContaining('apt install gpiod') },
      ]),
    });
  });

  it('shows how fast a real board opens', async () => {
    const { code, out } = await chargepoint('check', file({ ...lab, stateDir: join(directory, 'state') }));
    expect(code).toBe(0);
    expect(out).toContain('opens within 90 ms');
    expect(out).toContain('Safe outputs written to ');
  });

  it('leaves the safe outputs of a running agent as they are: it drives those lines, whatever the file says now', async () => {
    const socket = await agentWith({ '/status': { url: 'wss://host/cp001' }, '/keys': { keys: [] } });
    const path = file({ ...lab, stateDir: join(directory, 'state'), control: { socket } });
    const outputs = join(directory, 'safe-outputs');
    writeFileSync(outputs, 'gpio pinctrl-bcm2711 12 0 0\n');
    const { code, out } = await chargepoint('check', path);
    expect([code, out.includes('Safe outputs')]).toEqual([0, false]);
    expect(readFileSync(outputs, 'utf8')).toBe('gpio pinctrl-bcm2711 12 0 0\n');
    await server?.close();
    await chargepoint('check', path);
    expect(readFileSync(outputs, 'utf8')).toContain('gpio pinctrl-bcm2711 17 0 0');
  });

  it('warns of a machine that would keep a contactor closed after the agent', async () => {
    const path = file({ ...lab, stateDir: join(directory, 'state') });
    const watchdog = join(directory, 'sys/class/watchdog/watchdog0');
    mkdirSync(watchdog, { recursive: true });
    writeFileSync(join(watchdog, 'state'), 'inactive\n');
    const { code, err } = await chargepointIn({ CHARGEPOINT_ROOT: directory, PATH: directory }, 'check', path);
    expect(code).toBe(0);
    expect(err).toMatch(/^warning there is neither gpioset .*apt install gpiod$/m);
    expect(err).toMatch(/^warning the hardware watchdog is off.*RuntimeWatchdogSec=14/m);
  });

  it('reads plain files and links to them, and nothing that may never end', async () => {
    const [pipe, link] = [join(directory, 'pipe'), join(directory, 'link.yaml')];
    execFileSync('mkfifo', [pipe]);
    // Whoever reads it all the same is to find an end.
    const writer = spawn('/bin/sh', ['-c', 'exec sleep 2 > "$0"', pipe]);
    for (const path of [pipe, '/dev/null', '/dev/tty'])
      expect(await chargepoint('check', path)).toMatchObject({ code: 78, err: expect.stringContaining('plain file') });
    writer.kill('SIGKILL');
    symlinkSync(file(bench), link);
    expect((await chargepoint('check', link)).code).toBe(0);
    expect((await chargepoint('check', directory)).err).toContain('it is a directory');
  });

  it('exits 78 for a file that is not there', async () => {
    const { code, err } = await chargepoint('check', join(directory, 'gone.yaml'));
    expect(code).toBe(78);
    expect(err).toContain('there is no such file');
  });
});

describe('status and outbox', () => {
  const status = {
    version: '1.2.3',
    identity: 'cp001',
    url: 'ws://h',
    connected: true,
    boot: 'Accepted',
    queue: 2,
    connectors: [
      { id: 1, status: 'Charging', transaction: 'online', transactionId: 42, limitA: 16, why: 'a reason '.repeat(30) },
    ],
  };

  it('ask the agent on the given socket, or on that of the configuration', async () => {
    const socket = await agentWith({ '/status': status });
    const path = file({ ...bench, stateDir: directory });
    for (const option of [
      ['--socket', socket],
      ['--config', path],
    ]) {
      const { code, out } = await chargepoint('status', ...option);
      expect(code).toBe(0);
      expect(out).toMatch(/1 +Charging +no\. 42 +16 A/);
      expect(fits(out)).toBe(true);
    }
  });

  it('tell at once that another connection is in force than the one that is wanted', async () => {
    const socket = await agentWith({
      '/status': { ...status, notice: `ws://${'long'.repeat(30)} has not led anywhere` },
    });
    const { out } = await chargepoint('status', '--socket', socket);
    expect(out).toContain('\nAttention:');
    expect(fits(out)).toBe(true);
  });

  it('print the whole answer with --json', async () => {
    const socket = await agentWith({
      '/status': status,
      '/outbox': { size: 0, pending: [] },
      '/outbox/dead': { deadLetters: [] },
    });
    expect(JSON.parse((await chargepoint('status', '--json', '--socket', socket)).out)).toEqual(status);
    expect(JSON.parse((await chargepoint('outbox', '--json', '--socket', socket)).out)).toEqual({
      size: 0,
      pending: [],
    });
    expect(JSON.parse((await chargepoint('outbox', 'dead', '--json', '--socket', socket)).out)).toEqual({
      deadLetters: [],
    });
  });

  it.each([['status'], ['outbox'], ['outbox', 'dead']])(
    '%s %s say in a sentence that no agent runs, with exit code 70',
    async (...argv) => {
      const { code, out, err } = await chargepoint(...argv, '--socket', join(directory, 'control.sock'));
      expect([code, out]).toEqual([70, '']);
      expect(err).toMatch(/^no agent is running: nobody listens on /);
    },
  );

  it('survive whatever an agent of another version answers, and let no escape sequence through', () => {
    for (const odd of [
      {},
      { connectors: 1 },
      { connectors: [null, { why: '\u001b[2J' }] },
      { pending: [1], deadLetters: [{ fact: 7 }] },
    ]) {
      const text = statusText(odd) + outboxText(odd) + deadText(odd);
      expect(text.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
      expect(fits(text)).toBe(true);
    }
  });

  it('list what waits and what was given up', () => {
    const fact = { action: 'StopTransaction', transaction: 't1' };
    expect(outboxText({ size: 7, pending: [fact] })).toMatch(/7 waiting[\s\S]*StopTransaction +t1/);
    const letter = {
      fact,
      attempts: 3,
      failure: { code: 'callError', remoteCode: 'InternalError', message: 'no such id' },
    };
    expect(deadText({ deadLetters: [letter] })).toMatch(/StopTransaction +t1 +3 +InternalError +no such id/);
  });
});

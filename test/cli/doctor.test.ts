/** `chargepoint doctor` on real files and the mock board: what it asks before it moves, what it leaves to a running agent, what it keeps. */
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Io } from '../../src/cli/io.ts';
import type { Line } from '../../src/cli/sheet.ts';
import { storeDirectory } from '../../src/cli/store-directory.ts';
import { type ControlServer, serveControl } from '../../src/control/server.ts';
import type { ControlRequest } from '../../src/features/feature.ts';
import { openKey } from '../../src/features/transactions/facts.ts';
import { socketFile } from '../../src/platform/socket-file.ts';
import { openStore } from '../../src/platform/store.ts';
import { silentLog } from '../sim/world.ts';
import { typed } from './support/typed.ts';

const NOBODY = 65_534;
const KEY = 'a-key-that-nobody-reads';
const TEXT = `chargePoint: { identity: cp001, vendor: Acme, model: Pi }
centralSystem: { url: "ws://127.0.0.1:1/path?token=hidden" }
board: mock
connectors: [{ id: 1, cable: socket }]
stateDir: state
control: { socket: control.sock }
keys: { AuthorizationKey: ${KEY} }
bench: {}
`;

let directory: string;
let file: string;
let server: ControlServer | undefined;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'doctor-'));
  file = join(directory, 'chargepoint.yaml');
  writeFileSync(file, TEXT, { mode: 0o600 });
});
afterEach(async () => {
  await server?.close();
  server = undefined;
  rmSync(directory, { recursive: true, force: true });
});

const chargepoint = (argv: readonly string[], ask?: Io['ask']) => typed(argv, ask === undefined ? {} : { ask });

const doctor = (...argv: string[]) => chargepoint(['doctor', '--config', file, ...argv]);

interface Sheet {
  readonly passed: boolean;
  readonly lines: readonly Line[];
  readonly report?: string;
}

async function sheetOf(
  ...argv: string[]
): Promise<Sheet & { readonly code: number; line(id: string): Line | undefined }> {
  const { code, out } = await doctor('--json', ...argv);
  const sheet = JSON.parse(out) as Sheet;
  return { ...sheet, code, line: (id) => sheet.lines.find((line) => line.id === id) };
}

const reports = (): readonly string[] => readdirSync(join(directory, 'state', 'reports')).sort();

describe('chargepoint doctor without an agent', () => {
  it('clicks the contactor of a board with nothing plugged in, once it may', async () => {
    const { code, out, err } = await doctor('--only', 'hardware', '--yes');
    expect(out).toContain('PASS  Control pilot         connector 1: +12 V reads back as A, no EV\n');
    expect(out).toMatch(/PASS {2}Contactor\n {4}connector 1: closed after \d+ ms, open \d+ ms after/);
    expect(err).toBe('The outlet gets live for 0.3 s.\n');
    expect(code).toBe(0);
  });

  it('moves nothing without a word of the person', async () => {
    const { line, code } = await sheetOf('--only', 'hardware');
    expect(line('contactor')).toMatchObject({ outcome: 'SKIP', next: 'Add --yes.' });
    expect(code).toBe(0);
  });

  it.each([
    ['y', 'PASS'],
    ['', 'SKIP'],
    ['no', 'SKIP'],
  ])('asks who sits at the terminal, and takes %j for %s', async (answer, outcome) => {
    const asked: string[] = [];
    const argv = ['doctor', '--config', file, '--only', 'hardware'];
    const { out } = await chargepoint(argv, async (question) => {
      asked.push(question);
      return answer;
    });
    expect(asked).toEqual([expect.stringContaining('THE OUTLET GETS LIVE')]);
    expect(out).toContain(`${outcome}  Contactor`);
  });

  it('does not click while a transaction has no stop', async () => {
    const { store } = await openStore(storeDirectory(join(directory, 'state')), silentLog);
    await store.batch([{ type: 'put', key: openKey('t1'), value: {} }], 'durable');
    await store.close();
    const { line } = await sheetOf('--only', 'hardware', '--yes');
    expect(line('contactor')).toMatchObject({ outcome: 'SKIP', detail: 'a transaction has no stop yet' });
  });

  it('leaves the board alone while somebody holds the store', async () => {
    const { store } = await openStore(storeDirectory(join(directory, 'state')), silentLog);
    const { line } = await sheetOf('--only', 'hardware', '--yes');
    await store.close();
    expect(line('gpio')).toMatchObject({ outcome: 'SKIP', next: expect.stringContaining('systemctl stop') });
    expect(line('contactor')).toMatchObject({ outcome: 'SKIP' });
  });

  it('gives the store back: a second run finds the board free', async () => {
    await sheetOf('--only', 'hardware', '--yes');
    expect((await sheetOf('--only', 'hardware', '--yes')).line('contactor')?.outcome).toBe('PASS');
  });

  it('fails with exit code 1, names the cause, and leaves out what needs it', async () => {
    const { code, line, passed } = await sheetOf('--only', 'network');
    expect(line('dns')?.outcome).toBe('PASS');
    expect(line('tcp')).toMatchObject({
      outcome: 'FAIL',
      detail: 'nobody listens there (127.0.0.1 port 1: ECONNREFUSED)',
    });
    expect(line('boot')).toMatchObject({ outcome: 'SKIP', because: 'TCP' });
    expect(line('gpio')).toBeUndefined();
    expect([code, passed]).toEqual([1, false]);
  });

  it('says what on this machine would keep a contactor closed after the agent, as check does', async () => {
    const real = `board: raspberry-pi-lab\nacknowledgeLabUse: true`;
    writeFileSync(
      file,
      TEXT.replace('board: mock', real)
        .replace('bench: {}\n', '')
        .replace(
          'cable: socket',
          'cable: attached, meter: { model: eastron-sdm630, bus: { port: /dev/ttyUSB9 }, unit: 1 }',
        ),
      { mode: 0o600 },
    );
    const module = join(directory, 'sys/module/pinctrl_rp1/parameters');
    mkdirSync(module, { recursive: true });
    writeFileSync(join(module, 'persist_gpio_outputs'), 'Y\n');
    const environment = { CHARGEPOINT_ROOT: directory, PATH: directory };
    const { out } = await typed(['doctor', '--config', file, '--only', 'network', '--json'], { environment });
    const { lines } = JSON.parse(out) as Sheet;
    const { err } = await typed(['check', file], { environment });
    const said = err.split('\n').flatMap((text) => /^warning (the kernel keeps .*)$/.exec(text)?.[1] ?? []);
    expect(said).toEqual([expect.stringContaining('dtparam=strict_gpiod')]);
    expect(lines[0]).toMatchObject({ id: 'config', outcome: 'PASS', next: expect.stringContaining(said[0] ?? '') });
    expect(lines[0]?.next).toMatch(/; \d+ warnings?: chargepoint check /);
  });

  it('says what is wrong with the configuration, and looks at nothing else', async () => {
    writeFileSync(file, TEXT.replace('identity: cp001', 'identity: 7'), { mode: 0o600 });
    const { code, lines, line, report } = await sheetOf();
    expect(line('config')).toMatchObject({ outcome: 'FAIL', next: `chargepoint check ${file}` });
    expect(line('config')?.detail).toContain(`${file}:1`);
    expect(lines.slice(1).every(({ outcome, because }) => outcome === 'SKIP' && because === 'Configuration')).toBe(
      true,
    );
    expect([code, report]).toEqual([1, undefined]);
  });

  it('keeps a report that only its owner may read, without secrets', async () => {
    const { out } = await doctor();
    const [asJson = '', asText = ''] = reports();
    expect(out).toContain(`Report: ${join(directory, 'state', 'reports', asText)}\n`);
    for (const name of [asJson, asText]) {
      const path = join(directory, 'state', 'reports', name);
      expect(statSync(path).mode & 0o777).toBe(0o600);
      const text = readFileSync(path, 'utf8');
      expect(text).toContain('nobody listens there');
      expect(text).not.toContain(KEY);
      expect(text).not.toContain('hidden');
    }
  });

  it('keeps the newest twenty reports', async () => {
    await doctor('--only', 'hardware');
    const folder = join(directory, 'state', 'reports');
    for (let day = 1; day < 30; day++) {
      for (const ending of ['txt', 'json'])
        writeFileSync(join(folder, `doctor-2025-01-${String(day).padStart(2, '0')}T00-00-00.000Z.${ending}`), '');
    }
    await doctor('--only', 'hardware');
    expect(reports()).toHaveLength(40);
    expect(reports().filter((name) => name.includes('2025-01-01'))).toEqual([]);
    expect(reports().at(-1)).not.toContain('2025');
  });

  it('fits into 80 columns', async () => {
    const { out } = await doctor('--yes');
    // A path may be longer.
    const long = out.split('\n').filter((line) => line.length > 80 && !line.includes(directory));
    expect(long).toEqual([]);
  });
});

describe('chargepoint doctor beside a running agent', () => {
  const SOUND = {
    watched: true,
    mains: 'on',
    faults: [],
    connectors: [{ id: 1, pilot: 'C' }],
  };

  async function agent(status: object, inputs?: object, click?: (body: unknown) => object): Promise<void> {
    server = await serveControl({
      socket: socketFile(join(directory, 'control.sock')),
      log: silentLog,
      routes: [
        { method: 'GET', path: '/status', handle: () => ({ connectors: [{ id: 1, transaction: 'none' }], ...status }) },
        ...(inputs === undefined ? [] : [{ method: 'GET' as const, path: '/inputs', handle: () => inputs }]),
        ...(click === undefined
          ? []
          : [{ method: 'POST' as const, path: '/service/click', handle: ({ body }: ControlRequest) => click(body) }]),
      ],
    });
  }

  it('has a free contactor clicked by the agent, once the person has said yes', async () => {
    const free = { id: 1, pilot: 'A', contactor: 'open', externalController: false };
    const bodies: unknown[] = [];
    const click = (body: unknown) => {
      bodies.push(body);
      return { closedAfterMs: 20, openedAfterMs: 11 };
    };
    await agent({ connected: true, boot: 'Accepted' }, { ...SOUND, connectors: [free] }, click);
    expect((await sheetOf('--only', 'hardware')).line('contactor')).toMatchObject({ next: 'Add --yes.' });
    expect(bodies).toEqual([]);
    expect((await sheetOf('--only', 'hardware', '--yes')).line('contactor')).toMatchObject({
      outcome: 'PASS',
      detail: 'connector 1: closed after 20 ms, open 11 ms after the coil was off',
    });
    expect(bodies).toEqual([{ connectorId: 1 }]);
  });

  it('sees board, pilot and faults with its eyes, and clicks no contactor with an EV there', async () => {
    await agent({ connected: true, boot: 'Accepted' }, SOUND);
    const { line } = await sheetOf('--only', 'hardware', '--yes');
    expect(line('gpio')).toMatchObject({
      outcome: 'PASS',
      detail: 'mock board: held by the running agent, its loops run',
    });
    expect(line('pilot')).toMatchObject({ outcome: 'PASS', detail: expect.stringContaining('reads C') });
    expect(line('faults')?.outcome).toBe('PASS');
    expect(line('contactor')).toMatchObject({ outcome: 'SKIP', detail: 'something is plugged in' });
  });

  it.each<[string, object, string]>([
    ['loops that stand', { ...SOUND, watched: false }, 'gpio'],
    ['a pilot without a voltage', { ...SOUND, connectors: [{ id: 1, pilot: 'E' }] }, 'pilot'],
    ['a fault', { ...SOUND, faults: [{ code: 'groundFault', connectorId: 1, info: 'RCD tripped' }] }, 'faults'],
    ['mains that fail', { ...SOUND, mains: 'failing' }, 'faults'],
  ])('fails for %s', async (_what, inputs, id) => {
    await agent({ connected: true, boot: 'Accepted' }, inputs);
    const { line, code } = await sheetOf('--only', 'hardware');
    expect(line(id)?.outcome).toBe('FAIL');
    expect(code).toBe(1);
  });

  it('does not open the board either if it tells nothing', async () => {
    await agent({ connected: false, boot: null });
    const { line } = await sheetOf('--only', 'hardware', '--yes');
    for (const id of ['gpio', 'pilot', 'contactor']) expect(line(id)?.outcome).toBe('SKIP');
    expect(line('gpio')?.detail).toContain('does not tell');
  });

  it('claims nothing of an agent that this user may not ask, and says how he may', async () => {
    await agent({ connected: true, boot: 'Accepted' }, SOUND);
    chmodSync(join(directory, 'control.sock'), 0);
    chmodSync(directory, 0o755);
    chmodSync(file, 0o644);
    // To root everything is allowed.
    const isRoot = process.geteuid?.() === 0;
    if (isRoot) process.seteuid?.(NOBODY);
    const { lines, line } = await sheetOf('--yes').finally(() => isRoot && process.seteuid?.(0));
    for (const id of ['gpio', 'pilot', 'faults', 'contactor', 'meter']) {
      expect(line(id)).toMatchObject({ outcome: 'SKIP', next: expect.stringMatching(/sudo.*group/) });
      expect(line(id)?.detail).toContain('no permission');
    }
    expect(lines.flatMap(({ outcome, id }) => (outcome === 'FAIL' && id !== 'tcp' ? [id] : []))).toEqual([]);
    expect(JSON.stringify(lines)).not.toMatch(/systemctl stop|running agent|an agent runs/);
  });

  it('says who charges, and that the contactor has to wait', async () => {
    await agent({ connected: true, boot: 'Accepted', connectors: [{ id: 1, transaction: 'online' }] }, SOUND);
    const { line } = await sheetOf('--only', 'hardware', '--yes');
    expect(line('contactor')).toMatchObject({ outcome: 'SKIP', detail: 'connector 1 has a transaction' });
  });

  it('takes its word for a link that stands, and looks at name and port all the same', async () => {
    await agent({ connected: true, boot: 'Accepted' });
    const { code, line } = await sheetOf('--only', 'network');
    expect(line('tcp')?.outcome).toBe('FAIL');
    expect(line('upgrade')).toMatchObject({ outcome: 'SKIP', because: 'TCP' });
    expect(code).toBe(1);
  });
});

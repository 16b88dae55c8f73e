/** `chargepoint central-system switch` on real files: with and without an agent, and everything that refuses. */
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadFor } from '../../src/cli/configuration.ts';
import type { Io } from '../../src/cli/io.ts';
import { program } from '../../src/cli/program.ts';
import { storeDirectory } from '../../src/cli/store-directory.ts';
import { switchRoute } from '../../src/cli/switch-route.ts';
import { type ControlServer, serveControl } from '../../src/control/server.ts';
import { openKey } from '../../src/features/transactions/facts.ts';
import { bindingKey, factKey } from '../../src/ocpp/outbox/fact.ts';
import { socketFile } from '../../src/platform/socket-file.ts';
import { openStore } from '../../src/platform/store.ts';
import type { Store, StoreOperation } from '../../src/ports.ts';
import { VirtualClock } from '../sim/virtual-clock.ts';
import { silentLog } from '../sim/world.ts';

const TEXT = `# The box at the gate
chargePoint: { identity: cp001, vendor: Acme, model: Pi }
centralSystem:
  url: ws://127.0.0.1:9000   # no wss yet
board: mock
connectors: [{ id: 1, cable: socket }]
stateDir: state
bench: {}
`;
const NEW = ['--url', 'ws://127.0.0.1:9100/new', '--identity', 'cp002'];
const fact = { action: 'StopTransaction', transaction: 't1', content: { meterStop: 7 } } as const;
const CACHED: StoreOperation = { type: 'put', key: 'cache/abc', value: { status: 'Accepted', order: 1 } };

let directory: string;
let file: string;
let held: Store | undefined;
let server: ControlServer | undefined;
let printed: { out: string; err: string };
let io: Io;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'switch-'));
  file = join(directory, 'chargepoint.yaml');
  writeFileSync(file, TEXT, { mode: 0o640 });
  printed = { out: '', err: '' };
  io = {
    out: (text) => {
      printed.out += text;
    },
    err: (text) => {
      printed.err += text;
    },
    script: resolve(import.meta.dirname, '../../src/main.ts'),
    environment: {},
    isTerminal: false,
  };
});
afterEach(async () => {
  await server?.close();
  await held?.close();
  server = undefined;
  held = undefined;
  rmSync(directory, { recursive: true, force: true });
});

const open = async (): Promise<Store> => {
  held = (await openStore(storeDirectory(join(directory, 'state')), silentLog)).store;
  return held;
};

async function stored(...extra: StoreOperation[]): Promise<void> {
  const store = await open();
  await store.batch(
    [
      { type: 'put', key: factKey(0), value: fact },
      { type: 'put', key: bindingKey('t1'), value: { transactionId: 42 } },
      CACHED,
      ...extra,
    ],
    'durable',
  );
  await close();
}

async function close(): Promise<void> {
  await held?.close();
  held = undefined;
}

const cached = async (): Promise<unknown> => {
  const value = await (await open()).get('cache/abc');
  await close();
  return value;
};

const switched = (...argv: string[]) => program(io, ['central-system', 'switch', '--config', file, ...argv]);

const exported = (): { readonly name: string; readonly content: unknown } => {
  const [name = ''] = readdirSync(join(directory, 'state', 'exports'));
  const path = join(directory, 'state', 'exports', name);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  return { name, content: JSON.parse(readFileSync(path, 'utf8')) as unknown };
};

const NEW_TEXT = TEXT.replace('ws://127.0.0.1:9000', 'ws://127.0.0.1:9100/new').replace('cp001', 'cp002');

async function expectOld(): Promise<void> {
  expect(readFileSync(file, 'utf8')).toBe(TEXT);
  expect(await cached()).toBeDefined();
}

describe('central-system switch without an agent', () => {
  it('explains itself, and does nothing without --yes', async () => {
    await stored();
    expect(await switched(...NEW)).toBe(78);
    expect(printed.out).toContain('cp001 at ws://127.0.0.1:9000 becomes cp002 at ws://127.0.0.1:9100/new');
    expect(printed.err).toContain('Nothing was done: add --yes');
    await expectOld();
  });

  it('tells a script in JSON what it would do, and what it has done', async () => {
    await stored();
    const plan = {
      from: { url: 'ws://127.0.0.1:9000', identity: 'cp001' },
      to: { url: 'ws://127.0.0.1:9100/new', identity: 'cp002' },
    };
    expect(await switched(...NEW, '--json')).toBe(78);
    expect(JSON.parse(printed.out)).toEqual({ ...plan, switched: false });
    printed.out = '';
    expect(await switched(...NEW, '--yes', '--json')).toBe(0);
    expect(JSON.parse(printed.out)).toEqual({
      ...plan,
      switched: true,
      byAgent: false,
      done: expect.stringMatching(/^Switched\. 1 unconfirmed messages are in /),
    });
  });

  it('exports, clears and edits the file: comments and mode stay', async () => {
    await stored();
    expect(await switched(...NEW, '--yes')).toBe(0);
    expect(readFileSync(file, 'utf8')).toBe(NEW_TEXT);
    expect(statSync(file).mode & 0o777).toBe(0o640);
    expect(await cached()).toBeUndefined();
    const { name, content } = exported();
    expect(name).toMatch(/^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ-cp001\.json$/);
    expect(content).toMatchObject({
      from: { url: 'ws://127.0.0.1:9000', identity: 'cp001' },
      to: { url: 'ws://127.0.0.1:9100/new', identity: 'cp002' },
      facts: [fact],
      deadLetters: [],
      bindings: [['t1', 42]],
    });
    expect(printed.out).toContain(name);
  });

  it('follows a link to the file and leaves the link', async () => {
    const link = join(directory, 'link.yaml');
    symlinkSync(file, link);
    expect(await program(io, ['central-system', 'switch', '--config', link, ...NEW, '--yes'])).toBe(0);
    expect(readFileSync(file, 'utf8')).toBe(NEW_TEXT);
    expect(readFileSync(link, 'utf8')).toBe(NEW_TEXT);
  });

  it.each([
    [['--url', 'http://new'], 'expected an address that begins with ws:// or wss://'],
    [['--url', 'ws://127.0.0.1:9000'], 'already'],
    [['--url', 'ws://new', '--identity', 'x'.repeat(256)], 'chargePoint.identity'],
  ])('refuses %j with exit code 78', async (argv, words) => {
    await stored();
    expect(await switched(...argv, '--yes')).toBe(78);
    expect(printed.err).toContain(words);
    await expectOld();
  });

  it('refuses while a transaction has no stop, with exit code 70', async () => {
    await stored({ type: 'put', key: openKey('t2'), value: {} });
    expect(await switched(...NEW, '--yes')).toBe(70);
    expect(printed.err).toContain('a transaction has no stop yet');
    await expectOld();
    expect(existsSync(join(directory, 'state', 'exports'))).toBe(false);
  });

  it('refuses while an agent that does not answer holds the store, with exit code 70', async () => {
    await stored();
    await open();
    expect(await switched(...NEW, '--yes')).toBe(70);
    expect(printed.err).toContain('An agent is running on this store');
    await close();
    await expectOld();
  });
});

describe('central-system switch with an agent', () => {
  const exits: string[] = [];
  const stops: string[] = [];
  let clock: VirtualClock;

  async function withAgent(transaction: 'none' | 'online'): Promise<void> {
    exits.length = 0;
    stops.length = 0;
    clock = new VirtualClock();
    const config = loadFor(io, file)?.config;
    if (config === undefined) throw new Error(printed.err);
    const connector = { id: 1, transaction, status: 'Available', transactionId: null, limitA: 32, why: '' } as const;
    const route = switchRoute({
      io,
      agent: {
        view: () => ({ connected: true, boot: 'Accepted', queue: 0, connectors: [connector] }),
        stop: async (reason) => void stops.push(reason),
      },
      config,
      ports: { store: await open(), clock, log: silentLog, system: { exit: (kind) => void exits.push(kind) } },
    });
    const socket = socketFile(join(directory, 'state', 'control.sock'));
    server = await serveControl({ socket, log: silentLog, routes: [route] });
  }

  it('lets the agent do it, which ends first and exits behind its answer', async () => {
    await stored();
    await withAgent('none');
    expect(await switched(...NEW, '--yes')).toBe(0);
    expect(stops).toEqual(['Other']);
    expect(exits).toEqual([]);
    await clock.advance(1000);
    expect(exits).toEqual(['reset']);
    await close();
    expect(readFileSync(file, 'utf8')).toBe(NEW_TEXT);
    expect(await cached()).toBeUndefined();
    expect(printed.out).toContain(exported().name);
  });

  it('refuses while a transaction runs, and the agent goes on', async () => {
    await stored();
    await withAgent('online');
    expect(await switched(...NEW, '--yes')).toBe(70);
    expect(printed.err).toContain('connector 1 has a transaction');
    expect(stops).toEqual([]);
    await close();
    await expectOld();
  });
});

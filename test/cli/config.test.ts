/** `chargepoint config` against a running agent's socket and against the store of one that does not run. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { keysText } from '../../src/cli/config.ts';
import { storeDirectory } from '../../src/cli/store-directory.ts';
import { type ControlServer, serveControl } from '../../src/control/server.ts';
import { heartbeatInterval } from '../../src/features/boot/boot.ts';
import { Configuration } from '../../src/features/configuration/configuration.ts';
import { keyRoutes } from '../../src/features/configuration/key-routes.ts';
import { socketFile } from '../../src/platform/socket-file.ts';
import { openStore } from '../../src/platform/store.ts';
import type { Store } from '../../src/ports.ts';
import { bench } from '../config/support.ts';
import { VirtualClock } from '../sim/virtual-clock.ts';
import { silentLog } from '../sim/world.ts';
import { typed } from './support/typed.ts';

let directory: string;
let file: string;
let server: ControlServer | undefined;
let held: Store | undefined;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'config-'));
  file = join(directory, 'chargepoint.yaml');
  preset('300');
});
afterEach(async () => {
  await server?.close();
  await held?.close();
  server = undefined;
  held = undefined;
  rmSync(directory, { recursive: true, force: true });
});

function preset(value: string): void {
  writeFileSync(file, JSON.stringify({ ...bench, stateDir: 'state', keys: { HeartbeatInterval: value } }));
}

async function configuration(): Promise<Configuration> {
  held = (await openStore(storeDirectory(join(directory, 'state')), silentLog)).store;
  return Configuration.open({
    keys: [heartbeatInterval],
    presets: { HeartbeatInterval: '300' },
    store: held,
    clock: new VirtualClock(),
    log: silentLog,
  });
}

/** The central system has set 60 on top of the file's 300; then the agent has ended. */
async function afterAgent(): Promise<void> {
  await (await configuration()).change('HeartbeatInterval', '60');
  await held?.close();
  held = undefined;
}

async function withAgent(): Promise<Configuration> {
  const settings = await configuration();
  await settings.change('HeartbeatInterval', '60');
  const socket = socketFile(join(directory, 'state', 'control.sock'));
  server = await serveControl({ socket, log: silentLog, routes: keyRoutes(settings) });
  return settings;
}

const chargepoint = (...argv: string[]) => typed([...argv, '--config', file]);

async function check() {
  const { code, ...said } = await typed(['check', file]);
  expect(code).toBe(0);
  return said;
}

const LINE = /HeartbeatInterval +central system +2026-01-05T08:00:00Z +60 \(file 300, default 300\)\n/;

/** Every byte below the state directory. */
const bytes = (): string => {
  const state = storeDirectory(join(directory, 'state'));
  return readdirSync(state)
    .toSorted()
    .map((name) => `${name} ${readFileSync(join(state, name)).toString('base64')}`)
    .join('\n');
};

describe('config show', () => {
  it('asks the running agent', async () => {
    await withAgent();
    expect(await chargepoint('config', 'show')).toMatchObject({ code: 0, out: expect.stringMatching(LINE), err: '' });
  });

  it('reads the store where no agent runs, and changes not a byte of it', async () => {
    await afterAgent();
    const before = bytes();
    const { code, out } = await chargepoint('config', 'show');
    expect(code).toBe(0);
    expect(out).toMatch(LINE);
    expect(out).toContain('No agent is running');
    expect(out).not.toContain('ConnectionTimeOut');
    expect(bytes()).toBe(before);
  });

  it('makes no store where there is none, and tells the file and, with --effective, the defaults', async () => {
    const { code, out } = await chargepoint('config', 'show', '--effective', '--json');
    expect(code).toBe(0);
    const { keys } = JSON.parse(out) as { keys: readonly unknown[] };
    expect(keys).toContainEqual(expect.objectContaining({ name: 'HeartbeatInterval', value: '300', source: 'file' }));
    expect(keys).toContainEqual(expect.objectContaining({ name: 'ConnectionTimeOut', source: 'default' }));
    expect(readdirSync(directory)).toEqual(['chargepoint.yaml']);
  });

  it('says what an edited file will do at the next start; so does check', async () => {
    await afterAgent();
    preset('90');
    // And where.
    expect((await chargepoint('config', 'show')).out).toMatch(/HeartbeatInterval +chargepoint\.yaml:1 +90 /);
    expect((await check()).out).toContain(
      '  HeartbeatInterval: file 90, edited since the last start (wins), central system set 60 on 2026-01-05T08:00:00Z (forgotten)\n',
    );
  });

  it('check finds in the store, too, that the agent has gone back from what the file says', async () => {
    await afterAgent();
    const { store } = await openStore(storeDirectory(join(directory, 'state')), silentLog);
    const { url } = bench.centralSystem;
    const wanted = { url, identity: 'cp001', verifyHostname: true, securityProfile: 0, authorizationKey: '' };
    const value = { ...wanted, url: 'ws://confirmed' };
    await store.batch([{ type: 'put', key: 'connection/confirmed', value }], 'durable');
    const returned = { candidate: { endpoint: wanted, by: 'file' }, since: Date.UTC(2026, 0, 5, 8) };
    await store.batch([{ type: 'put', key: 'connection/returned', value: returned }], 'durable');
    await store.close();
    const { out, err } = await check();
    expect(out).toContain('ws://confirmed/cp001');
    expect(err).toContain(
      `warning centralSystem.url ${url} has not led to a BootNotification Accepted within 300 s: back to ws://confirmed since 2026-01-05T08:00:00.000Z`,
    );
  });

  it('survives whatever an agent of another version answers', () => {
    for (const odd of [{}, { overrides: 1, since: 'x' }, { name: '\u001b[2J', overrides: [null], since: 1e300 }])
      expect(keysText([odd]).replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
  });
});

describe('config forget', () => {
  it('takes effect at once in the running agent', async () => {
    const settings = await withAgent();
    expect(await chargepoint('config', 'forget', 'HeartbeatInterval')).toEqual({
      code: 0,
      out: 'Forgotten: HeartbeatInterval\n',
      err: '',
    });
    expect(settings.get(heartbeatInterval)).toBe(300);
  });

  it('changes the store where no agent runs', async () => {
    await afterAgent();
    expect((await chargepoint('config', 'forget', '--all')).out).toBe(
      'Forgotten: HeartbeatInterval, from the next start on\n',
    );
    expect((await configuration()).get(heartbeatInterval)).toBe(300);
  });

  it('tells a script in JSON what is forgotten', async () => {
    await withAgent();
    const forget = async (...argv: string[]) =>
      JSON.parse((await chargepoint('config', 'forget', '--json', ...argv)).out) as unknown;
    expect(await forget('HeartbeatInterval')).toEqual({ forgotten: ['HeartbeatInterval'], atNextStart: [] });
    expect(await forget('HeartbeatInterval')).toEqual({ forgotten: [], atNextStart: [] });
  });

  it('keeps away from a store whose agent does not answer, with exit code 70', async () => {
    await configuration();
    const { code, err } = await chargepoint('config', 'forget', '--all');
    expect(code).toBe(70);
    expect(err).toContain('An agent is running on this store');
  });

  it.each([[['Nope']], [[]], [['HeartbeatInterval', '--all']]])('refuses %j with exit code 78', async (argv) => {
    await afterAgent();
    const { code, out, err } = await chargepoint('config', 'forget', ...argv);
    expect([code, out]).toEqual([78, '']);
    expect(err).not.toBe('');
    expect((await chargepoint('config', 'show')).out).toMatch(LINE);
  });

  it('of what nobody has set says so', async () => {
    await withAgent();
    expect(await chargepoint('config', 'forget', 'ConnectionTimeOut')).toMatchObject({ code: 78 });
    expect((await chargepoint('config', 'forget', 'HeartbeatInterval')).code).toBe(0);
    expect((await chargepoint('config', 'forget', 'HeartbeatInterval')).out).toContain('has not set that');
  });
});

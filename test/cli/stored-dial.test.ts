/** What the next dial is made with, read from the store of an agent that does not run, or does. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { loadFor } from '../../src/cli/configuration.ts';
import type { Io } from '../../src/cli/io.ts';
import { keyDirectory, storeDirectory } from '../../src/cli/store-directory.ts';
import { storedDial } from '../../src/cli/stored.ts';
import type { AgentConfig } from '../../src/config.ts';
import { type OwnRow, ownKey, type RootRow, rootKey } from '../../src/features/certificates/rows.ts';
import { FileKeyStore } from '../../src/platform/key-store.ts';
import { openStore } from '../../src/platform/store.ts';
import type { Store } from '../../src/ports.ts';
import { silentLog } from '../sim/world.ts';

const KEY = 'a-key-of-20-letters.';
const STAMP = { bootId: 'b', at: 0, wall: 0, trusted: true };

let directory: string;
let config: AgentConfig;
let store: Store;
let io: Io;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'dial-'));
  const file = join(directory, 'chargepoint.yaml');
  const text = {
    chargePoint: { identity: 'cp001', vendor: 'Acme', model: 'Pi' },
    centralSystem: { url: 'ws://127.0.0.1:9000', securityProfile: 1 },
    board: 'mock',
    connectors: [{ id: 1, cable: 'attached' }],
    stateDir: 'state',
    keys: { AuthorizationKey: KEY },
    bench: {},
  };
  writeFileSync(file, JSON.stringify(text), { mode: 0o600 });
  const complain = (said: string): never => expect.unreachable(said);
  io = {
    out: complain,
    err: complain,
    script: resolve(import.meta.dirname, '../../src/main.ts'),
    environment: {},
    isTerminal: false,
  };
  const loaded = loadFor(io, file);
  if (loaded === undefined) throw new Error('the configuration does not load');
  config = { ...loaded.config, centralSystem: { ...loaded.config.centralSystem, certificateAuthorities: ['FILE'] } };
  store = (await openStore(storeDirectory(config.stateDir), silentLog)).store;
});
afterEach(async () => {
  await store.close();
  rmSync(directory, { recursive: true, force: true });
});

const root = (pem: string, use: RootRow['use']): RootRow => ({
  use,
  pem,
  fingerprint: pem,
  subject: pem,
  hashes: [],
  installed: STAMP,
});

it('has what the file says before there is anything in the store', async () => {
  expect(await storedDial(io, config)).toEqual({
    endpoint: {
      url: 'ws://127.0.0.1:9000',
      identity: 'cp001',
      verifyHostname: true,
      securityProfile: 1,
      authorizationKey: KEY,
    },
    roots: ['FILE'],
    own: undefined,
  });
});

it('trusts the installed roots of the central system and those of caFile, each once, and no other', async () => {
  const roots = [
    root('INSTALLED', 'CentralSystemRootCertificate'),
    root('FILE', 'CentralSystemRootCertificate'),
    root('FIRMWARE', 'ManufacturerRootCertificate'),
  ];
  await store.batch(
    roots.map((value) => ({ type: 'put', key: rootKey(value), value })),
    'durable',
  );
  expect([...(await storedDial(io, config)).roots].sort()).toEqual(['FILE', 'INSTALLED']);
});

it('shows the newest certificate of the charge point, while the agent holds the store', async () => {
  const keys = new FileKeyStore(keyDirectory(config.stateDir), silentLog);
  const [old, fresh] = [await keys.generate('ecP256'), await keys.generate('ecP256')];
  const row = (chain: string, key: OwnRow['key'], notBefore: number): OwnRow => ({
    chain,
    fingerprint: chain,
    key,
    hashes: [],
    notBefore,
    notAfter: notBefore + 1,
    installed: STAMP,
  });
  await store.batch(
    [row('OLD', old, 1), row('NEW', fresh, 2)].map((value) => ({ type: 'put', key: ownKey(value), value })),
    'durable',
  );
  const { own } = await storedDial(io, config);
  expect(own).toEqual({ chain: 'NEW', key: await keys.privateKey(fresh.id) });
});

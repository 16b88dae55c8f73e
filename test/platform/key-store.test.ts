/** Private keys in files and, for the simulation, in memory: one contract; then what only files can get wrong. */
import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FileKeyStore } from '../../src/platform/key-store.ts';
import type { KeyStore, Log } from '../../src/ports.ts';
import { MemoryKeyStore } from '../sim/memory-key-store.ts';
import { longestTurnOfBest, MOST_MS } from '../turns.ts';

let folder: string;
let directory: string;
let logged: string[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'keys-'));
  directory = join(folder, 'state', 'keys');
  logged = [];
});
afterEach(() => rmSync(folder, { recursive: true }));

const note = (message: string, fields?: Record<string, unknown>) => void logged.push(`${message} ${inspect(fields)}`);
const log: Log = { debug: note, info: note, warn: note, error: note, child: () => log };
const open = (): FileKeyStore => new FileKeyStore(directory, log);
const mode = (path: string): string => (statSync(path).mode & 0o777).toString(8);
const fileOf = (id: string): string => join(directory, `${id}.pem`);
const DATA = Buffer.from('to be signed');
const UNKNOWN = '0'.repeat(32);

describe.each<[string, () => KeyStore]>([
  ['in files', open],
  ['in memory', () => new MemoryKeyStore()],
])('Keys %s', (_where, make) => {
  it.each([
    ['ecP256', 'ec', 'prime256v1'],
    ['rsa2048', 'rsa', 2048],
  ] as const)('make an %s key that signs', async (kind, type, size) => {
    const keys = make();
    const key = await keys.generate(kind);
    expect(key).toEqual({ id: expect.stringMatching(/^[0-9a-f]{32}$/), kind, publicKey: expect.any(String) });
    const { asymmetricKeyType, asymmetricKeyDetails } = createPublicKey(key.publicKey);
    expect([asymmetricKeyType, asymmetricKeyDetails?.namedCurve ?? asymmetricKeyDetails?.modulusLength]).toEqual([
      type,
      size,
    ]);
    const signature = await keys.sign(key.id, DATA);
    expect(verify('sha256', DATA, key.publicKey, signature ?? Buffer.alloc(0))).toBe(true);
    expect(verify('sha256', Buffer.from('other'), key.publicKey, signature ?? Buffer.alloc(0))).toBe(false);
  });

  it('list what was made and not deleted, ordered by id', async () => {
    const keys = make();
    expect(await keys.list()).toEqual([]);
    const made = await Promise.all(['ecP256', 'ecP256', 'rsa2048', 'ecP256'].map((k) => keys.generate(k as 'ecP256')));
    expect(await keys.list()).toEqual([...made].sort((a, b) => (a.id < b.id ? -1 : 1)));
    await keys.delete(made[1]?.id ?? '');
    expect((await keys.list()).map(({ id }) => id)).toEqual([made[0], made[2], made[3]].map((key) => key?.id).sort());
  });

  it('hand out the private key that belongs to the public one', async () => {
    const keys = make();
    const key = await keys.generate('ecP256');
    const pem = (await keys.privateKey(key.id)) ?? '';
    expect(pem).toMatch(/^-----BEGIN PRIVATE KEY-----\n/);
    expect(createPublicKey(pem).export({ type: 'spki', format: 'pem' })).toBe(key.publicKey);
  });

  it('know nothing of a key that was never there, or is gone', async () => {
    const keys = make();
    const { id } = await keys.generate('ecP256');
    await keys.delete(id);
    for (const gone of [id, UNKNOWN]) {
      expect(await keys.privateKey(gone)).toBeUndefined();
      expect(await keys.sign(gone, DATA)).toBeUndefined();
      await keys.delete(gone);
    }
  });
});

describe('Keys in files', () => {
  it('are their own only, whatever the process is used to', async () => {
    const before = process.umask(0);
    try {
      const { id } = await open().generate('ecP256');
      expect([mode(directory), mode(fileOf(id))]).toEqual(['700', '600']);
      expect(readdirSync(directory)).toEqual([`${id}.pem`]);
    } finally {
      process.umask(before);
    }
  });

  it('become so again when somebody has opened them', async () => {
    const { id } = await open().generate('ecP256');
    chmodSync(directory, 0o755);
    chmodSync(fileOf(id), 0o644);
    await open().generate('ecP256');
    expect([mode(directory), mode(fileOf(id))]).toEqual(['700', '600']);
  });

  it('are there for the next process', async () => {
    const key = await open().generate('rsa2048');
    expect(await open().list()).toEqual([key]);
    expect(await open().privateKey(key.id)).toBe(readFileSync(fileOf(key.id), 'utf8'));
  });

  it('are not made where none are asked for', async () => {
    expect(await open().list()).toEqual([]);
    await open().delete(UNKNOWN);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('lose the half that a killed process left, and nothing that is not theirs', async () => {
    const { id } = await open().generate('ecP256');
    writeFileSync(`${fileOf(UNKNOWN)}.new`, '-----BEGIN PRIV');
    writeFileSync(join(directory, 'README'), 'mine');
    const keys = open();
    expect((await keys.list()).map((key) => key.id)).toEqual([id]);
    const second = await keys.generate('ecP256');
    expect(readdirSync(directory).sort()).toEqual(['README', `${id}.pem`, `${second.id}.pem`].sort());
  });

  it.each([
    ['cut short', (pem: string) => pem.slice(0, 60)],
    ['empty', () => ''],
    [
      'another key',
      () => generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey.export({ type: 'pkcs8', format: 'pem' }),
    ],
    [
      'a key of another size',
      () => generateKeyPairSync('ec', { namedCurve: 'secp384r1' }).privateKey.export({ type: 'pkcs8', format: 'pem' }),
    ],
  ])('are as good as none when the file is %s, which is said without showing it', async (_what, damage) => {
    const keys = open();
    const { id } = await keys.generate('ecP256');
    const whole = await keys.generate('ecP256');
    const pem = readFileSync(fileOf(id), 'utf8');
    const damaged = damage(pem);
    writeFileSync(fileOf(id), damaged);
    expect(await keys.list()).toEqual([whole]);
    expect(await keys.privateKey(id)).toBeUndefined();
    expect(await keys.sign(id, DATA)).toBeUndefined();
    expect(logged).toEqual(Array(3).fill(`a private key cannot be used: its file is damaged { key: '${id}' }`));
  });

  it('never reach outside their directory', async () => {
    await open().generate('ecP256');
    const outside = join(folder, 'state', 'outside.pem');
    copyFileSync(fileOf((await open().list())[0]?.id ?? ''), outside);
    for (const id of ['../outside', '..', '', 'x/../../outside', `${UNKNOWN}/../../outside`]) {
      expect(await open().privateKey(id)).toBeUndefined();
      expect(await open().sign(id, DATA)).toBeUndefined();
      await open().delete(id);
    }
    expect(statSync(outside).size).toBeGreaterThan(0);
    expect(logged).toEqual([]);
  });

  it('reject with a StoreError where the machine does not let us, and work once it does', async () => {
    writeFileSync(join(folder, 'state'), 'no directory');
    const keys = open();
    await expect(keys.generate('ecP256')).rejects.toMatchObject({ name: 'StoreError', code: 'storeBroken' });
    await expect(keys.list()).rejects.toMatchObject({ name: 'StoreError', code: 'storeBroken' });
    await expect(keys.privateKey(UNKNOWN)).rejects.toMatchObject({ name: 'StoreError', code: 'storeBroken' });
    rmSync(join(folder, 'state'));
    mkdirSync(join(folder, 'state'));
    const key = await keys.generate('ecP256');
    expect(await keys.list()).toEqual([key]);
  });

  it('say nothing of themselves: not to the log, not when they are shown', async () => {
    const keys = open();
    const key = await keys.generate('ecP256');
    const secret = (await keys.privateKey(key.id))?.split('\n')[1] ?? '';
    await keys.sign(key.id, DATA);
    await keys.delete(key.id);
    expect(secret.length).toBeGreaterThan(40);
    expect(`${logged.join()}${inspect(keys, { depth: 9, showHidden: true })}${inspect(key)}`).not.toContain(secret);
    expect(logged).toEqual([]);
  });

  it('are made and used beside the event loop (RSA as well)', async () => {
    const keys = open();
    const best = await longestTurnOfBest(async () => {
      const { id } = await keys.generate('rsa2048');
      await keys.sign(id, DATA);
    });
    expect(best).toBeLessThan(MOST_MS);
  });
});

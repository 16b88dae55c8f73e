/** Downloads and uploads over FTP in bad hours: refusals, cut connections, strangers. */
import { Buffer } from 'node:buffer';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { TransferError } from '../../src/errors.ts';
import { nodeTransfers } from '../../src/platform/transfers.ts';
import type { DownloadOptions, UploadOptions } from '../../src/ports.ts';
import { type Behaviour, FtpPuppet } from './support/ftp-puppet.ts';
import { Loopback } from './support/loopback-server.ts';

const IMAGE = Buffer.from(Array.from({ length: 100_000 }, (_, index) => (index * 31 + (index >> 8)) & 255));
const NEWER = Buffer.alloc(IMAGE.length, 7);
const files = { 'fw/image.bin': IMAGE };
const date = '20260101120000';

const loopback = new Loopback();
const target = (): string => loopback.file('image.bin');
const start = (behaviour: Behaviour = {}) => FtpPuppet.start(loopback, { files, date, ...behaviour });
const download = (host: string, options: Partial<DownloadOptions> = {}) =>
  nodeTransfers.download(`ftp://user:password@${host}/fw/image.bin`, { toFile: target(), ...options });
const upload = (url: string, options: Partial<UploadOptions> = {}, content = IMAGE) => {
  const fromFile = loopback.file('diagnostics.tar');
  writeFileSync(fromFile, content);
  return nodeTransfers.upload(url, { fromFile, fileName: 'diagnostics.tar', ...options });
};
const failed = (transfer: Promise<unknown>): Promise<TransferError> =>
  transfer.then(
    () => Promise.reject(new Error('the transfer succeeded')),
    (error: TransferError) => error,
  );
const arrived = (): boolean => readFileSync(target()).equals(IMAGE);

describe('a download over FTP', () => {
  it('logs in with user and password, percent-decoded, and asks for the path without the fragment', async () => {
    const { puppet, host } = await start({ files: { 'a b/image.bin': IMAGE, '/abs/image.bin': IMAGE } });
    const login = `ftp://st%40tion:p%3Aw%2F%25@${host}`;
    await nodeTransfers.download(`${login}/a%20b/image.bin#fragment`, { toFile: target() });
    expect(puppet.commands).toEqual(
      expect.arrayContaining(['USER st@tion', 'PASS p:w/%', 'TYPE I', 'RETR a b/image.bin']),
    );
    expect(arrived()).toBe(true);
    await nodeTransfers.download(`${login}/%2Fabs/image.bin;type=i`, { toFile: target() });
    expect(puppet.commands).toContain('RETR /abs/image.bin');
  });

  it('is anonymous without a user', async () => {
    const { puppet, host } = await start();
    await nodeTransfers.download(`ftp://${host}/fw/image.bin`, { toFile: target() });
    expect(puppet.commands).toContain('USER anonymous');
  });

  it.each([
    ['530 Not you', 'PASS', 'refused'],
    ['530 Not you', 'USER', 'refused'],
    ['421 Too many', 'USER', 'unreachable'],
    ['550 Not for you', 'RETR', 'refused'],
    ['425 No way to you', 'RETR', 'unreachable'],
    ['502 What?', 'RETR', 'unsupported'],
  ])('is told %s to %s: %s', async (reply, verb, code) => {
    const { host } = await start({ says: { [verb]: reply } });
    const error = await failed(download(host));
    expect(error).toMatchObject({ name: 'TransferError', code, status: Number(reply.slice(0, 3)) });
    expect(existsSync(`${target()}.part`)).toBe(false);
  });

  it('is not found when the server knows nothing of the file', async () => {
    const { host } = await start({ files: {} });
    expect(await failed(download(host))).toMatchObject({ code: 'notFound', status: 550 });
  });

  it('does without SIZE and MDTM', async () => {
    const { host } = await start({ says: { SIZE: '502 What?', MDTM: '502 What?' } });
    expect(await download(host)).toEqual({ bytes: IMAGE.length });
    expect(arrived()).toBe(true);
  });

  it('looks for room on the disk before it asks for the file', async () => {
    const { puppet, host } = await start();
    expect((await failed(download(host, { keepFreeBytes: 1e15 }))).code).toBe('diskFull');
    expect((await failed(download(host, { mostBytes: IMAGE.length - 1 }))).code).toBe('tooLarge');
    expect(puppet.verbs).not.toContain('RETR');
  });
});

describe('the data connection', () => {
  it('is passive, and the address that PASV names is not believed', async () => {
    const { puppet, host } = await start({ says: { EPSV: '500 What?' }, passiveAddress: '192.0.2.1' });
    await download(host);
    expect(arrived()).toBe(true);
    expect(puppet.verbs).not.toContain('PORT');
  });

  const REFUSED = { EPSV: '550 No', PASV: '550 No' };
  it.each([true, false])('is active when passive is refused (150 comes before the server dials: %s)', async (first) => {
    const { puppet, host } = await start({ says: REFUSED, repliesFirst: first });
    await download(host);
    expect(arrived()).toBe(true);
    expect(puppet.verbs.slice(puppet.verbs.indexOf('EPSV'))).toEqual(['EPSV', 'PASV', 'PORT', 'RETR', 'QUIT']);
    await upload(`ftp://${host}/new.tar`);
    expect(puppet.received.get('new.tar')?.equals(IMAGE)).toBe(true);
  });

  it('is active when the passive one does not come to stand', async () => {
    const { puppet, host } = await start({ says: { EPSV: '229 Waiting (|||1|)' } });
    await download(host);
    expect(arrived()).toBe(true);
    expect(puppet.verbs).toContain('PORT');
  });

  it('is what went wrong first when neither way goes', async () => {
    const { host } = await start({ says: { ...REFUSED, PORT: '500 What?' } });
    expect(await failed(download(host))).toMatchObject({ code: 'unreachable', status: 550 });
  });

  it('in active mode gives a stranger nothing and takes nothing from him', async () => {
    let heard = '';
    const beforeDialling = async (port: number): Promise<void> => {
      const stranger = connect({ host: '127.0.0.1', port, localAddress: '127.0.0.2' });
      stranger.on('data', (chunk) => {
        heard += chunk;
      });
      stranger.on('error', () => {});
      await once(stranger, 'connect');
      stranger.write('not the image');
      await once(stranger, 'close');
    };
    const { puppet, host } = await start({ says: REFUSED, beforeDialling });
    await download(host);
    expect(arrived()).toBe(true);
    await upload(`ftp://${host}/new.tar`);
    expect(puppet.received.get('new.tar')?.equals(IMAGE)).toBe(true);
    expect(heard).toBe('');
  });

  it('in active mode is waited for no longer than a connection', async () => {
    const { host } = await start({ says: REFUSED, beforeDialling: () => new Promise(() => {}) });
    const error = await failed(download(host, { timeouts: { connectMs: 150 } }));
    expect(error.code).toBe('timeout');
    await expect.poll(() => loopback.connections).toBe(0);
  });
});

describe('a file that has not come whole over FTP', () => {
  it.each([
    ['the server calls it done', '226 Done'],
    ['the server says so', '426 Cut'],
    ['the server cannot read on', '451 Broken'],
    ['the server falls over', '500 OOPS'],
    ['the control connection is lost too', 'hangs up'],
  ])('is truncated: %s', async (_what, ends) => {
    const { host } = await start({ sendsOnly: 60_000, ends });
    expect(await failed(download(host))).toMatchObject({ code: 'truncated' });
    expect(existsSync(target())).toBe(false);
  });

  it('is whole when only the last reply is lost, if the size is known', async () => {
    const { puppet, host } = await start({ ends: 'hangs up' });
    expect(await download(host)).toEqual({ bytes: IMAGE.length });
    expect(arrived()).toBe(true);
    puppet.behaviour = { files, says: { SIZE: '502 What?' }, ends: 'hangs up' };
    expect((await failed(download(host))).code).toBe('truncated');
  });

  it('goes on where it was when size and date are the same', async () => {
    const { puppet, host } = await start({ sendsOnly: 60_000, ends: '426 Cut' });
    await failed(download(host, { resume: true }));
    puppet.behaviour = { files, date };
    await download(host, { resume: true });
    expect(puppet.commands).toContain('REST 60000');
    expect(arrived()).toBe(true);
  });

  it.each<[string, Behaviour, Behaviour]>([
    ['the date differs', { date }, { date: '20260101120001' }],
    ['the size differs', { date }, { date, files: { 'fw/image.bin': Buffer.concat([NEWER, NEWER]) } }],
    ['there is no date', {}, {}],
    ['REST is refused', { date }, { date, says: { REST: '502 What?' } }],
  ])('begins anew when %s', async (_what, first, then) => {
    const { puppet, host } = await FtpPuppet.start(loopback, { files, sendsOnly: 60_000, ends: '426 Cut', ...first });
    await failed(download(host, { resume: true }));
    puppet.behaviour = { files: { 'fw/image.bin': NEWER }, ...then };
    await download(host, { resume: true });
    expect(readFileSync(target()).equals(puppet.behaviour.files?.['fw/image.bin'] ?? IMAGE)).toBe(true);
  });
});

describe('the end of an FTP transfer', () => {
  it('comes when nothing moves any more', async () => {
    const { host } = await start({ sendsOnly: 60_000, ends: 'nothing' });
    expect((await failed(download(host, { timeouts: { idleMs: 150 } }))).code).toBe('timeout');
    await expect.poll(() => loopback.connections).toBe(0);
    expect((await failed(download(host, { timeouts: { overallMs: 150 } }))).code).toBe('timeout');
  });

  it('comes when the server does not greet', async () => {
    const port = await loopback.tcp((socket) => socket.resume());
    expect((await failed(download(`127.0.0.1:${port}`, { timeouts: { connectMs: 100 } }))).code).toBe('timeout');
    await expect.poll(() => loopback.connections).toBe(0);
  });

  it('comes with an abort, and all is closed', async () => {
    const { host } = await start({ sendsOnly: 60_000, ends: 'nothing' });
    const caller = new AbortController();
    const onProgress = ({ bytes }: { readonly bytes: number }): void => {
      if (bytes === 60_000) caller.abort();
    };
    expect((await failed(download(host, { signal: caller.signal, onProgress }))).code).toBe('aborted');
    await expect.poll(() => loopback.connections).toBe(0);
  });

  it('is told without a secret, whatever the server repeats', async () => {
    const { host } = await start({ says: { PASS: '530 user may not log in with password' } });
    const error = await failed(download(host));
    expect(error.code).toBe('refused');
    expect(`${error.message} ${error.stack} ${String(error.cause)}`).not.toMatch(/user|password/);
  });
});

describe('ftps', () => {
  it('never goes on without TLS', async () => {
    const { puppet, host } = await start();
    const error = await failed(
      nodeTransfers.download(`ftps://user:password@${host}/fw/image.bin`, { toFile: target() }),
    );
    expect(error.code).toBe('tls');
    expect(puppet.verbs).not.toContain('USER');
    expect(puppet.verbs).not.toContain('PASS');
  });
});

describe('an upload over FTP', () => {
  it.each([
    ['ftp://HOST/logs/', ['CWD logs', 'STOR diagnostics.tar']],
    ['ftp://HOST/logs', ['CWD logs', 'STOR diagnostics.tar']],
    ['ftp://HOST/', ['STOR diagnostics.tar']],
    ['ftp://HOST', ['STOR diagnostics.tar']],
    ['ftp://HOST/logs/mine.tar', ['CWD logs/mine.tar', 'STOR logs/mine.tar']],
  ])('to %s goes where it names', async (url, commands) => {
    const { puppet, host } = await start({ directories: ['logs'] });
    expect(await upload(url.replace('HOST', host))).toEqual({ bytes: IMAGE.length });
    expect(puppet.commands.filter((command) => /^(CWD|STOR)/.test(command))).toEqual(commands);
    expect([...puppet.received.values()].map((bytes) => bytes.equals(IMAGE))).toEqual([true]);
  });

  it('to a directory that is not there is not found', async () => {
    const { host } = await start();
    expect((await failed(upload(`ftp://${host}/nowhere/`))).code).toBe('notFound');
  });

  it.each([
    ['550 Not for you', 'refused'],
    ['553 Not for you', 'refused'],
    ['552 Too much', 'tooLarge'],
    ['452 Full', 'failed'],
    ['502 What?', 'unsupported'],
  ])('is told %s: %s', async (reply, code) => {
    const { host } = await start({ says: { STOR: reply } });
    expect(await failed(upload(`ftp://${host}/x`))).toMatchObject({ code, status: Number(reply.slice(0, 3)) });
  });

  it('is truncated when the server has less than we sent, or lost us', async () => {
    const { puppet, host } = await start({ sendsOnly: 60_000 });
    expect((await failed(upload(`ftp://${host}/x`))).code).toBe('truncated');
    puppet.behaviour = { ends: 'hangs up' };
    expect((await failed(upload(`ftp://${host}/x`))).code).toBe('truncated');
    puppet.behaviour = { ends: '552 Too much' };
    expect((await failed(upload(`ftp://${host}/x`))).code).toBe('tooLarge');
  });

  it.each([
    ['552 Too much', 'tooLarge'],
    ['hangs up', 'truncated'],
  ])('that the server cuts in the middle fails for the reason it gives, if any: %s', async (ends, code) => {
    const { host } = await start({ cutsUploads: true, ends });
    expect((await failed(upload(`ftp://${host}/x`, {}, Buffer.alloc(20_000_000)))).code).toBe(code);
  });
});

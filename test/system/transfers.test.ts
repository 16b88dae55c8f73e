/** Downloads and uploads against servers that we did not write: vsftpd, passive and active, plain and with TLS, and nginx. */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { TransferError } from '../../src/errors.ts';
import { nodeTransfers } from '../../src/platform/transfers.ts';
import type { DownloadOptions, TransferOptions } from '../../src/ports.ts';
import { type Certificate, CertificateAuthority, WEAK_KEY } from './support/certificate-authority.ts';
import { FtpServer, type FtpServerOptions, LOGIN } from './support/ftp-server.ts';
import { WebServer } from './support/web-server.ts';

const IMAGE = randomBytes(5_000_000);
const NEWER = randomBytes(IMAGE.length);
const MEGABYTE = 1_000_000;
/** The one that the server of implicit TLS has to have; on an address where nobody else is. */
const IMPLICIT = { host: '127.0.0.77', port: 990 };

/** In the log of vsftpd: it was told who we are. */
const GREETED = /command: .*"(USER|PASS)/;

const authority = mkdtempSync(join(tmpdir(), 'chargepoint-ca-'));
let root: CertificateAuthority;
let stranger: CertificateAuthority;
let here: Certificate;
let elsewhere: Certificate;
let weak: Certificate;
let folder: string;

beforeAll(() => {
  root = new CertificateAuthority(authority, 'root');
  stranger = new CertificateAuthority(authority, 'stranger');
  here = root.issue('here', 'IP:127.0.0.1,IP:127.0.0.77');
  elsewhere = root.issue('elsewhere', 'DNS:elsewhere.example');
  weak = root.issue('weak', 'IP:127.0.0.1,IP:127.0.0.77', 10, WEAK_KEY);
});
afterAll(() => rmSync(authority, { recursive: true }));
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'chargepoint-transfers-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const target = (): string => join(folder, 'image.bin');
const arrived = (): Buffer => readFileSync(target());
const download = (url: string, options: Partial<DownloadOptions> = {}) =>
  nodeTransfers.download(url, { toFile: target(), certificateAuthorities: [root.pem], ...options });
function upload(url: string, options: TransferOptions = {}) {
  const fromFile = join(folder, 'log.tar');
  writeFileSync(fromFile, IMAGE);
  const fileName = 'cp 001.tar';
  return nodeTransfers.upload(url, { fromFile, fileName, certificateAuthorities: [root.pem], ...options });
}
const failed = (transfer: Promise<unknown>): Promise<TransferError> =>
  transfer.then(
    () => Promise.reject(new Error('the transfer succeeded')),
    (error: TransferError) => error,
  );
/** Does something once, when so many bytes have come. */
function once(bytes: number, action: () => void): NonNullable<DownloadOptions['onProgress']> {
  let done = false;
  return (progress) => {
    if (done || progress.bytes < bytes) return;
    done = true;
    action();
  };
}

describe.each<[string, string, () => FtpServerOptions, RegExp]>([
  ['passive', 'ftp', () => ({}), /"EPSV"/],
  ['active', 'ftp', () => ({ passive: false }), /"PORT /],
  ['passive with explicit TLS', 'ftps', () => ({ tls: here }), /"PROT P"[\s\S]*"EPSV"/],
  ['active with explicit TLS', 'ftps', () => ({ tls: here, passive: false }), /"PROT P"[\s\S]*"PORT /],
  ['passive with implicit TLS', 'ftps', () => ({ tls: here, implicit: true, ...IMPLICIT }), /"PROT P"[\s\S]*"EPSV"/],
])('vsftpd, %s', (_how, scheme, options, evidence) => {
  let server: FtpServer;
  const url = (path: string): string => `${scheme}://${LOGIN}@${server.address}/${path}`;

  beforeAll(async () => {
    server = await FtpServer.start({ ...options(), bytesPerSecond: 10 * MEGABYTE });
  });
  afterAll(() => server.stop());

  it('gives a file', async () => {
    server.put('fw/image 1.bin', IMAGE);
    expect(await download(url('fw/image%201.bin#fragment'))).toEqual({ bytes: IMAGE.length });
    expect(arrived().equals(IMAGE)).toBe(true);
    expect(server.log).toMatch(evidence);
  });

  it('takes a file into the directory that the URL names, or under the name it gives', async () => {
    server.makeDirectory('logs');
    for (const path of ['logs/', 'logs', 'logs/mine.tar', ''])
      expect(await upload(url(path))).toEqual({ bytes: IMAGE.length });
    for (const name of ['logs/cp 001.tar', 'logs/mine.tar', 'cp 001.tar'])
      expect(server.read(name).equals(IMAGE)).toBe(true);
  });

  it('gives the rest of a file after the connection was cut', async () => {
    server.put('image.bin', IMAGE);
    const cut = { resume: true, onProgress: once(2 * MEGABYTE, () => server.hangUp()) };
    expect(await failed(download(url('image.bin'), cut))).toMatchObject({ code: 'truncated' });
    expect(existsSync(target())).toBe(false);
    const seen: number[] = [];
    await download(url('image.bin'), { resume: true, onProgress: ({ bytes }) => seen.push(bytes) });
    expect(seen[0]).toBeGreaterThan(2 * MEGABYTE);
    expect(arrived().equals(IMAGE)).toBe(true);
  });

  it.each(['download', 'upload'])('sees the end of a %s at once when we abort it', async (which) => {
    server.put('image.bin', IMAGE);
    const caller = new AbortController();
    let abortedAt = 0;
    const abort = (): void => {
      abortedAt = performance.now();
      caller.abort();
    };
    const options = { signal: caller.signal, onProgress: once(2 * MEGABYTE, abort) };
    const transfer = which === 'download' ? download(url('image.bin'), options) : upload(url('x.tar'), options);
    expect((await failed(transfer)).code).toBe('aborted');
    expect(performance.now() - abortedAt).toBeLessThan(500);
    await expect.poll(() => server.sessions).toBe(0);
  });
});

describe('vsftpd', () => {
  let server: FtpServer;
  const url = (path: string, login = LOGIN): string => `ftp://${login}@${server.address}/${path}`;

  beforeAll(async () => {
    server = await FtpServer.start({ bytesPerSecond: 4 * MEGABYTE });
  });
  afterAll(() => server.stop());

  it('refuses a wrong password', async () => {
    const error = await failed(download(url('image.bin', 'station%401:canary')));
    expect(error).toMatchObject({ code: 'refused', status: 530 });
    expect(`${error.stack}`).not.toContain('canary');
  });

  it('has no such file, or keeps it for itself', async () => {
    server.put('secret.bin', IMAGE, 0o600);
    expect((await failed(download(url('nothing.bin')))).code).toBe('notFound');
    expect((await failed(download(url('secret.bin')))).code).toBe('refused');
    server.makeDirectory('locked', false);
    expect((await failed(upload(url('locked/')))).code).toBe('refused');
    expect((await failed(upload(url('nowhere/')))).code).toBe('notFound');
  });

  it('has another file by the time we come back', async () => {
    server.put('image.bin', IMAGE);
    const caller = new AbortController();
    const cut = { resume: true, signal: caller.signal, onProgress: once(2 * MEGABYTE, () => caller.abort()) };
    expect((await failed(download(url('image.bin'), cut))).code).toBe('aborted');
    // MDTM counts seconds.
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    server.put('image.bin', NEWER);
    await download(url('image.bin'), { resume: true });
    expect(arrived().equals(NEWER)).toBe(true);
  });

  it('speaks no TLS: then it gets no password', async () => {
    const before = server.log.length;
    const error = await failed(download(url('image.bin').replace('ftp:', 'ftps:')));
    expect(error.code).toBe('tls');
    expect(server.log.slice(before)).not.toMatch(GREETED);
  });
});

describe('vsftpd with the certificate of', () => {
  it.each<[string, boolean, () => { certificate: Certificate; trusted: string }]>([
    ['another host', false, () => ({ certificate: elsewhere, trusted: root.pem })],
    ['another host', true, () => ({ certificate: elsewhere, trusted: root.pem })],
    ['an unknown authority', false, () => ({ certificate: here, trusted: stranger.pem })],
    ['an unknown authority', true, () => ({ certificate: here, trusted: stranger.pem })],
    ['a weak key', false, () => ({ certificate: weak, trusted: root.pem })],
    ['a weak key', true, () => ({ certificate: weak, trusted: root.pem })],
  ])('%s gets no password (implicit: %s)', async (_whose, implicit, what) => {
    const { certificate, trusted } = what();
    const server = await FtpServer.start({ tls: certificate, implicit, ...(implicit ? IMPLICIT : {}) });
    try {
      const error = await failed(
        download(`ftps://${LOGIN}@${server.address}/image.bin`, { certificateAuthorities: [trusted] }),
      );
      expect(error.code).toBe('tls');
      expect(server.log).not.toMatch(GREETED);
    } finally {
      await server.stop();
    }
  });
});

describe('nginx', () => {
  let server: WebServer;
  const plain = (path: string): string => `http://${server.plain}/${path}`;
  const secure = (path: string, name = 'here'): string => `https://${server.secure[name]}/${path}`;
  const lastRequest = (): string | undefined => server.log.at(-1);

  beforeAll(async () => {
    const expired = root.issue('expired', 'IP:127.0.0.1', -1);
    const strange = stranger.issue('strange', 'IP:127.0.0.1');
    server = await WebServer.start({ here, elsewhere, expired, strange, weak });
    server.put('image.bin', IMAGE);
  });
  afterAll(() => server.stop());

  it.each([false, true])('gives a file (TLS: %s)', async (tls) => {
    expect(await download((tls ? secure : plain)('image.bin'))).toEqual({ bytes: IMAGE.length });
    expect(arrived().equals(IMAGE)).toBe(true);
  });

  it.each([false, true])('gives the rest of a file after the connection was cut (TLS: %s)', async (tls) => {
    server.put('image.bin', IMAGE);
    const url = (tls ? secure : plain)('slow/image.bin');
    const cut = { resume: true, onProgress: once(2 * MEGABYTE, () => server.hangUp()) };
    expect((await failed(download(url, cut))).code).toBe('truncated');
    const { length } = readFileSync(`${target()}.part`);
    expect(length).toBeLessThan(IMAGE.length);
    await download(url, { resume: true });
    expect(arrived().equals(IMAGE)).toBe(true);
    await expect.poll(lastRequest).toBe(`206 GET /slow/image.bin bytes=${length}- ${IMAGE.length - length}`);
  });

  it('has another file by the time we come back', async () => {
    server.put('changing.bin', IMAGE);
    const caller = new AbortController();
    const cut = { resume: true, signal: caller.signal, onProgress: once(2 * MEGABYTE, () => caller.abort()) };
    expect((await failed(download(plain('slow/changing.bin'), cut))).code).toBe('aborted');
    // The ETag has the seconds of the date in it.
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    server.put('changing.bin', NEWER);
    await download(plain('slow/changing.bin'), { resume: true });
    expect(arrived().equals(NEWER)).toBe(true);
    await expect.poll(lastRequest).toMatch(/^200 GET \/slow\/changing.bin bytes=/);
  });

  it('asks who we are, and says no', async () => {
    const withLogin = secure('private/image.bin').replace('//', `//${LOGIN}@`);
    expect(await download(withLogin)).toEqual({ bytes: IMAGE.length });
    expect(await failed(download(secure('private/image.bin')))).toMatchObject({ code: 'refused', status: 401 });
    expect(await failed(download(plain('forbidden/x')))).toMatchObject({ code: 'refused', status: 403 });
    expect(await failed(download(plain('nothing.bin')))).toMatchObject({ code: 'notFound', status: 404 });
  });

  it('sends us elsewhere, but not from https to http', async () => {
    expect(await download(secure('moved/image.bin'))).toEqual({ bytes: IMAGE.length });
    expect((await failed(download(secure('to-plain/image.bin')))).code).toBe('tls');
  });

  it.each(['elsewhere', 'expired', 'strange', 'weak'])(
    'is not believed with a certificate that is %s',
    async (name) => {
      const before = server.log.length;
      expect((await failed(download(secure('image.bin', name)))).code).toBe('tls');
      expect((await failed(upload(secure('uploads/x.tar', name)))).code).toBe('tls');
      expect(server.log.length).toBe(before);
    },
  );

  it.each([false, true])('takes a file by PUT (TLS: %s)', async (tls) => {
    const to = tls ? secure : plain;
    expect(await upload(to('uploads/'))).toEqual({ bytes: IMAGE.length });
    expect(server.uploaded('cp 001.tar').equals(IMAGE)).toBe(true);
    await upload(to(`uploads/private/${tls}.tar`).replace('//', `//${LOGIN}@`));
    expect(server.uploaded(`private/${tls}.tar`).equals(IMAGE)).toBe(true);
  });

  it('takes a file by POST where it takes no PUT', async () => {
    await upload(plain('posted'));
    expect(server.posted.map((body) => body.equals(IMAGE))).toEqual([true]);
  });

  it('refuses a file in its own words', async () => {
    expect(await failed(upload(plain('uploads/private/x.tar')))).toMatchObject({ code: 'refused', status: 401 });
    expect(await failed(upload(plain('forbidden/x.tar')))).toMatchObject({ code: 'refused', status: 403 });
    expect(await failed(upload(plain('image.bin')))).toMatchObject({ code: 'unsupported', status: 405 });
    const fromFile = join(folder, 'huge.tar');
    writeFileSync(fromFile, Buffer.alloc(9 * 1024 * 1024));
    const huge = nodeTransfers.upload(plain('uploads/huge.tar'), { fromFile, fileName: 'huge.tar' });
    expect(await failed(huge)).toMatchObject({ code: 'tooLarge', status: 413 });
  });

  describe('and a disk of 8 MB', () => {
    let disk: string;
    const toFile = (): string => join(disk, 'image.bin');
    const free = (): number => {
      const { bavail, bsize } = statfsSync(disk);
      return bavail * bsize;
    };
    beforeEach(() => {
      disk = join(folder, 'disk');
      mkdirSync(disk);
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', disk]);
    });
    afterEach(() => execFileSync('umount', [disk]));

    it('takes what fits, and nothing of what does not', async () => {
      await download(plain('image.bin'), { toFile: toFile(), keepFreeBytes: 0 });
      rmSync(toFile());
      writeFileSync(join(disk, 'filler'), Buffer.alloc(4_000_000));
      const seen: number[] = [];
      const options = { toFile: toFile(), keepFreeBytes: 0, onProgress: () => seen.push(1) };
      expect((await failed(download(plain('image.bin'), options))).code).toBe('diskFull');
      expect(seen).toEqual([]);
    });

    it.each([
      ['the very last byte', 0],
      ['what is to stay free', 2_000_000],
    ])('is given back when it fills up to %s in the middle', async (_what, keepFreeBytes) => {
      const before = free();
      const fill = (): void => writeFileSync(join(disk, 'filler'), Buffer.alloc(free() - keepFreeBytes));
      const options = { toFile: toFile(), resume: true, keepFreeBytes, onProgress: once(MEGABYTE, fill) };
      expect((await failed(download(plain('slow/image.bin'), options))).code).toBe('diskFull');
      rmSync(join(disk, 'filler'));
      expect(free()).toBe(before);
    });
  });
});

/** Certificates and keys against the real openssl and the kernel: what it makes of ours, what we make of its, in which order files are written. */
import { execFileSync, spawnSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { createReadStream, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { FileKeyStore } from '../../src/platform/key-store.ts';
import { type RunningServer, serveWebSockets } from '../../src/platform/web-socket-server.ts';
import { WebSockets } from '../../src/platform/web-sockets.ts';
import { nodeCertificates as certificates } from '../../src/platform/x509.ts';
import type { Certificate, KeyKind, StoredKey } from '../../src/ports.ts';
import { dialled } from '../platform/support/dialled.ts';
import { certificateIn, fixture, certificate as fixtureCertificate } from '../platform/support/x509-fixtures.ts';
import { silentLog } from '../sim/world.ts';
import { longestTurnOfBest, MOST_MS } from '../turns.ts';

const folder = mkdtempSync(join(tmpdir(), 'chargepoint-x509-'));
const file = (name: string): string => join(folder, name);
const pem = (name: string): string => readFileSync(file(name), 'utf8');
const certificate = (name: string): Promise<Certificate> => certificateIn(pem(`${name}.pem`));
const openssl = (...args: string[]): string =>
  execFileSync('openssl', args, { cwd: folder, encoding: 'utf8', stdio: ['pipe', 'pipe', 'pipe'] });
const keys = new FileKeyStore(file('keys'), silentLog);

const running: RunningServer[] = [];
afterEach(async () => {
  for (const server of running.splice(0)) await server.close();
});
afterAll(() => rmSync(folder, { recursive: true }));

const CA_EXTENSIONS = ['-addext', 'keyUsage=critical,keyCertSign'];

/** `name`.pem with `name`.key. */
function makeRoot(name: string, ...key: string[]): void {
  openssl('genpkey', '-out', `${name}.key`, ...key);
  const said = ['-subj', `/O=CPO/CN=${name}`, '-days', '30', ...CA_EXTENSIONS];
  openssl('req', '-x509', '-key', `${name}.key`, '-out', `${name}.pem`, ...said);
}

/** A certificate of the root for one of our keys, with the extensions that its request asks for. */
async function sign(root: string, key: StoredKey, commonName = 'cp001'): Promise<string> {
  const request = await certificates.signingRequest({ commonName, organization: 'Größe & Söhne' }, key, keys);
  writeFileSync(file('signed.csr'), request ?? '');
  const authority = ['-CA', `${root}.pem`, '-CAkey', `${root}.key`, '-CAcreateserial', '-copy_extensions', 'copy'];
  return openssl('x509', '-req', '-in', 'signed.csr', ...authority, '-days', '10');
}

beforeAll(() => {
  makeRoot('ec', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-384');
  makeRoot('rsa', '-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:3072');
  makeRoot('ed25519', '-algorithm', 'ED25519');
});

describe.each<[KeyKind, string, string]>([
  ['ecP256', 'Public-Key: (256 bit)', 'ecdsa-with-SHA256'],
  ['rsa2048', 'Public-Key: (2048 bit)', 'sha256WithRSAEncryption'],
])('A signing request with an %s key', (kind, size, algorithm) => {
  it('is one that openssl verifies and reads as it was meant', async () => {
    const key = await keys.generate(kind);
    const subject = { commonName: 'cp001', organization: 'Größe & Söhne' };
    writeFileSync(file('request.csr'), (await certificates.signingRequest(subject, key, keys)) ?? '');
    const said = spawnSync('openssl', ['req', '-verify', '-in', 'request.csr', '-text', '-noout', '-nameopt', 'utf8'], {
      cwd: folder,
      encoding: 'utf8',
    });
    expect(said.status).toBe(0);
    expect(said.stdout + said.stderr).toMatch(/verify OK/);
    for (const line of [
      size,
      algorithm,
      'O=Größe & Söhne, CN=cp001',
      'X509v3 Key Usage: critical',
      'Digital Signature',
      'TLS Web Client Authentication',
    ])
      expect(said.stdout.replaceAll(' = ', '=')).toContain(line);
    expect(openssl('req', '-in', 'request.csr', '-noout', '-pubkey')).toBe(key.publicKey);
  });

  it('is no longer verified when a byte of it is changed', async () => {
    const key = await keys.generate(kind);
    const request = (await certificates.signingRequest({ commonName: 'cp001' }, key, keys)) ?? '';
    const der = Buffer.from(request.replace(/-----[^-]+-----|\s/g, ''), 'base64');
    der[der.indexOf('cp001')] = 'x'.charCodeAt(0);
    writeFileSync(file('tampered.der'), der);
    const said = spawnSync('openssl', ['req', '-verify', '-inform', 'DER', '-in', 'tampered.der', '-noout'], {
      cwd: folder,
      encoding: 'utf8',
    });
    expect(said.stdout + said.stderr).not.toMatch(/verify OK/);
  });

  it.each(['ec', 'rsa', 'ed25519'])(
    'becomes a certificate of the %s root that passes for this key only',
    async (root) => {
      const key = await keys.generate(kind);
      const signed = await certificateIn(await sign(root, key));
      const stranger = await keys.generate(kind);
      expect(signed).toMatchObject({
        commonName: 'cp001',
        organization: 'Größe & Söhne',
        keyUsage: ['digitalSignature'],
      });
      expect(await certificates.belongsTo(signed, key)).toBe(true);
      expect(await certificates.belongsTo(signed, stranger)).toBe(false);
      const anchor = await certificate(root);
      expect(await certificates.verifyChain([signed], [anchor], signed.notBefore)).toEqual({
        ok: true,
        path: [signed, anchor],
      });
    },
  );

  it('leads to a TLS connection with the key of the store', async () => {
    openssl(
      'req',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-keyout',
      's.key',
      '-out',
      's.csr',
      '-subj',
      '/CN=s',
    );
    writeFileSync(file('s.ext'), 'subjectAltName=IP:127.0.0.1\n');
    openssl(
      'x509',
      '-req',
      '-in',
      's.csr',
      '-CA',
      'ec.pem',
      '-CAkey',
      'ec.key',
      '-CAcreateserial',
      '-extfile',
      's.ext',
      '-out',
      's.pem',
    );
    const tls = { cert: pem('s.pem'), key: pem('s.key'), ca: pem('ec.pem') };
    const server = await serveWebSockets({ host: '127.0.0.1', port: 0, tls, onConnection: () => {} });
    running.push(server);
    const key = await keys.generate(kind);
    const clientCertificate = { chain: await sign('ec', key), key: (await keys.privateKey(key.id)) ?? '' };
    const url = `wss://127.0.0.1:${server.port}/cp001`;
    await dialled(new WebSockets(), { url, certificateAuthorities: [pem('ec.pem')], clientCertificate }).next('opened');
  });
});

describe('Hash data', () => {
  it.each(
    ['ec', 'rsa', 'ed25519'].flatMap((root) =>
      (['SHA256', 'SHA384', 'SHA512'] as const).map((hash) => [root, hash] as const),
    ),
  )('of a certificate of the %s root with %s is what openssl puts into an OCSP request', async (root, algorithm) => {
    writeFileSync(file('hashed.pem'), await sign(root, await keys.generate('ecP256')));
    openssl(
      'ocsp',
      `-${algorithm.toLowerCase()}`,
      '-issuer',
      `${root}.pem`,
      '-cert',
      'hashed.pem',
      '-no_nonce',
      '-reqout',
      'ocsp.der',
    );
    const lines = openssl('asn1parse', '-inform', 'DER', '-in', 'ocsp.der').split('\n');
    const [name, key, serial] = lines.flatMap(
      (line) => /(?:OCTET STRING|INTEGER) .*:([0-9A-F]+)$/.exec(line)?.[1] ?? [],
    );
    const hash = await certificates.hash(algorithm, await certificate('hashed'), await certificate(root));
    expect(hash).toEqual({
      hashAlgorithm: algorithm,
      issuerNameHash: name?.toLowerCase(),
      issuerKeyHash: key?.toLowerCase(),
      serialNumber: serial?.replace(/^0+/, ''),
    });
  });

  it('is the digest of what openssl cuts out of the issuer', async () => {
    // The BIT STRING is the last value of the public key; -strparse leaves its count of unused bits out.
    openssl('pkey', '-in', 'rsa.key', '-pubout', '-outform', 'DER', '-out', 'rsa.spki');
    const offset = /^ *(\d+):.*BIT STRING/m.exec(openssl('asn1parse', '-inform', 'DER', '-in', 'rsa.spki'))?.[1] ?? '';
    openssl('asn1parse', '-inform', 'DER', '-in', 'rsa.spki', '-strparse', offset, '-noout', '-out', 'rsa.bits');
    const digest = openssl('dgst', '-sha256', '-r', 'rsa.bits').split(' ')[0];
    expect((await certificates.hash('SHA256', await certificate('rsa'))).issuerKeyHash).toBe(digest);
  });
});

/** openssl accepts no root of version 3 that does not say it is a CA; bench.md has us trust one that is installed. */
const LENIENT: readonly string[] = ['below-bare under bare-root'];
/** openssl heeds constraints on names, and these names keep them; we refuse what we do not heed. */
const STRICT: readonly string[] = ['constrained under root', 'below-constrained under root'];

describe('Certification paths', () => {
  const names = readdirSync(join(import.meta.dirname, '../platform/fixtures/x509'))
    .filter((name) => name.endsWith('.pem'))
    .map((name) => name.slice(0, -4));
  const folderOfFixtures = join(import.meta.dirname, '../platform/fixtures/x509');
  const path = (name: string): string => join(folderOfFixtures, `${name}.pem`);

  it.each(['root', 'v1-root', 'sha1-root', 'rsa-1024-root', 'impostor', 'intermediate', 'bare-root', 'direct'])(
    'to %s are those that openssl verify finds',
    async (anchor) => {
      const all = await Promise.all(names.map(fixtureCertificate));
      // An hour before the root that is valid for a day only ends.
      const now = (await fixtureCertificate('short-root')).notAfter - 3_600_000;
      writeFileSync(file('all.pem'), names.map((name) => fixture(`${name}.pem`)).join(''));
      const ours = new Map<string, boolean>();
      const theirs = new Map<string, boolean>();
      for (const [i, name] of names.entries()) {
        const leaf = all[i];
        if (leaf === undefined) continue;
        const verdict = await certificates.verifyChain([leaf, ...all], [await fixtureCertificate(anchor)], now);
        ours.set(`${name} under ${anchor}`, verdict.ok);
        const options = [
          '-partial_chain',
          '-auth_level',
          '2',
          '-attime',
          String(now / 1000),
          '-no-CApath',
          '-no-CAstore',
        ];
        const untrusted = ['-untrusted', 'all.pem', '-CAfile', path(anchor), path(name)];
        const { status } = spawnSync('openssl', ['verify', ...options, ...untrusted], { cwd: folder });
        theirs.set(`${name} under ${anchor}`, status === 0);
      }
      for (const pair of LENIENT) if (theirs.get(pair) === false) theirs.set(pair, true);
      for (const pair of STRICT) if (theirs.get(pair) === true) theirs.set(pair, false);
      expect(Object.fromEntries(ours)).toEqual(Object.fromEntries(theirs));
      expect([...ours.values()]).toContain(false);
    },
  );
});

describe('Reading what openssl writes', () => {
  it('leaves out what a TRUSTED CERTIFICATE carries besides', async () => {
    const trusted = openssl('x509', '-in', 'ec.pem', '-trustout', '-addtrust', 'serverAuth', '-setalias', 'x');
    expect(trusted).toContain('BEGIN TRUSTED CERTIFICATE');
    expect((await certificateIn(trusted)).pem).toBe(pem('ec.pem'));
  });

  it('believes in a curve that is given by its parameters only if it is one that has a name', async () => {
    openssl('ecparam', '-name', 'prime256v1', '-genkey', '-param_enc', 'explicit', '-noout', '-out', 'explicit.key');
    openssl('req', '-x509', '-key', 'explicit.key', '-out', 'explicit.pem', '-subj', '/CN=explicit', '-days', '1');
    expect(await certificate('explicit')).toMatchObject({ key: { kind: 'ec', bits: 256 } });
    // The trick of CVE-2020-0601: with the public key as generator the private key is 1.
    const der = Buffer.from(new X509Certificate(pem('explicit.pem')).raw);
    const point = execFileSync('openssl', ['pkey', '-in', file('explicit.key'), '-pubout', '-outform', 'DER']).subarray(
      -65,
    );
    const generator = der.indexOf('046b17d1f2e12c4247', 'hex');
    expect([generator > 0, der.indexOf(point) > 0]).toEqual([true, true]);
    der.set(point, generator);
    const read = await certificates.read(
      `-----BEGIN CERTIFICATE-----\n${der.toString('base64')}\n-----END CERTIFICATE-----`,
    );
    expect(read).toMatchObject({ certificates: [{ key: { kind: 'other' }, weakness: { rule: 'A00.FR.504' } }] });
  });
});

describe('Signed firmware', () => {
  it('of many megabytes is verified from its file in turns of less than 5 ms', async () => {
    writeFileSync(file('image'), Buffer.alloc(48 * 1024 * 1024, 'firmware'));
    openssl('dgst', '-sha256', '-sign', 'rsa.key', '-sigopt', 'rsa_padding_mode:pss', '-out', 'image.sig', 'image');
    const signature = readFileSync(file('image.sig')).toString('base64');
    const signer = await certificate('rsa');
    const best = await longestTurnOfBest(async () => {
      expect(await certificates.verifySignature(signer, createReadStream(file('image')), signature)).toBe('valid');
    });
    expect(best).toBeLessThan(MOST_MS);
  });
});

/** What the traced calls mean; strace names the file of each descriptor. */
const STEPS: readonly (readonly [step: string, call: RegExp])[] = [
  ['sync above', /fsync\(\d+<[^>]*\/chargepoint-x509-\w+>/],
  ['sync new', /fsync\(\d+<[^>]*\/new>/],
  ['sync keys', /fsync\(\d+<[^>]*\/new\/keys>/],
  ['write the key', /write\(\d+<[^>]*\.pem\.new>/],
  ['sync the key', /fsync\(\d+<[^>]*\.pem\.new>/],
  ['rename the key', /rename\w*\(.*\.pem\.new/],
  ['done', /write\(1<.*"[0-9a-f]{32}\\n"/],
];

describe('A key that was generated', () => {
  it('is on the medium under its name: written, synced, renamed, the directory synced; its directory before it', async () => {
    await build({
      stdin: {
        contents: `import { FileKeyStore } from './src/platform/key-store.ts';
          const keys = new FileKeyStore(process.argv[2], {});
          keys.generate('ecP256').then(({ id }) => process.stdout.write(id + '\\n'));`,
        resolveDir: join(import.meta.dirname, '../..'),
        loader: 'ts',
      },
      outfile: file('generate.cjs'),
      bundle: true,
      platform: 'node',
      format: 'cjs',
    });
    const directory = file('new/keys');
    const trace = [
      '-f',
      '-y',
      '-s',
      '200',
      '-e',
      'trace=fsync,?rename,?renameat,?renameat2,write',
      '-o',
      file('trace'),
    ];
    const id = execFileSync('strace', [...trace, process.execPath, file('generate.cjs'), directory], {
      encoding: 'utf8',
    }).trim();
    const calls = readFileSync(file('trace'), 'utf8').split('\n');
    const seen = calls.flatMap((line) => STEPS.find(([, call]) => call.test(line))?.[0] ?? []);
    expect(id).toMatch(/^[0-9a-f]{32}$/);
    expect(seen).toEqual([
      'sync new',
      'sync above',
      'write the key',
      'sync the key',
      'rename the key',
      'sync keys',
      'done',
    ]);
  });
});

/** The Certificates port against certificates, hashes and signatures that openssl made; what openssl says of ours is in test/system. */
import { Buffer } from 'node:buffer';
import { createPublicKey, verify as verifySignature, X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { certificates } from '../../src/platform/x509/certificates.ts';
import {
  BMP_STRING,
  bits,
  context,
  type Der,
  INTEGER,
  members,
  objectIdentifier,
  PRINTABLE_STRING,
  readDer,
  SEQUENCE,
  SET,
  TELETEX_STRING,
  UTF8_STRING,
  writeDer,
  writeObjectIdentifier,
} from '../../src/platform/x509/der.ts';
import { readName } from '../../src/platform/x509/name.ts';
import { toPem } from '../../src/platform/x509/pem.ts';
import { nodeCertificates } from '../../src/platform/x509.ts';
import type { Certificate, CertificateHashAlgorithm, ChainVerdict, StoredKey } from '../../src/ports.ts';
import { MemoryKeyStore } from '../sim/memory-key-store.ts';
import { certificate, certificateIn, fixture } from './support/x509-fixtures.ts';

interface Expected {
  readonly hashes: readonly {
    readonly certificate: string;
    readonly issuer: string;
    readonly hashAlgorithm: CertificateHashAlgorithm;
    readonly issuerNameHash: string;
    readonly issuerKeyHash: string;
    readonly serialNumber: string;
  }[];
  readonly leaf: { readonly notBefore: number; readonly notAfter: number };
}
const expected: Expected = JSON.parse(fixture('expected.json'));
const signatures: Record<string, string> = JSON.parse(fixture('signatures.json'));
/** An hour later: they were not all made in the same second. */
const NOW = expected.leaf.notBefore + 3_600_000;

const oneLine = (pem: string): string => pem.trimEnd().replaceAll('\n', '');

describe('Reading certificates (security whitepaper A00.FR.507)', () => {
  const leaf = fixture('leaf.pem');
  const intermediate = fixture('intermediate.pem');
  const subjects = async (text: string) => {
    const read = await certificates.read(text);
    return read.ok ? read.certificates.map(({ commonName }) => commonName) : read.reason;
  };

  it.each([
    ['one after the other', leaf + intermediate],
    ['without a line feed at the end', (leaf + intermediate).trimEnd()],
    ['with CR LF', (leaf + intermediate).replaceAll('\n', '\r\n')],
    ['with text between', `subject=x\n${leaf}issuer: -----\n${intermediate}---\n`],
    ['next to a key', `${leaf}${fixture('leaf.pub')}${intermediate}`],
    ['in one line', oneLine(leaf) + oneLine(intermediate)],
    ['with line ends that were escaped twice', (leaf + intermediate).replaceAll('\n', '\\n')],
    ['with an old label', (leaf + intermediate).replaceAll(' CERTIFICATE', ' X509 CERTIFICATE')],
  ])('finds a chain %s', async (_how, text) => {
    expect(await subjects(text)).toEqual(['cp001', 'Intermediate']);
  });

  it.each([
    ['no text', '', 'none'],
    ['a key only', fixture('leaf.pub'), 'none'],
    ['no base64', leaf.replace('MII', 'M!I'), 'malformed'],
    ['an end that is missing', leaf.slice(0, 200), 'malformed'],
    ['a second one whose end is missing', leaf + intermediate.slice(0, 200), 'malformed'],
    ['one whose end is missing before a sound one', leaf.replace(/-----END.*\n/, '') + intermediate, 'malformed'],
    ['bytes that are missing', leaf.replace(/\n.{64}\n/, '\n'), 'malformed'],
    ['something else in the block', leaf.replace(/-\n[^-]+/, `-\n${btoa('hello world')}\n`), 'malformed'],
    ['an empty block', leaf.replace(/-\n[^-]+/, '-\n'), 'malformed'],
  ])('refuses %s', async (_what, text, reason) => {
    expect(await subjects(text)).toBe(reason);
  });

  it('never throws, whatever byte of the DER is changed', async () => {
    const der = new X509Certificate(leaf).raw;
    const outcomes = new Set<string>();
    for (let i = 0; i < der.length; i++) {
      const damaged = Buffer.from(der);
      damaged[i] = (damaged[i] ?? 0) ^ 0xff;
      const pem = `-----BEGIN CERTIFICATE-----\n${damaged.toString('base64')}\n-----END CERTIFICATE-----`;
      const read = await certificates.read(pem);
      outcomes.add(read.ok ? 'read' : read.reason);
    }
    expect([...outcomes].sort()).toEqual(['malformed', 'read']);
  });

  it('does not look for the end of each of very many beginnings', async () => {
    const begun = performance.now();
    expect(await subjects('-----BEGIN CERTIFICATE-----'.repeat(200_000))).toBe('malformed');
    expect(performance.now() - begun).toBeLessThan(5_000);
  });

  /** The certificate with another serial number or other extensions; the signature does not matter for reading. */
  const rebuilt = (serial: string, extensions: (list: readonly Der[]) => readonly Der[] = (list) => list): string => {
    const [toBeSigned, ...rest] = members(readDer(new X509Certificate(leaf).raw));
    const parts = (toBeSigned === undefined ? [] : members(toBeSigned)).map(({ tag, whole, content }) => {
      if (tag === INTEGER) return writeDer(INTEGER, Buffer.from(serial, 'hex'));
      if (tag !== context(3)) return whole;
      return writeDer(tag, writeDer(SEQUENCE, ...extensions(members(readDer(content))).map((one) => one.whole)));
    });
    return toPem('CERTIFICATE', writeDer(SEQUENCE, writeDer(SEQUENCE, ...parts), ...rest.map(({ whole }) => whole)));
  };

  it.each([
    ['00', '0'],
    ['01', '1'],
    ['0fff', 'FFF'],
    ['00ff', 'FF'],
    ['7f'.repeat(20), '7F'.repeat(20)],
  ])('reads the serial number %s', async (bytes, serialNumber) => {
    expect(await certificateIn(rebuilt(bytes))).toMatchObject({ serialNumber, commonName: 'cp001' });
  });

  it.each([
    ['a serial number that is negative', rebuilt('ff')],
    ['a serial number of more than 20 bytes', rebuilt('01'.repeat(21))],
    ['an extension twice', rebuilt('01', ([first, ...others]) => (first ? [first, ...others, first] : []))],
  ])('refuses %s', async (_what, text) => {
    expect(await subjects(text)).toBe('malformed');
  });

  it('tells what a certificate says', async () => {
    expect(await certificate('leaf')).toEqual({
      pem: leaf,
      fingerprint: new X509Certificate(leaf).fingerprint256.replaceAll(':', '').toLowerCase(),
      subject: 'O=Test CPO, CN=cp001',
      issuer: 'O=Test CPO, CN=Intermediate',
      commonName: 'cp001',
      organization: 'Test CPO',
      serialNumber: 'F0112233445566778899AABBCCDDEEFF001122',
      notBefore: expected.leaf.notBefore,
      notAfter: expected.leaf.notAfter,
      version: 3,
      selfIssued: false,
      selfSigned: false,
      ca: false,
      keyUsage: ['digitalSignature'],
      key: { kind: 'ec', bits: 256 },
      signatureAlgorithm: 'ecdsa-with-SHA256',
    });
  });

  it.each<[string, Partial<Certificate>]>([
    ['root', { version: 3, selfIssued: true, selfSigned: true, ca: true, keyUsage: ['keyCertSign', 'cRLSign'] }],
    ['intermediate', { serialNumber: 'FFF', ca: true, pathLength: 0, selfIssued: false }],
    ['same-name-root', { selfIssued: true, selfSigned: false, ca: true }],
    ['v1-root', { version: 1, selfSigned: true, key: { kind: 'rsa', bits: 2048 } }],
    ['below-v1', { signatureAlgorithm: 'rsassaPss-SHA256' }],
    ['ed25519', { key: { kind: 'ed25519', bits: 256 } }],
    ['strange', { organization: 'Müller, Söhne', commonName: 'cp018, O=Evil\nline' }],
  ])('tells what %s says', async (name, says) => {
    expect(await certificate(name)).toMatchObject(says);
  });

  it.each(['v1-root', 'bare-root'])('knows that %s does not say whether it is a CA', async (name) => {
    expect(await certificate(name)).not.toHaveProperty('ca');
  });

  it('escapes in a name what could pass for more than a value', async () => {
    expect((await certificate('strange')).subject).toBe('O=Müller\\, Söhne, CN=cp018\\, O=Evil\\0aline');
  });

  it('gives the same PEM for a text of any form', async () => {
    expect((await certificateIn(leaf.replaceAll('\n', ' \r\n\t'))).pem).toBe(leaf);
  });
});

describe('Distinguished names (RFC 5280 section 7.1)', () => {
  const name = (tag: number, value: Buffer, type = '2.5.4.3') => {
    const attribute = writeDer(SEQUENCE, writeObjectIdentifier(type), writeDer(tag, value));
    return readName(readDer(writeDer(SEQUENCE, writeDer(SET, attribute))));
  };
  const root = name(UTF8_STRING, Buffer.from('Test Root'));

  it.each([
    ['another kind of string', name(PRINTABLE_STRING, Buffer.from('Test Root'))],
    ['two bytes a character', name(BMP_STRING, Buffer.from('Test Root', 'utf16le').swap16())],
    ['other capitals', name(UTF8_STRING, Buffer.from('TEST root'))],
    ['more white space', name(UTF8_STRING, Buffer.from(' Test   Root '))],
  ])('are equal in %s', (_how, other) => {
    expect(other.comparable).toBe(root.comparable);
  });

  it.each([
    ['another value', name(UTF8_STRING, Buffer.from('TestRoot'))],
    ['another type', name(UTF8_STRING, Buffer.from('Test Root'), '2.5.4.10')],
    ['a kind that is no text', name(0x04, Buffer.from('Test Root'))],
  ])('differ by %s', (_how, other) => {
    expect(other.comparable).not.toBe(root.comparable);
  });

  it('have the last of several values of a type, which is the nearest', () => {
    const one = (text: string) =>
      writeDer(SET, writeDer(SEQUENCE, writeObjectIdentifier('2.5.4.3'), writeDer(UTF8_STRING, Buffer.from(text))));
    const several = readName(readDer(writeDer(SEQUENCE, one('Devices'), one('cp001'))));
    expect([several.text, several.last('2.5.4.3')]).toEqual(['CN=Devices, CN=cp001', 'cp001']);
    const both = Buffer.concat([one('Devices'), one('cp001')].map((set) => readDer(set).content));
    const inOne = readName(readDer(writeDer(SEQUENCE, writeDer(SET, both))));
    expect([inOne.text, inOne.last('2.5.4.3')]).toEqual(['CN=Devices+CN=cp001', 'cp001']);
  });

  it('are read from old certificates, and with types nobody knows', () => {
    expect(name(TELETEX_STRING, Buffer.from('Z\xfcrich', 'latin1')).text).toBe('CN=Zürich');
    expect(name(UTF8_STRING, Buffer.from('x'), '1.2.840.113549.1.9.99').text).toBe('1.2.840.113549.1.9.99=x');
  });
});

describe('DER (X.690)', () => {
  it.each([0, 1, 127, 128, 255, 256, 65_535, 65_536])('writes and reads a value of %i bytes', (length) => {
    const written = writeDer(SEQUENCE, writeDer(UTF8_STRING, Buffer.alloc(length, 'x')));
    const [inner, ...others] = members(readDer(Buffer.concat([written, Buffer.from('after')])));
    expect([inner?.tag, inner?.content.length, others]).toEqual([UTF8_STRING, length, []]);
  });

  it.each(['2.5.4.3', '1.2.840.113549.1.1.11', '2.16.840.1.101.3.4.2.1', '1.3.101.112'])(
    'writes and reads %s',
    (oid) => {
      expect(objectIdentifier(readDer(writeObjectIdentifier(oid)))).toBe(oid);
    },
  );

  it.each([
    ['nothing', ''],
    ['a tag only', '30'],
    ['an indefinite length', `3080020100${'00'.repeat(200)}`],
    ['a length of five bytes', '30850000000001ff'],
    ['less than it says', '3003020100'.slice(0, -2)],
    ['a tag of several bytes', '1f8101 00'],
  ])('refuses %s', (_what, hex) => {
    expect(() => readDer(Buffer.from(hex.replaceAll(' ', ''), 'hex'))).toThrow(RangeError);
  });
});

describe('Hash data (security whitepaper section 6.1, RFC 6960)', () => {
  it.each(expected.hashes)('is for $certificate with $hashAlgorithm what openssl ocsp asks with', async (row) => {
    const issuer = await certificate(row.issuer);
    expect(await certificates.hash(row.hashAlgorithm, await certificate(row.certificate), issuer)).toEqual({
      hashAlgorithm: row.hashAlgorithm,
      issuerNameHash: row.issuerNameHash.toLowerCase(),
      issuerKeyHash: row.issuerKeyHash.toLowerCase(),
      // openssl writes whole bytes, the whitepaper no leading zero.
      serialNumber: row.serialNumber.replace(/^0+/, ''),
    });
  });

  it('of a root needs no issuer', async () => {
    const root = await certificate('root');
    expect(await certificates.hash('SHA256', root)).toEqual(await certificates.hash('SHA256', root, root));
  });
});

describe('Strength (security whitepaper A00.FR.501 to 504)', () => {
  it.each([
    ['rsa-1024', 'A00.FR.502', 'RSA key of 1024 bits, 2048 are the least'],
    ['rsa-1024-root', 'A00.FR.502', 'RSA key of 1024 bits, 2048 are the least'],
    ['ec-192', 'A00.FR.503', 'elliptic curve of 192 bits, 224 are the least'],
    ['sha1-leaf', 'A00.FR.504', 'signed with ecdsa-with-SHA1'],
    ['md5-leaf', 'A00.FR.504', 'signed with md5WithRSAEncryption'],
    ['pss-sha1-leaf', 'A00.FR.504', 'signed with rsassaPss-SHA1'],
  ])('%s is too weak', async (name, rule, text) => {
    expect((await certificate(name)).weakness).toEqual({ rule, text });
  });

  it.each(['leaf', 'v1-root', 'below-v1', 'ec-224', 'ed25519'])('%s is strong enough', async (name) => {
    expect(await certificate(name)).not.toHaveProperty('weakness');
  });

  it('of the signature does not matter if nobody relies on it', async () => {
    expect(await certificate('sha1-root')).toMatchObject({ signatureAlgorithm: 'sha1WithRSAEncryption' });
    expect(await certificate('sha1-root')).not.toHaveProperty('weakness');
  });
});

describe('Certification paths (RFC 5280 section 6)', () => {
  const verify = async (chain: readonly string[], anchors: readonly string[], now: number | 'unknown' = NOW) => {
    const [leaf, ...others] = await Promise.all(chain.map(certificate));
    if (leaf === undefined) throw new Error('a chain has a leaf');
    return certificates.verifyChain([leaf, ...others], await Promise.all(anchors.map(certificate)), now);
  };
  const told = (verdict: ChainVerdict) =>
    verdict.ok
      ? verdict.path.map(({ commonName }) => commonName).join(' < ')
      : `${verdict.reason}: ${verdict.certificate.commonName}`;

  it.each([
    ['over an intermediate', ['leaf', 'intermediate'], ['root'], 'cp001 < Intermediate < Root'],
    ['with the root in the chain', ['leaf', 'intermediate', 'root'], ['root'], 'cp001 < Intermediate < Root'],
    ['in any order', ['leaf', 'root', 'direct', 'intermediate'], ['root'], 'cp001 < Intermediate < Root'],
    ['with the same certificate twice', ['leaf', 'leaf', 'intermediate'], ['root'], 'cp001 < Intermediate < Root'],
    [
      'over a CA that has renewed itself',
      ['below-renewed', 'renewed', 'intermediate'],
      ['root'],
      'cp020 < Intermediate < Intermediate < Root',
    ],
    ['to an intermediate that is trusted itself', ['leaf'], ['intermediate'], 'cp001 < Intermediate'],
    ['to one of several roots of the same name', ['direct'], ['impostor', 'root'], 'cp002 < Root'],
    ['of a root that the old root has signed', ['new-root'], ['root'], 'New root < Root'],
    ['of a root of the same name that it has signed', ['same-name-root'], ['root'], 'Root < Root'],
    ['to a root of version 1, signed with RSA-PSS', ['below-v1'], ['v1-root'], 'cp007 < Version 1'],
    ['to a root that does not say it is a CA', ['below-bare'], ['bare-root'], 'cp008 < Bare'],
    ['to a root that is signed with SHA-1', ['below-sha1-root'], ['sha1-root'], 'cp009 < SHA-1 root'],
    ['of a certificate that is trusted itself', ['leaf'], ['leaf'], 'cp001'],
    ['of one whose signature nobody would rely on', ['sha1-leaf'], ['sha1-leaf'], 'cp010'],
  ])('are found %s', async (_how, chain, anchors, path) => {
    expect(told(await verify(chain, anchors))).toBe(path);
  });

  it.each([
    ['nobody is trusted', ['leaf', 'intermediate'], [], 'unknownIssuer: Intermediate'],
    ['the intermediate is missing', ['leaf'], ['root'], 'unknownIssuer: cp001'],
    ['the root is only in the chain', ['leaf', 'intermediate', 'root'], ['v1-root'], 'unknownIssuer: Root'],
    ['a root of the same name has another key', ['direct'], ['impostor'], 'badSignature: cp002'],
    ['an intermediate of the chain is no CA', ['below-leaf', 'direct'], ['root'], 'notACa: cp002'],
    ['an anchor says that it is no CA', ['below-leaf'], ['direct'], 'notACa: cp002'],
    ['a CA may not sign', ['below-no-cert-sign', 'no-cert-sign'], ['root'], 'notACa: No keyCertSign'],
    [
      'the path is longer than a CA allows',
      ['below-too-deep', 'too-deep', 'intermediate'],
      ['root'],
      'pathTooLong: Intermediate',
    ],
    ['of constraints on names', ['below-constrained', 'constrained'], ['root'], 'unsupportedExtension: Constrained'],
    ['an intermediate of version 1 is not trusted', ['below-v1', 'v1-root'], ['root'], 'notACa: Version 1'],
    ['an intermediate does not say that it is a CA', ['below-bare', 'bare-root'], ['root'], 'notACa: Bare'],
    ['the key of the leaf is too weak', ['rsa-1024'], ['root'], 'tooWeak: cp013'],
    ['the key of the root is too weak', ['below-rsa-1024'], ['rsa-1024-root'], 'tooWeak: Weak root'],
    ['the signature of the leaf is too weak', ['sha1-leaf'], ['root'], 'tooWeak: cp010'],
  ])('are refused when %s', async (_why, chain, anchors, refusal) => {
    expect(told(await verify(chain, anchors))).toBe(refusal);
  });

  it('name the rule that a weak certificate breaks', async () => {
    expect(await verify(['below-rsa-1024'], ['rsa-1024-root'])).toMatchObject({ weakness: { rule: 'A00.FR.502' } });
    expect(await verify(['sha1-leaf'], ['root'])).toMatchObject({ weakness: { rule: 'A00.FR.504' } });
    expect(await verify(['leaf'], ['root'])).not.toHaveProperty('weakness');
  });

  it('are valid from the first to the last millisecond that a certificate names', async () => {
    const { notBefore, notAfter } = expected.leaf;
    const at = async (now: number) => told(await verify(['leaf'], ['leaf'], now));
    expect(await at(notBefore - 1)).toBe('notYetValid: cp001');
    expect(await at(notBefore)).toBe('cp001');
    expect(await at(notAfter)).toBe('cp001');
    expect(await at(notAfter + 1)).toBe('expired: cp001');
  });

  it('need a root that is valid, too', async () => {
    const { notAfter } = await certificate('short-root');
    expect(told(await verify(['below-short'], ['short-root'], notAfter))).toBe('cp019 < Short');
    expect(told(await verify(['below-short'], ['short-root'], notAfter + 1))).toBe('expired: Short');
  });

  it('leave the periods alone when the time is not known, and nothing else', async () => {
    expect(told(await verify(['leaf', 'intermediate'], ['root'], 'unknown'))).toBe('cp001 < Intermediate < Root');
    expect(told(await verify(['direct'], ['impostor'], 'unknown'))).toBe('badSignature: cp002');
    expect(told(await verify(['rsa-1024'], ['root'], 'unknown'))).toBe('tooWeak: cp013');
  });

  it('refuse a leaf one bit of which was changed', async () => {
    const der = Buffer.from(new X509Certificate(fixture('direct.pem')).raw);
    der[der.indexOf('cp002')] = 'x'.charCodeAt(0);
    const forged = await certificateIn(
      `-----BEGIN CERTIFICATE-----\n${der.toString('base64')}\n-----END CERTIFICATE-----`,
    );
    expect(forged.commonName).toBe('xp002');
    expect(told(await certificates.verifyChain([forged], [await certificate('root')], NOW))).toBe(
      'badSignature: xp002',
    );
  });

  it('are looked for in many short turns', async () => {
    const crowd = [...Array(40).fill('v1-root'), ...Array(40).fill('impostor'), 'root'];
    const count = countTurns();
    await verify(['leaf', 'intermediate'], crowd);
    // Four decoded or one signature verified in each.
    expect(count()).toBeGreaterThanOrEqual(60);
  });
});

/** How many turns of the event loop there were until it is asked. */
function countTurns(): () => number {
  let turns = 0;
  let isOver = false;
  const count = (): void => {
    turns++;
    if (!isOver) setImmediate(count);
  };
  setImmediate(count);
  return () => {
    isOver = true;
    return turns;
  };
}

describe('Certificate signing requests (A02.FR.03 and 13, RFC 2986)', () => {
  it.each(['ecP256', 'rsa2048'] as const)('carry the names and the public key, signed, of an %s key', async (kind) => {
    const keys = new MemoryKeyStore();
    const key = await keys.generate(kind);
    const pem = (await certificates.signingRequest({ commonName: 'cp001', organization: 'CPO' }, key, keys)) ?? '';
    const der = Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ''), 'base64');
    const [content, , signature] = members(readDer(der));
    if (content === undefined || signature === undefined) throw new Error('no request');
    const [version, subject, publicKey] = members(content);
    expect(version?.content.toString('hex')).toBe('00');
    expect(subject && readName(subject).text).toBe('O=CPO, CN=cp001');
    expect(publicKey?.whole).toEqual(createPublicKey(key.publicKey).export({ type: 'spki', format: 'der' }));
    expect(verifySignature('sha256', content.whole, key.publicKey, bits(signature))).toBe(true);
    expect(pem).toMatch(/^-----BEGIN CERTIFICATE REQUEST-----\n([^\n]{1,64}\n)+-----END CERTIFICATE REQUEST-----\n$/);
  });

  it('fit into SignCertificate.req (5500 characters) with the longest names', async () => {
    const keys = new MemoryKeyStore();
    const subject = { commonName: 'é'.repeat(25), organization: '€'.repeat(500) };
    const pem = await certificates.signingRequest(subject, await keys.generate('rsa2048'), keys);
    expect(pem?.length).toBeLessThan(5500);
  });

  it('are not made with a key that is gone', async () => {
    const keys = new MemoryKeyStore();
    const key = await keys.generate('ecP256');
    await keys.delete(key.id);
    expect(await certificates.signingRequest({ commonName: 'cp001' }, key, keys)).toBeUndefined();
  });
});

describe('The key of a certificate', () => {
  const key = (publicKey: string): StoredKey => ({ id: '0'.repeat(32), kind: 'ecP256', publicKey });
  it.each([
    ['leaf', 'leaf.pub', true],
    ['leaf', 'root.pub', false],
    ['v1-root', 'leaf.pub', false],
    ['root', 'root.pub', true],
  ])('of %s is that of %s: %s', async (name, publicKey, belongs) => {
    expect(await certificates.belongsTo(await certificate(name), key(fixture(publicKey)))).toBe(belongs);
  });
});

describe('Signed firmware (L01.FR.04)', () => {
  const firmware = Buffer.from(Array.from({ length: 40_000 }, (_, i) => `${i + 1}\n`).join(''));

  async function* inChunks(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
    for (let from = 0; from < bytes.length; from += size) yield bytes.subarray(from, from + size);
  }
  const verdict = async (signer: string, signature: string, bytes: Uint8Array = firmware, size = 10_000) =>
    certificates.verifySignature(await certificate(signer), inChunks(bytes, size), signature);
  const signature = (name: string): string => signatures[name] ?? '';

  it.each([
    ['signer', 'pss-salt-32'],
    ['signer', 'pss-salt-0'],
    ['signer', 'pss-salt-max'],
    ['leaf', 'ecdsa'],
  ])('of %s with %s is valid', async (signer, name) => {
    expect(await verdict(signer, signature(name))).toBe('valid');
  });

  it.each([
    ['signer', 'pkcs1'],
    ['signer', 'pss-sha1'],
    ['signer', 'pss-sha512'],
    ['signer', 'ecdsa'],
    ['leaf', 'ecdsa-sha384'],
    ['leaf', 'pss-salt-32'],
    ['root', 'ecdsa'],
    ['v1-root', 'pss-salt-32'],
  ])('of %s with %s is invalid', async (signer, name) => {
    expect(await verdict(signer, signature(name))).toBe('invalid');
  });

  it.each([0, 65_535, 65_536, firmware.length - 1])('is invalid with byte %i changed', async (at) => {
    const tampered = Buffer.from(firmware);
    tampered[at] = (tampered[at] ?? 0) ^ 1;
    expect(await verdict('signer', signature('pss-salt-32'), tampered)).toBe('invalid');
    expect(await verdict('leaf', signature('ecdsa'), tampered)).toBe('invalid');
  });

  it('is invalid with a byte more, a byte less, or nothing', async () => {
    for (const bytes of [Buffer.concat([firmware, Buffer.alloc(1)]), firmware.subarray(0, -1), Buffer.alloc(0)])
      expect(await verdict('leaf', signature('ecdsa'), bytes)).toBe('invalid');
  });

  it.each([1_000, 65_536, 65_537, firmware.length])('is valid in chunks of %i bytes', async (size) => {
    expect(await verdict('leaf', signature('ecdsa'), firmware, size)).toBe('valid');
  });

  it('is valid with its base64 in lines', async () => {
    expect(await verdict('signer', signature('pss-salt-32').replace(/.{64}/g, '$&\r\n'))).toBe('valid');
  });

  it.each([
    ['a signature that is no base64', 'signer', 'not!base64'],
    ['a signature that is cut', 'signer', signatures['pss-salt-32']?.slice(0, -1) ?? ''],
    ['no signature', 'signer', ''],
    ['a key that signs no SHA-256', 'ed25519', signatures['ecdsa'] ?? ''],
  ])('is not even read with %s', async (_what, signer, text) => {
    // Whoever reads it fails.
    const data = {
      [Symbol.asyncIterator]: () => {
        throw new Error('read');
      },
    };
    expect(await certificates.verifySignature(await certificate(signer), data, text)).toBe('notRead');
  });

  it('fails as reading it fails', async () => {
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield firmware.subarray(0, 100);
      throw new RangeError('the disk is gone');
    }
    const reading = certificates.verifySignature(await certificate('leaf'), broken(), signature('ecdsa'));
    await expect(reading).rejects.toThrow(new RangeError('the disk is gone'));
  });

  it('of many megabytes in one piece is hashed in many short turns', async () => {
    const count = countTurns();
    expect(await verdict('leaf', signature('ecdsa'), Buffer.alloc(64 * 65_536), 64 * 65_536)).toBe('invalid');
    expect(count()).toBeGreaterThanOrEqual(63);
  });
});

describe('The certificates of a running agent', () => {
  it('are the same as those of the tests, loaded when they are asked for', async () => {
    const leaf = await certificate('leaf');
    const intermediate = await certificate('intermediate');
    const keys = new MemoryKeyStore();
    const key = await keys.generate('ecP256');
    expect(await nodeCertificates.read(fixture('leaf.pem'))).toEqual({ ok: true, certificates: [leaf] });
    expect(await nodeCertificates.hash('SHA384', leaf, intermediate)).toEqual(
      await certificates.hash('SHA384', leaf, intermediate),
    );
    expect(await nodeCertificates.verifyChain([leaf], [intermediate], 'unknown')).toMatchObject({ ok: true });
    expect(await nodeCertificates.verifyChain([leaf], [intermediate], 0)).toMatchObject({ reason: 'notYetValid' });
    expect(await nodeCertificates.signingRequest({ commonName: 'cp001' }, key, keys)).toContain('REQUEST');
    expect(await nodeCertificates.belongsTo(leaf, key)).toBe(false);
    async function* nothing(): AsyncGenerator<Uint8Array> {}
    expect(await nodeCertificates.verifySignature(leaf, nothing(), signatures['ecdsa'] ?? '')).toBe('invalid');
  });
});

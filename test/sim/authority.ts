/** A certificate authority in the virtual world: it signs what the charge point asks for, without openssl. */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign, verify } from 'node:crypto';
import {
  BIT_STRING,
  BOOLEAN,
  bits,
  context,
  type Der,
  INTEGER,
  members,
  OCTET_STRING,
  readDer,
  SEQUENCE,
  SET,
  UTC_TIME,
  UTF8_STRING,
  writeDer,
  writeObjectIdentifier,
} from '../../src/platform/x509/der.ts';
import { toPem } from '../../src/platform/x509/pem.ts';
import { DEFAULT_WALL_START } from './virtual-clock.ts';

const DAY_MS = 24 * 3_600_000;
const ECDSA_WITH_SHA256 = writeDer(SEQUENCE, writeObjectIdentifier('1.2.840.10045.4.3.2'));
const TRUE = writeDer(BOOLEAN, Buffer.from([0xff]));

export interface Wishes {
  /** Epoch milliseconds, whole seconds; default: the day before the world begins. */
  readonly notBefore?: number;
  /** Default: a year after the world has begun. */
  readonly notAfter?: number;
  /** Instead of the subject that was asked for. */
  readonly subject?: readonly (readonly [type: string, value: string])[];
  /** Default: of the charge point none, of an authority true. */
  readonly ca?: boolean | 'unsaid';
}

let nextSerial = 0x1001;

export class Authority {
  readonly pem: string;
  readonly #name: Buffer;
  readonly #key: KeyObject;

  private constructor(pem: string, name: Buffer, key: KeyObject) {
    this.pem = pem;
    this.#name = name;
    this.#key = key;
  }

  static root(name: string, wishes: Wishes = {}): Authority {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
    const subject = writeName([
      ['2.5.4.10', 'Test CPO'],
      ['2.5.4.3', name],
    ]);
    const der = certificate({
      subject,
      issuer: subject,
      key: spki(privateKey),
      by: privateKey,
      wishes: { ca: true, ...wishes },
    });
    return new Authority(toPem('CERTIFICATE', der), subject, privateKey);
  }

  /** An authority below this one, or the root that takes over from it. */
  authority(name: string, wishes: Wishes = {}): Authority {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
    const subject = writeName([
      ['2.5.4.10', 'Test CPO'],
      ['2.5.4.3', name],
    ]);
    const der = certificate({
      subject,
      issuer: this.#name,
      key: spki(privateKey),
      by: this.#key,
      wishes: { ca: true, ...wishes },
    });
    return new Authority(toPem('CERTIFICATE', der), subject, privateKey);
  }

  /** The certificate for a signing request. Throws if the request is not signed with its own key. */
  sign(request: string, wishes: Wishes = {}): string {
    const { subject, key } = readRequest(request);
    const named = wishes.subject === undefined ? subject.whole : writeName(wishes.subject);
    return toPem(
      'CERTIFICATE',
      certificate({ subject: named, issuer: this.#name, key: key.whole, by: this.#key, wishes }),
    );
  }

  /** The private key, for a server of a test. */
  get key(): string {
    return this.#key.export({ type: 'pkcs8', format: 'pem' }) as string;
  }
}

/** `O=..., CN=...` as text, with the kind of its key. Throws if the request is not signed with its own key. */
export function requested(request: string): { readonly subject: readonly string[]; readonly kind: string | undefined } {
  const { subject, publicKey } = readRequest(request);
  const values = members(subject).flatMap((set) =>
    members(set).map((one) => members(one)[1]?.content.toString('utf8')),
  );
  return { subject: values.map(String), kind: publicKey.asymmetricKeyType };
}

function readRequest(request: string): { subject: Der; key: Der; publicKey: KeyObject } {
  const [content, , signature] = members(readDer(Buffer.from(request.replace(/-----[^-]+-----|\s/g, ''), 'base64')));
  const [, subject, key] = content === undefined ? [] : members(content);
  if (content === undefined || signature === undefined || subject === undefined || key === undefined)
    throw new Error('no signing request');
  const publicKey = createPublicKey({ key: key.whole, type: 'spki', format: 'der' });
  if (!verify('sha256', content.whole, publicKey, bits(signature))) throw new Error('not signed with its own key');
  return { subject, key, publicKey };
}

interface Content {
  readonly subject: Buffer;
  readonly issuer: Buffer;
  readonly key: Buffer;
  readonly by: KeyObject;
  readonly wishes: Wishes;
}

function certificate({ subject, issuer, key, by, wishes }: Content): Buffer {
  const { notBefore = DEFAULT_WALL_START - DAY_MS, notAfter = DEFAULT_WALL_START + 365 * DAY_MS, ca } = wishes;
  const serial = Buffer.from((nextSerial++).toString(16).padStart(4, '0'), 'hex');
  const content = writeDer(
    SEQUENCE,
    writeDer(context(0), writeDer(INTEGER, Buffer.from([2]))),
    writeDer(INTEGER, serial),
    ECDSA_WITH_SHA256,
    issuer,
    writeDer(SEQUENCE, time(notBefore), time(notAfter)),
    subject,
    key,
    ...(ca === undefined || ca === 'unsaid' ? [] : [writeDer(context(3), writeDer(SEQUENCE, basicConstraints(ca)))]),
  );
  const signature = sign('sha256', content, createPrivateKey(by.export({ type: 'pkcs8', format: 'pem' })));
  return writeDer(SEQUENCE, content, ECDSA_WITH_SHA256, writeDer(BIT_STRING, Buffer.from([0]), signature));
}

const basicConstraints = (ca: boolean): Buffer =>
  writeDer(
    SEQUENCE,
    writeObjectIdentifier('2.5.29.19'),
    TRUE,
    writeDer(OCTET_STRING, writeDer(SEQUENCE, ...(ca ? [TRUE] : []))),
  );

/** `260105080000Z` */
const time = (ms: number): Buffer =>
  writeDer(
    UTC_TIME,
    Buffer.from(
      `${new Date(ms)
        .toISOString()
        .replace(/[-:T]|\.\d+/g, '')
        .slice(2)}`,
    ),
  );

const spki = (key: KeyObject): Buffer => createPublicKey(key).export({ type: 'spki', format: 'der' });

const writeName = (attributes: readonly (readonly [type: string, value: string])[]): Buffer =>
  writeDer(
    SEQUENCE,
    ...attributes.map(([type, value]) =>
      writeDer(SET, writeDer(SEQUENCE, writeObjectIdentifier(type), writeDer(UTF8_STRING, Buffer.from(value)))),
    ),
  );

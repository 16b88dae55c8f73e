/** The `KeyStore` port over files: one private key each, for their owner only. */
import { createHash, createPrivateKey, createPublicKey, generateKeyPair, type KeyObject, sign } from 'node:crypto';
import { chmod, mkdir, open, readdir, readFile, rename, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { KeyKind, KeyStore, Log, StoredKey } from '../ports.ts';
import { storeError } from './level-error.ts';
import { syncDirectory } from './sync-directory.ts';

const NAME = /^([0-9a-f]{32})\.pem$/;
const UNFINISHED = '.new';

const generatePair = promisify(generateKeyPair);

/** `directory` is made when the first key is; it and the keys in it are nobody else's to read, whatever they were before. */
export class FileKeyStore implements KeyStore {
  readonly #directory: string;
  readonly #log: Log;
  #ready: Promise<void> | undefined;

  constructor(directory: string, log: Log) {
    this.#directory = directory;
    this.#log = log;
  }

  async generate(kind: KeyKind): Promise<StoredKey> {
    const { privateKey } = await newPair(kind);
    const key = describeKey(privateKey);
    if (key === undefined) throw new TypeError(`not a key of ours: ${kind}`);
    return this.#onDisk(async () => {
      await this.#prepared();
      await this.#write(key.id, privateKey.export({ type: 'pkcs8', format: 'pem' }) as string);
      return key;
    });
  }

  async list(): Promise<readonly StoredKey[]> {
    return this.#onDisk(async () => {
      const names = await readdir(this.#directory).catch(missing<string[]>([]));
      const keys: StoredKey[] = [];
      for (const name of names.sort()) {
        const id = NAME.exec(name)?.[1];
        const key = id === undefined ? undefined : await this.#open(id);
        if (key !== undefined) keys.push(key.stored);
      }
      return keys;
    });
  }

  async sign(id: string, data: Uint8Array): Promise<Uint8Array | undefined> {
    const key = await this.#onDisk(() => this.#open(id));
    if (key === undefined) return undefined;
    // With a callback the RSA arithmetic leaves the event loop.
    return new Promise((resolve, reject) => {
      sign('sha256', data, key.privateKey, (error, signature) => (error === null ? resolve(signature) : reject(error)));
    });
  }

  async privateKey(id: string): Promise<string | undefined> {
    return (await this.#onDisk(() => this.#open(id)))?.pem;
  }

  async delete(id: string): Promise<void> {
    await this.#onDisk(async () => {
      if (!NAME.test(`${id}.pem`)) return;
      const wasThere = await unlink(this.#file(id)).then(() => true, missing(false));
      if (wasThere) await syncDirectory(this.#directory);
    });
  }

  #file(id: string): string {
    return join(this.#directory, `${id}.pem`);
  }

  /** Once per process, and again if it failed. */
  #prepared(): Promise<void> {
    this.#ready ??= this.#prepare().catch((cause: unknown) => {
      this.#ready = undefined;
      throw cause;
    });
    return this.#ready;
  }

  async #prepare(): Promise<void> {
    const first = await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    await chmod(this.#directory, 0o700);
    // Of the directories that were just made, each is durable only when the one above is.
    for (let made = this.#directory; first !== undefined && made.length >= first.length; made = dirname(made))
      await syncDirectory(dirname(made));
    for (const name of await readdir(this.#directory)) {
      // Half a key of a process that was killed; only after this does one of ours begin.
      if (name.endsWith(UNFINISHED)) await unlink(join(this.#directory, name));
      else if (NAME.test(name)) await chmod(join(this.#directory, name), 0o600);
    }
  }

  async #write(id: string, pem: string): Promise<void> {
    const unfinished = `${this.#file(id)}${UNFINISHED}`;
    const file = await open(unfinished, 'wx', 0o600);
    try {
      await file.writeFile(pem);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(unfinished, this.#file(id));
    await syncDirectory(this.#directory);
  }

  /** A file that holds no key, or another one than its name says, is as good as none. */
  async #open(id: string): Promise<{ stored: StoredKey; privateKey: KeyObject; pem: string } | undefined> {
    if (!NAME.test(`${id}.pem`)) return undefined;
    const pem = await readFile(this.#file(id), 'utf8').catch(missing(undefined));
    if (pem === undefined) return undefined;
    const privateKey = parse(pem);
    const stored = privateKey === undefined ? undefined : describeKey(privateKey);
    if (privateKey !== undefined && stored?.id === id) return { stored, privateKey, pem };
    this.#log.error('a private key cannot be used: its file is damaged', { key: id });
    return undefined;
  }

  async #onDisk<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (cause) {
      throw storeError(cause);
    }
  }
}

function newPair(kind: KeyKind): Promise<{ privateKey: KeyObject }> {
  return kind === 'ecP256'
    ? generatePair('ec', { namedCurve: 'prime256v1' })
    : generatePair('rsa', { modulusLength: 2048 });
}

/** What may be known of a private key; undefined for a kind that we do not make. */
export function describeKey(privateKey: KeyObject): StoredKey | undefined {
  const { asymmetricKeyType: type, asymmetricKeyDetails: { namedCurve, modulusLength } = {} } = privateKey;
  const kind =
    namedCurve === 'prime256v1' ? 'ecP256' : type === 'rsa' && modulusLength === 2048 ? 'rsa2048' : undefined;
  if (kind === undefined) return undefined;
  const publicKey = createPublicKey(privateKey);
  const id = createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('hex')
    .slice(0, 32);
  return { id, kind, publicKey: publicKey.export({ type: 'spki', format: 'pem' }) as string };
}

function parse(pem: string): KeyObject | undefined {
  try {
    return createPrivateKey(pem);
  } catch {
    return undefined;
  }
}

/** For a `catch`: what is not there is no trouble. */
const missing =
  <T>(instead: T) =>
  (cause: unknown): T => {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return instead;
    throw cause;
  };

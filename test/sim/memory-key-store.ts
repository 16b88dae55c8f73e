/** The KeyStore of a virtual charge point: real keys, made and used within one turn so that the virtual minute stays in order. */
import { createPrivateKey, generateKeyPairSync, sign } from 'node:crypto';
import { describeKey } from '../../src/platform/key-store.ts';
import type { KeyKind, KeyStore, StoredKey } from '../../src/ports.ts';

export class MemoryKeyStore implements KeyStore {
  /** PEM by id. It outlives the agent as a disk would: hand the same one to the next boot. */
  readonly #keys = new Map<string, string>();

  async generate(kind: KeyKind): Promise<StoredKey> {
    const { privateKey } =
      kind === 'ecP256'
        ? generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
        : generateKeyPairSync('rsa', { modulusLength: 2048 });
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
    const key = stored(pem);
    this.#keys.set(key.id, pem);
    return key;
  }

  async list(): Promise<readonly StoredKey[]> {
    return [...this.#keys.values()].map(stored).sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  async sign(id: string, data: Uint8Array): Promise<Uint8Array | undefined> {
    const pem = this.#keys.get(id);
    return pem === undefined ? undefined : sign('sha256', data, pem);
  }

  async privateKey(id: string): Promise<string | undefined> {
    return this.#keys.get(id);
  }

  async delete(id: string): Promise<void> {
    this.#keys.delete(id);
  }
}

function stored(pem: string): StoredKey {
  const key = describeKey(createPrivateKey(pem));
  if (key === undefined) throw new Error('not a key of the charge point');
  return key;
}

/** A certificate authority of our own, by openssl. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
/** Too short for anybody's taste. */
export const WEAK_KEY = ['-newkey', 'rsa:1024', '-nodes'];

export interface Certificate {
  /** PEM files. */
  readonly certificate: string;
  readonly key: string;
}

export class CertificateAuthority {
  readonly #folder: string;
  readonly #name: string;

  /** Its files, and those of what it issues, are in the folder. */
  constructor(folder: string, name: string) {
    this.#folder = folder;
    this.#name = name;
    const files = ['-keyout', `${name}.key`, '-out', `${name}.pem`];
    this.#openssl('req', '-x509', ...NEW_KEY, ...files, '-days', '30', '-subj', `/CN=${name}`);
  }

  get pem(): string {
    return readFileSync(join(this.#folder, `${this.#name}.pem`), 'utf8');
  }

  /** For the host, such as `IP:127.0.0.1`. Days may be negative: then it has expired. */
  issue(name: string, host: string, days = 10, newKey: readonly string[] = NEW_KEY): Certificate {
    this.#openssl('req', ...newKey, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`);
    writeFileSync(join(this.#folder, `${name}.ext`), `subjectAltName=${host}\n`);
    const signing = ['-CA', `${this.#name}.pem`, '-CAkey', `${this.#name}.key`, '-CAcreateserial'];
    const files = ['-in', `${name}.csr`, '-extfile', `${name}.ext`, '-out', `${name}.pem`];
    this.#openssl('x509', '-req', ...files, ...signing, '-days', String(days));
    return { certificate: join(this.#folder, `${name}.pem`), key: join(this.#folder, `${name}.key`) };
  }

  #openssl(...args: readonly string[]): void {
    execFileSync('openssl', args, { cwd: this.#folder, stdio: 'pipe' });
  }
}

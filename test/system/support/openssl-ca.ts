/** Certificate authorities run by `openssl ca`: any period, key and extension, requests of others, and lists of what was revoked. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Certificate } from './certificate-authority.ts';

const KEYS = {
  ecP256: ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'],
  rsa2048: ['-newkey', 'rsa:2048'],
  rsa1024: ['-newkey', 'rsa:1024'],
} as const;
const CA = ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign,cRLSign'];
const DAY_MS = 86_400_000;

export interface Issue {
  /** Name of a certificate that was made before; itself where there is none. */
  readonly by?: string;
  readonly key?: keyof typeof KEYS;
  /** Lines of an extension file of openssl. */
  readonly extensions?: readonly string[];
  /** Days from now. */
  readonly from?: number;
  readonly until?: number;
  readonly digest?: 'sha256' | 'sha1';
}

export class OpensslCa {
  readonly folder = mkdtempSync(join(tmpdir(), 'openssl-ca-'));

  file(name: string): string {
    return join(this.folder, name);
  }

  pem(name: string): string {
    return readFileSync(this.file(`${name}.pem`), 'utf8');
  }

  root(name: string): void {
    this.issue(name, { extensions: CA });
  }

  /** One below another, which may be bounded (`nameConstraints=...`). */
  intermediate(name: string, by: string, extensions: readonly string[] = []): void {
    this.issue(name, { by, extensions: [...CA, ...extensions] });
  }

  issue(name: string, { by = name, key = 'ecP256', ...issue }: Issue = {}): Certificate {
    const files = ['-keyout', `${name}.key`, '-out', `${name}.csr`];
    this.#openssl('req', ...KEYS[key], '-nodes', ...files, '-subj', `/O=Operator/CN=${name}`);
    this.#sign(name, by, issue);
    return { certificate: this.file(`${name}.pem`), key: this.file(`${name}.key`) };
  }

  /** The certificate with others behind it, as a server shows them. */
  chain(name: string, ...others: readonly string[]): Certificate {
    const names = [name, ...others];
    const certificate = this.file(`${names.join('+')}.chain`);
    writeFileSync(certificate, names.map((each) => this.pem(each)).join(''));
    return { certificate, key: this.file(`${name}.key`) };
  }

  /** What somebody else asks for, as PEM; subject and extensions are those of the request. */
  sign(name: string, request: string, by: string): string {
    writeFileSync(this.file(`${name}.csr`), request);
    this.#openssl('req', '-verify', '-noout', '-in', `${name}.csr`);
    this.#sign(name, by, {});
    return this.pem(name);
  }

  /** `O=Test CPO,CN=SN-0001`: in the order of the certificate. */
  subjectOfRequest(name: string): string {
    const text = this.#openssl('req', '-in', `${name}.csr`, '-noout', '-subject');
    return text
      .replace(/^subject=/, '')
      .replaceAll(' = ', '=')
      .replaceAll(', ', ',')
      .trim();
  }

  /** Hexadecimal, in capitals. */
  serialOf(name: string): string {
    return this.#openssl('x509', '-in', `${name}.pem`, '-noout', '-serial').replace('serial=', '').trim();
  }

  /** The file of the list of all that `by` has revoked. */
  revoke(name: string, by: string): string {
    const list = `${by}.crl`;
    const authority = ['-config', this.#config(by), '-cert', `${by}.pem`, '-keyfile', `${by}.key`];
    this.#openssl('ca', ...authority, '-revoke', `${name}.pem`);
    this.#openssl('ca', ...authority, '-gencrl', '-crldays', '10', '-out', list);
    return this.file(list);
  }

  close(): void {
    rmSync(this.folder, { recursive: true });
  }

  #sign(
    name: string,
    by: string,
    { extensions = [], from = 0, until = 10, digest = 'sha256' }: Omit<Issue, 'by'>,
  ): void {
    const issuer = by === name ? ['-selfsign'] : ['-cert', `${by}.pem`];
    writeFileSync(this.file(`${name}.ext`), `subjectKeyIdentifier=hash\n${extensions.join('\n')}\n`);
    const period = ['-startdate', asn1Time(from), '-enddate', asn1Time(until)];
    const files = ['-in', `${name}.csr`, '-out', `${name}.pem`, '-extfile', `${name}.ext`];
    const authority = ['-config', this.#config(by), '-keyfile', `${by}.key`, '-md', digest];
    this.#openssl('ca', '-batch', '-notext', ...authority, ...issuer, ...period, ...files);
  }

  /** One database for each authority. */
  #config(by: string): string {
    const config = `${by}.cnf`;
    const lines = ['[ca]', 'default_ca=all', '[all]', `database=${by}.index`, 'new_certs_dir=.', 'policy=any'];
    const habits = [
      'rand_serial=yes',
      'unique_subject=no',
      'preserve=yes',
      'copy_extensions=copy',
      'default_md=sha256',
    ];
    writeFileSync(
      this.file(config),
      [...lines, ...habits, '[any]', 'organizationName=optional', 'commonName=supplied', ''].join('\n'),
    );
    writeFileSync(this.file(`${by}.index`), '', { flag: 'a' });
    return config;
  }

  #openssl(...args: readonly string[]): string {
    return execFileSync('openssl', args, { cwd: this.folder, encoding: 'utf8', stdio: 'pipe' });
  }
}

const asn1Time = (days: number): string =>
  new Date(Date.now() + days * DAY_MS).toISOString().replace(/[-:T]|\.\d+/g, '');

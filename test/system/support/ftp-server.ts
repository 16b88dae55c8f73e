/** vsftpd on the loopback, with one user who exists in its own mount namespace only. Needs root. */
import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Certificate } from './certificate-authority.ts';
import { freePorts, ServerProcess } from './server-process.ts';

/** Every sort of character that a URL has to escape. */
export const USER = 'station@1';
export const PASSWORD = 'p:a/s#s?%w@rd';
export const LOGIN = `${encodeURIComponent(USER)}:${encodeURIComponent(PASSWORD)}`;
const NOBODY = 65_534;

export interface FtpServerOptions {
  /** False: only active mode. */
  readonly passive?: boolean;
  /** Of the server; a client has to use TLS then. */
  readonly tls?: Certificate;
  /** TLS from the first byte. */
  readonly implicit?: boolean;
  readonly host?: string;
  readonly port?: number;
  readonly bytesPerSecond?: number;
}

export class FtpServer {
  /** What the user sees as /. */
  readonly root: string;
  /** `host:port` */
  readonly address: string;
  readonly #folder: string;
  readonly #process: ServerProcess;

  private constructor(folder: string, address: string, process: ServerProcess) {
    this.#folder = folder;
    this.root = join(folder, 'root');
    this.address = address;
    this.#process = process;
  }

  static async start(options: FtpServerOptions = {}): Promise<FtpServer> {
    const { host = '127.0.0.1', port = (await freePorts(1))[0] ?? 0 } = options;
    const folder = mkdtempSync(join(tmpdir(), 'vsftpd-'));
    chmodSync(folder, 0o755);
    for (const name of ['root', 'empty', 'pam.d']) mkdirSync(join(folder, name), { mode: 0o755 });
    chownSync(join(folder, 'root'), NOBODY, NOBODY);
    writeFileSync(join(folder, 'pam.d', 'vsftpd'), PAM);
    const hash = execFileSync('openssl', ['passwd', '-6', '-stdin'], { input: PASSWORD, encoding: 'utf8' }).trim();
    writeFileSync(join(folder, 'shadow'), `${USER}:${hash}:19000:0:99999:7:::\n`, { mode: 0o600 });
    const users = readFileSync('/etc/passwd', 'utf8');
    writeFileSync(join(folder, 'passwd'), `${users}${USER}:x:${NOBODY}:${NOBODY}::${folder}/root:/bin/false\n`);
    writeFileSync(join(folder, 'vsftpd.conf'), configuration(folder, host, port, options));
    writeFileSync(join(folder, 'openssl.cnf'), ANY_KEY);
    const mounts = ['pam.d', 'shadow', 'passwd'].map((name) => `mount --bind ${folder}/${name} /etc/${name}`);
    const start = [...mounts, `OPENSSL_CONF=${folder}/openssl.cnf exec vsftpd ${folder}/vsftpd.conf`].join(' && ');
    const process = await ServerProcess.start('unshare', ['--mount', 'sh', '-c', start], { host, port });
    return new FtpServer(folder, `${host}:${port}`, process);
  }

  /** A file for the user. */
  put(name: string, content: Uint8Array, mode = 0o644): void {
    const path = join(this.root, name);
    mkdirSync(join(path, '..'), { recursive: true });
    writeFileSync(path, content);
    chmodSync(path, mode);
  }

  /** A directory the user may write to, or not. */
  makeDirectory(name: string, writable = true): void {
    mkdirSync(join(this.root, name));
    if (writable) chownSync(join(this.root, name), NOBODY, NOBODY);
  }

  read(name: string): Buffer {
    return readFileSync(join(this.root, name));
  }

  /** Every command and reply since the start. */
  get log(): string {
    return readFileSync(join(this.#folder, 'log'), 'utf8');
  }

  /** How many processes serve a client. */
  get sessions(): number {
    return this.#process.children.length;
  }

  /** Cuts every connection. */
  hangUp(): void {
    this.#process.hangUp();
  }

  async stop(): Promise<void> {
    await this.#process.stop();
    rmSync(this.#folder, { recursive: true });
  }
}

/** It minds no weak key of its own: we have to. Its own `ssl_ciphers` would come too late. */
const ANY_KEY = `openssl_conf = all
[all]
ssl_conf = ssl
[ssl]
system_default = any
[any]
CipherString = DEFAULT:@SECLEVEL=0
`;

/** Nothing that starts a process: vsftpd takes the end of any child for the end of its own. */
const PAM = `auth required pam_unix.so nodelay
account required pam_permit.so
session required pam_permit.so
`;

function configuration(folder: string, host: string, port: number, options: FtpServerOptions): string {
  const { passive = true, tls, implicit = false, bytesPerSecond = 0 } = options;
  const lines = {
    listen: 'YES',
    listen_ipv6: 'NO',
    listen_address: host,
    listen_port: port,
    background: 'NO',
    anonymous_enable: 'NO',
    local_enable: 'YES',
    write_enable: 'YES',
    nopriv_user: 'nobody',
    // A wrong password is told at once.
    delay_failed_login: 0,
    chroot_local_user: 'YES',
    allow_writeable_chroot: 'YES',
    local_max_rate: bytesPerSecond,
    secure_chroot_dir: `${folder}/empty`,
    pam_service_name: 'vsftpd',
    // It is a matter of the kernel whether it can be had in a container.
    seccomp_sandbox: 'NO',
    xferlog_enable: 'YES',
    xferlog_std_format: 'NO',
    log_ftp_protocol: 'YES',
    vsftpd_log_file: `${folder}/log`,
    pasv_enable: passive ? 'YES' : 'NO',
    port_enable: passive ? 'NO' : 'YES',
    ...(tls === undefined
      ? {}
      : {
          ssl_enable: 'YES',
          rsa_cert_file: tls.certificate,
          rsa_private_key_file: tls.key,
          force_local_logins_ssl: 'YES',
          force_local_data_ssl: 'YES',
          // The session of the control connection has to be taken up by that of the data.
          require_ssl_reuse: 'YES',
          ssl_ciphers: 'HIGH',
          implicit_ssl: implicit ? 'YES' : 'NO',
        }),
  };
  return Object.entries(lines)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('');
}

/** nginx on the loopback: a folder to download from and one to upload to, behind all that a web server puts before them. */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Certificate } from './certificate-authority.ts';
import { PASSWORD, USER } from './ftp-server.ts';
import { freePorts, ServerProcess } from './server-process.ts';

const NOBODY = 65_534;

export class WebServer {
  /** `127.0.0.1:port` */
  readonly plain: string;
  /** The same with TLS, one for each certificate. */
  readonly secure: Readonly<Record<string, string>>;
  readonly #folder: string;
  readonly #process: ServerProcess;

  private constructor(folder: string, plain: string, secure: Readonly<Record<string, string>>, process: ServerProcess) {
    this.#folder = folder;
    this.plain = plain;
    this.secure = secure;
    this.#process = process;
  }

  static async start(certificates: Readonly<Record<string, Certificate>>): Promise<WebServer> {
    const folder = mkdtempSync(join(tmpdir(), 'nginx-'));
    chmodSync(folder, 0o755);
    for (const name of ['files', 'uploads', 'posted', 'temp']) {
      mkdirSync(join(folder, name), { mode: 0o755 });
      chownSync(join(folder, name), NOBODY, NOBODY);
    }
    const hash = execFileSync('openssl', ['passwd', '-apr1', '-stdin'], { input: PASSWORD, encoding: 'utf8' }).trim();
    writeFileSync(join(folder, 'users'), `${USER}:${hash}\n`);
    const names = Object.keys(certificates);
    const [plain = 0, ...ports] = await freePorts(1 + names.length);
    const secure = names.map((name, index) => [name, ports[index] ?? 0] as const);
    writeFileSync(join(folder, 'nginx.conf'), configuration(folder, plain, secure, certificates));
    const args = ['-p', folder, '-c', join(folder, 'nginx.conf'), '-e', join(folder, 'error.log')];
    const process = await ServerProcess.start('nginx', args, { port: plain });
    const addresses = Object.fromEntries(secure.map(([name, port]) => [name, `127.0.0.1:${port}`]));
    return new WebServer(folder, `127.0.0.1:${plain}`, addresses, process);
  }

  /** As /NAME, /slow/NAME (2 MB/s) and /private/NAME (with `LOGIN` of the FTP server). */
  put(name: string, content: Uint8Array): void {
    writeFileSync(join(this.#folder, 'files', name), content);
  }

  /** What came to /uploads/NAME by PUT. */
  uploaded(name: string): Buffer {
    return readFileSync(join(this.#folder, 'uploads', name));
  }

  /** The bodies that came to /posted by POST. */
  get posted(): readonly Buffer[] {
    const folder = join(this.#folder, 'posted');
    return readdirSync(folder).map((name) => readFileSync(join(folder, name)));
  }

  /** A line for each request: status, method, path, Range, bytes sent. */
  get log(): readonly string[] {
    return readFileSync(join(this.#folder, 'access.log'), 'utf8').trim().split('\n');
  }

  /** Kills the workers; the master starts others. */
  hangUp(): void {
    this.#process.hangUp();
  }

  async stop(): Promise<void> {
    await this.#process.stop();
    rmSync(this.#folder, { recursive: true });
  }
}

function configuration(
  folder: string,
  plain: number,
  secure: readonly (readonly [name: string, port: number])[],
  certificates: Readonly<Record<string, Certificate>>,
): string {
  const locations = `
    root ${folder}/files;
    client_max_body_size 8m;
    location /slow/ { alias ${folder}/files/; limit_rate 2m; }
    location /private/ { alias ${folder}/files/; auth_basic here; auth_basic_user_file ${folder}/users; }
    location /forbidden/ { deny all; }
    location /moved/ { rewrite ^/moved/(.*)$ /$1 redirect; }
    location /to-plain/ { rewrite ^/to-plain/(.*)$ http://127.0.0.1:${plain}/$1 redirect; }
    location /uploads/ { root ${folder}; dav_methods PUT; }
    location /uploads/private/ {
      root ${folder}; dav_methods PUT; auth_basic here; auth_basic_user_file ${folder}/users; create_full_put_path on;
    }
    location /posted {
      if ($request_method = PUT) { return 405; }
      client_body_in_file_only on;
      client_body_temp_path ${folder}/posted;
      proxy_pass http://127.0.0.1:${plain}/thanks;
    }
    location /thanks { return 201; }`;
  const servers = secure.map(
    ([name, port]) => `
  server {
    listen 127.0.0.1:${port} ssl;
    # It minds no weak key of its own: we have to.
    ssl_ciphers DEFAULT:@SECLEVEL=0;
    ssl_certificate ${certificates[name]?.certificate};
    ssl_certificate_key ${certificates[name]?.key};
    ${locations}
  }`,
  );
  return `
daemon off;
user nobody nogroup;
worker_processes 1;
pid ${folder}/pid;
error_log ${folder}/error.log;
events { worker_connections 64; }
http {
  log_format short '$status $request_method $uri $http_range $body_bytes_sent';
  access_log ${folder}/access.log short;
  client_body_temp_path ${folder}/temp/body;
  proxy_temp_path ${folder}/temp/proxy;
  fastcgi_temp_path ${folder}/temp/fastcgi;
  uwsgi_temp_path ${folder}/temp/uwsgi;
  scgi_temp_path ${folder}/temp/scgi;
  server {
    listen 127.0.0.1:${plain};
    ${locations}
  }
  ${servers.join('')}
}
`;
}

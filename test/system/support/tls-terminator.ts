/** nginx as it stands before many a central system: it ends TLS, asks for client certificates, and hands the WebSocket on. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Certificate } from './certificate-authority.ts';
import { ServerProcess } from './server-process.ts';

export interface Front {
  /** What it shows; the file may hold a whole chain. */
  readonly server: Certificate;
  /** `ssl_protocols` and `ssl_ciphers`. */
  readonly protocols?: string;
  readonly ciphers?: string;
  /** Whose certificates it takes. */
  readonly clients?: {
    readonly authority: string;
    /** `on`: nobody comes in without one. `optional`: without one, but not with a wrong one. */
    readonly verify: 'on' | 'optional';
    readonly revoked?: string;
  };
}

/** A request that has ended; one that the end of nginx has cut is none. */
export interface Passage {
  /** `SUCCESS`, `NONE`, or `FAILED:why`. */
  readonly client: string;
  readonly status: number;
}

export class TlsTerminator {
  readonly #folder = mkdtempSync(join(tmpdir(), 'terminator-'));
  readonly #port: number;
  readonly #upstream: number;
  #process: ServerProcess | undefined;

  constructor(port: number, upstream: number) {
    this.#port = port;
    this.#upstream = upstream;
  }

  /** Takes the place of the front that stood there before; its connections are cut. */
  async show(front: Front): Promise<void> {
    await this.#process?.stop();
    writeFileSync(join(this.#folder, 'nginx.conf'), configuration(this.#folder, this.#port, this.#upstream, front));
    const args = ['-p', this.#folder, '-c', join(this.#folder, 'nginx.conf'), '-e', join(this.#folder, 'error.log')];
    this.#process = await ServerProcess.start('nginx', args, { port: this.#port });
  }

  /** Oldest first. */
  get passages(): readonly Passage[] {
    const lines = readFileSync(join(this.#folder, 'access.log'), 'utf8').trim().split('\n').filter(Boolean);
    return lines.map((line) => {
      const [client = '', status] = line.split(' | ');
      return { client, status: Number(status) };
    });
  }

  async stop(): Promise<void> {
    await this.#process?.stop();
    rmSync(this.#folder, { recursive: true });
  }
}

const configuration = (folder: string, port: number, upstream: number, front: Front): string => `
daemon off;
user nobody nogroup;
worker_processes 1;
pid ${folder}/pid;
error_log ${folder}/error.log;
events { worker_connections 64; }
http {
  log_format tls '$ssl_client_verify | $status';
  access_log ${folder}/access.log tls;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  server {
    listen 127.0.0.1:${port} ssl;
    ssl_protocols ${front.protocols ?? 'TLSv1.2 TLSv1.3'};
    ${front.ciphers === undefined ? '' : `ssl_ciphers ${front.ciphers};`}
    ssl_certificate ${front.server.certificate};
    ssl_certificate_key ${front.server.key};
    ${clientsOf(front)}
    location / {
      proxy_pass http://127.0.0.1:${upstream};
      proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection upgrade;
      proxy_set_header X-Protocol $ssl_protocol;
      proxy_set_header X-Cipher $ssl_cipher;
      proxy_set_header X-Client-Subject $ssl_client_s_dn;
      proxy_set_header X-Client-Serial $ssl_client_serial;
    }
  }
}
`;

const clientsOf = ({ clients }: Front): string =>
  clients === undefined
    ? ''
    : `ssl_client_certificate ${clients.authority};
    ssl_verify_client ${clients.verify};
    ${clients.revoked === undefined ? '' : `ssl_crl ${clients.revoked};`}`;

/** nginx on the loopback that upgrades nobody: `/STATUS/...` answers with that status. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts, ServerProcess } from './server-process.ts';

export class RefusingServer {
  /** `127.0.0.1:port` */
  readonly address: string;
  readonly #folder: string;
  readonly #process: ServerProcess;

  private constructor(folder: string, port: number, process: ServerProcess) {
    this.#folder = folder;
    this.address = `127.0.0.1:${port}`;
    this.#process = process;
  }

  static async start(statuses: readonly number[]): Promise<RefusingServer> {
    const folder = mkdtempSync(join(tmpdir(), 'refusing-'));
    const [port = 0] = await freePorts(1);
    writeFileSync(join(folder, 'nginx.conf'), configuration(folder, port, statuses));
    const args = ['-p', folder, '-c', join(folder, 'nginx.conf'), '-e', join(folder, 'error.log')];
    return new RefusingServer(folder, port, await ServerProcess.start('nginx', args, { port }));
  }

  async stop(): Promise<void> {
    await this.#process.stop();
    rmSync(this.#folder, { recursive: true });
  }
}

const configuration = (folder: string, port: number, statuses: readonly number[]): string => `
daemon off;
user nobody nogroup;
worker_processes 1;
pid ${folder}/pid;
error_log ${folder}/error.log;
events { worker_connections 64; }
http {
  access_log off;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  server {
    listen 127.0.0.1:${port};
    ${statuses.map((status) => `location /${status}/ { return ${status}; }`).join('\n    ')}
  }
}
`;

/** The file under which a unix socket is found. */
import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';

export interface SocketFile {
  readonly path: string;
  /** Makes its directory. Throws the system's error. */
  prepare(): void;
  /** Owner and group may connect, nobody else. */
  protect(): void;
  /** No matter whether it is there. */
  remove(): void;
}

export const socketFile = (path: string): SocketFile => ({
  path,
  prepare: () => {
    mkdirSync(dirname(path), { recursive: true });
  },
  protect: () => chmodSync(path, 0o660),
  remove: () => rmSync(path, { force: true }),
});

/** The file under which a unix socket is found. */
import { chmodSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { createConnection } from 'node:net';
import { dirname } from 'node:path';

export interface SocketFile {
  readonly path: string;
  /** Whether somebody listens there. */
  inUse(): Promise<boolean>;
  /** Makes its directory. Throws the system's error. */
  prepare(): void;
  /** Owner and group may connect, nobody else. */
  protect(): void;
  /** No matter whether it is there. */
  remove(): void;
}

export const socketFile = (path: string): SocketFile => ({
  path,
  inUse: () => isListening(path),
  prepare: () => {
    mkdirSync(dirname(path), { recursive: true });
  },
  protect: () => chmodSync(path, 0o660),
  remove: () => rmSync(path, { force: true }),
});

/** Nobody has listened there since the file was made, or there is no file at all. */
const NOBODY: ReadonlySet<string | undefined> = new Set(['ENOENT', 'ENOTDIR', 'ECONNREFUSED']);

/** False only if certainly nobody does: one that we may not ask is there. Never rejects. */
export async function isListening(path: string): Promise<boolean> {
  if (isAbsent(path)) return false;
  return new Promise((resolve) => {
    const socket = createConnection(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', ({ code }: NodeJS.ErrnoException) => resolve(!NOBODY.has(code)));
  });
}

/** Not so if we may not look. */
function isAbsent(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false }) === undefined;
  } catch {
    return false;
  }
}

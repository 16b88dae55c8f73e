/** Files as configuration and tools need them; whole texts only. */
import {
  accessSync,
  chmodSync,
  closeSync,
  constants,
  fsyncSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { ConfigFiles } from '../config.ts';

export const nodeFiles: ConfigFiles = {
  read: (path) => readFileSync(path, 'utf8'),
  exists: (path) => statSync(path, { throwIfNoEntry: false }) !== undefined,
  mode: (path) => statSync(path).mode & 0o777,
  writableDirectory: (path) => {
    try {
      accessSync(path, constants.W_OK | constants.X_OK);
      return statSync(path).isDirectory();
    } catch {
      return false;
    }
  },
  resolved: (path) => {
    try {
      return realpathSync(path);
    } catch {
      return path;
    }
  },
};

/** The folder of the installation: above `dist/` of a release, above `src/` of a checkout. `script` is what Node was started with. */
export const installationDirectory = (script: string): string => dirname(dirname(realpathSync(script)));

/** The configuration that ships with the agent: boards, meters, schemas. */
export const shippedConfigDirectory = (script: string): string => join(installationDirectory(script), 'config');

/**
 * Replaces the file as a whole, so that a power cut leaves the old or the new text. Its owner stays, if we may give it away. Throws the
 * system's error.
 */
export function replaceFile(path: string, text: string, mode = 0o644): void {
  mkdirSync(dirname(path), { recursive: true });
  const unfinished = `${path}.new`;
  const descriptor = openSync(unfinished, 'w', mode);
  try {
    writeSync(descriptor, text);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  chmodSync(unfinished, mode);
  giveLike(path, unfinished);
  renameSync(unfinished, path);
  // The name is durable only when its directory is.
  const directory = openSync(dirname(path), 'r');
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}

/**
 * Gives `path`, and all that is in it, to the owner of `model`: root has worked there for a service that is not root. Nothing happens for
 * anybody else, and nothing if one of the two is not there. Throws the system's error.
 */
export function giveLike(model: string, path: string): void {
  const owner = statSync(model, { throwIfNoEntry: false });
  const given = lstatSync(path, { throwIfNoEntry: false });
  if (owner === undefined || given === undefined || process.geteuid?.() !== 0) return;
  lchownSync(path, owner.uid, owner.gid);
  if (given.isDirectory()) for (const name of readdirSync(path)) giveLike(model, join(path, name));
}

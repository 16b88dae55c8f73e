/** Files as configuration and tools need them; whole texts only. */
import {
  accessSync,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fsyncSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { ConfigFiles } from '../config.ts';

export const nodeFiles: ConfigFiles = {
  read: (path) => {
    const found = statSync(path);
    if (!found.isFile() && !found.isDirectory()) {
      throw Object.assign(new Error('it is no plain file'), { code: 'EINVAL' });
    }
    return readFileSync(path, 'utf8');
  },
  exists: (path) => statSync(path, { throwIfNoEntry: false }) !== undefined,
  takenByFile: (path) => {
    try {
      return statSync(path).isDirectory() === false;
    } catch {
      return false;
    }
  },
  list: (path) => {
    try {
      return readdirSync(path);
    } catch {
      return [];
    }
  },
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
 * Replaces the file as a whole, so that a power cut leaves the old or the new text. Its owner stays, if we may give it away. Root does so
 * in folders of the service as well: nothing that lies there already is written, and nothing is given away by its name. Throws the
 * system's error.
 */
export function replaceFile(path: string, text: string, mode = 0o644): void {
  mkdirSync(dirname(path), { recursive: true });
  const unfinished = `${path}.new`;
  rmSync(unfinished, { force: true });
  const descriptor = openSync(unfinished, 'wx', mode);
  try {
    writeSync(descriptor, text);
    fchmodSync(descriptor, mode);
    const owner = ownerToBe(path);
    if (owner !== undefined) fchownSync(descriptor, owner.uid, owner.gid);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  renameSync(unfinished, path);
  // The name is durable only when its directory is.
  const directory = openSync(dirname(path), 'r');
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}

/** That of `model`, for root alone, who may give away; undefined if `model` is not there. */
const ownerToBe = (model: string): Stats | undefined =>
  process.geteuid?.() === 0 ? statSync(model, { throwIfNoEntry: false }) : undefined;

/**
 * Gives `path`, and all that is in it, to the owner of `model`: root has worked there for a service that is not root. Nothing happens for
 * anybody else, and nothing if one of the two is not there. Throws the system's error.
 */
export function giveLike(model: string, path: string): void {
  const owner = ownerToBe(model);
  if (owner !== undefined) give(path, owner);
}

function give(path: string, owner: Stats): void {
  const given = lstatSync(path, { throwIfNoEntry: false });
  if (given === undefined) return;
  lchownSync(path, owner.uid, owner.gid);
  if (!given.isDirectory()) return;
  // The owner may put a link in its place at any moment: what is open stays the folder that it is.
  const folder = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    const inside = `/proc/self/fd/${folder}`;
    for (const name of readdirSync(inside)) give(join(inside, name), owner);
  } finally {
    closeSync(folder);
  }
}

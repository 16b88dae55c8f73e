/** Opens the agent's durable memory, moves one that cannot be used aside, and reads what is left of a broken one. */
import { existsSync, mkdirSync, statSync } from 'node:fs';
import { chmod, cp, lstat, mkdtemp, realpath, rename, rm, unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import { StoreError } from '../errors.ts';
import type { Log, Store } from '../ports.ts';
import { errorCode, storeError } from './level-error.ts';
import { type Database, damageMark, LevelStore, probe, READ_CHUNK_BYTES } from './level-store.ts';

/** Counts layouts of keys and values that an older release could not read. A release reads its own format and the ones before. */
const STORE_FORMAT = 1;
export const formatKey = 'meta/format';

/** A Pi has little memory, and the agent reads its store mostly in order. */
const CACHE_BYTES = 1024 * 1024;
/** So many rows are read at opening to see whether they can be read: all of a usual store, a few milliseconds of a huge one. */
const CHECKED_ROWS = 500;
const SALVAGE_PAGE = 1000;
const OWNER_ONLY = 0o700;
const OTHERS = 0o077;

/** Failures of the machine, not of the store: moving the store aside would not help. */
const environmentCodes: ReadonlySet<string> = new Set(['LEVEL_LOCKED', 'ENOSPC', 'EDQUOT', 'EROFS', 'EACCES']);

export interface OpenedStore {
  readonly store: Store;
  /** Where the old store went if it could not be used; `salvage` reads it. */
  readonly movedAside?: string;
  /** Why, for the log and the security event. */
  readonly reason?: string;
}

/**
 * Opens the store in `directory`, which is made if need be. One that does not open, is damaged, or has a foreign or newer format is renamed
 * to `<directory>.broken-<n>` and a fresh one starts. Rejects with StoreError: `storeLocked` if another process holds it, `storeFull`
 * or `storeBroken` if the machine itself does not let us. The log may still be under way: nothing is said before the store is open.
 */
export async function openStore(directory: string, logOrLater: Log | Promise<Log>): Promise<OpenedStore> {
  const reason = existsSync(damageMark(directory)) ? 'damaged data was met by the last process' : undefined;
  const opened = reason === undefined ? await tryOpen(directory) : { reason };
  const log = await logOrLater;
  if ('database' in opened) {
    await keepToOwner(directory, log);
    return { store: new LevelStore(opened.database, log) };
  }
  const movedAside = await moveAside(directory);
  const fresh = await tryOpen(directory);
  if ('reason' in fresh) throw new StoreError('storeBroken', `a fresh store does not open: ${fresh.reason}`);
  log.error('the store was moved aside, a fresh one starts', { movedAside, reason: opened.reason });
  return { store: new LevelStore(fresh.database, log), movedAside, reason: opened.reason };
}

/** AuthorizationKey and passwords of file servers are in it. An older release made it with what the umask left. */
async function keepToOwner(directory: string, log: Log): Promise<void> {
  if ((statSync(directory).mode & OTHERS) === 0) return;
  await chmod(directory, OWNER_ONLY).catch((cause: unknown) => {
    log.warn(`others may read the store, which holds secrets: chmod 700 ${directory}`, { cause });
  });
}

/** Nothing was ever stored. */
const EMPTY: Pick<Store, 'get' | 'list'> = { get: () => Promise.resolve(undefined), list: () => Promise.resolve([]) };

/**
 * Reads a copy, so that the store itself is neither locked nor touched, whoever asks: LevelDB writes even when it only reads. Rejects with
 * StoreError if the copy cannot be read.
 */
export async function readStored<T>(
  directory: string,
  log: Log,
  read: (store: Pick<Store, 'get' | 'list'>) => Promise<T>,
): Promise<T> {
  if (!existsSync(directory)) return read(EMPTY);
  // For its owner only: secrets are in it.
  const copies = await mkdtemp(join(tmpdir(), 'chargepoint-'));
  try {
    const copy = join(copies, 'store');
    await cp(await realpath(directory), copy, { recursive: true, filter: isOfStore });
    const database = make(copy, false);
    await database.open();
    const store = new LevelStore(database, log);
    return await read(store).finally(() => store.close());
  } catch (cause) {
    throw storeError(cause);
  } finally {
    await rm(copies, { recursive: true, force: true });
  }
}

/** LevelDB has no links. Root would write through one that the service has put where LevelDB is going to write. */
async function isOfStore(path: string): Promise<boolean> {
  const found = await lstat(path);
  return found.isFile() || found.isDirectory();
}

export interface SalvagedRows {
  readonly rows: readonly (readonly [key: string, value: unknown])[];
  /** Rows whose value is no JSON any more. */
  readonly unreadable: number;
}

/**
 * Repairs the store in `directory` in place and reads all that can be read; deleted rows may come back. Rejects with StoreError if nothing
 * can be read at all.
 */
export async function salvage(directory: string): Promise<SalvagedRows> {
  if (!existsSync(directory)) throw new StoreError('storeBroken', `there is no store at ${directory}`);
  try {
    await ClassicLevel.repair(directory);
    // Only now: a ClassicLevel opens by itself, and a repair needs the directory for itself.
    const database = make(directory, false);
    try {
      await database.open();
      return await readable(database);
    } finally {
      await database.close();
    }
  } catch (cause) {
    throw storeError(cause);
  }
}

/** All rows in order, up to where a damaged table makes reading impossible. */
async function readable(database: Database): Promise<SalvagedRows> {
  const rows: [string, unknown][] = [];
  let unreadable = 0;
  const iterator = database.iterator();
  const next = (): Promise<[string, string][]> => iterator.nextv(SALVAGE_PAGE).catch(() => []);
  for (let page = await next(); page.length > 0; page = await next()) {
    for (const [key, text] of page) {
      try {
        rows.push([key, JSON.parse(text)]);
      } catch {
        unreadable++;
      }
    }
  }
  await iterator.close();
  return { rows, unreadable };
}

type Attempt = { readonly database: Database } | { readonly reason: string };

/** Rejects with StoreError for failures of the machine; anything else is a reason to move the store aside. */
async function tryOpen(directory: string): Promise<Attempt> {
  const database = make(directory, true);
  try {
    mkdirSync(dirname(directory), { recursive: true });
    mkdirSync(directory, { recursive: true, mode: OWNER_ONLY });
    await database.open();
    const reason = await unusable(database);
    if (reason === undefined) return { database };
    await database.close();
    return { reason };
  } catch (cause) {
    await database.close();
    const error = storeError(cause);
    if (environmentCodes.has(errorCode(cause) ?? '')) throw error;
    // A medium that takes no data explains the failure better than a broken store does.
    await probe(`${directory}.probe`).catch((failure: unknown) => {
      throw storeError(failure);
    });
    return { reason: error.message };
  }
}

/** Why this store is not ours to use; an empty one gets our format. */
async function unusable(database: Database): Promise<string | undefined> {
  const rows = await database.iterator({ limit: CHECKED_ROWS, highWaterMarkBytes: READ_CHUNK_BYTES }).all();
  if (rows.length === 0) {
    await database.put(formatKey, JSON.stringify({ format: STORE_FORMAT }), { sync: true });
    return undefined;
  }
  const format = formatOf(await database.get(formatKey));
  if (format === undefined) return 'the store has no format version: it is not ours';
  if (format > STORE_FORMAT) return `the store has format ${format}, this release reads up to ${STORE_FORMAT}`;
  return undefined;
}

function formatOf(text: string | undefined): number | undefined {
  try {
    const value: unknown = JSON.parse(text ?? 'null');
    if (typeof value !== 'object' || value === null || !('format' in value)) return undefined;
    return Number.isSafeInteger(value.format) ? (value.format as number) : undefined;
  } catch {
    return undefined;
  }
}

async function moveAside(directory: string): Promise<string> {
  let n = 1;
  while (existsSync(`${directory}.broken-${n}`)) n++;
  const aside = `${directory}.broken-${n}`;
  try {
    if (existsSync(directory)) await rename(directory, aside);
    await unlink(damageMark(directory)).catch(() => undefined);
  } catch (cause) {
    throw storeError(cause);
  }
  return aside;
}

function make(directory: string, createIfMissing: boolean): Database {
  return new ClassicLevel<string, string>(directory, { createIfMissing, cacheSize: CACHE_BYTES });
}

/** The store of an agent that does not run: read without touching it, or changed under its lock. */
import { join } from 'node:path';
import { settleSwitch } from '../central-system-switch.ts';
import type { AgentConfig } from '../config.ts';
import { StoreError } from '../errors.ts';
import { FEATURES } from '../features/all.ts';
import { readGiven } from '../features/configuration/configuration.ts';
import { competitionOf, disclosed, effectiveOf, standingOf } from '../features/configuration/precedence.ts';
import type { Effective } from '../features/feature.ts';
import { presetsOf } from '../features/security/security.keys.ts';
import { giveLike } from '../platform/files.ts';
import { EXIT, type ExitCode } from '../platform/system.ts';
import type { Clock, Log, Store } from '../ports.ts';
import type { Io } from './io.ts';
import { storeDirectory } from './store-directory.ts';

/** A key as the next start will find it; `competition` says who wins where the central system has set something. */
export interface StoredKey {
  readonly effective: Effective;
  readonly competition: string | undefined;
}

/** All keys, secrets masked. Rejects with StoreError. */
export async function storedKeys(io: Io, config: AgentConfig): Promise<readonly StoredKey[]> {
  const { stateDir } = config;
  const presets = presetsOf(config);
  const { readStored } = await import('../platform/store.ts');
  const { log, close } = await toolPorts(io);
  try {
    const given = await readStored(storeDirectory(stateDir), log, (store) => readGiven(presets, store));
    return FEATURES.flatMap(({ keys }) => keys).map((key) => {
      const standing = standingOf(key, given(key));
      return {
        effective: disclosed(effectiveOf(key, standing.layers)),
        competition: competitionOf(key, standing),
      };
    });
  } finally {
    close();
  }
}

/**
 * Opens the store for a change, and makes one if there is none. What root has written there belongs to the owner of the state directory
 * afterwards, or the service could not open it any more. Rejects with StoreError, `storeLocked` if an agent runs.
 */
export async function changeStored<T>(
  io: Io,
  { stateDir, centralSystem: { url }, chargePoint: { identity } }: AgentConfig,
  change: (store: Store, ports: { readonly clock: Clock; readonly log: Log }) => Promise<T>,
): Promise<T> {
  const { openStore } = await import('../platform/store.ts');
  const { log, clock, close } = await toolPorts(io);
  try {
    const { store } = await openStore(storeDirectory(stateDir), log);
    try {
      await settleSwitch(store, { url, identity }, log);
      return await change(store, { clock, log });
    } finally {
      await store.close();
    }
  } finally {
    close();
    for (const path of [storeDirectory(stateDir), join(stateDir, 'exports')]) giveLike(stateDir, path);
  }
}

/** A clock, and a log that says on stderr only what is wrong. */
async function toolPorts(io: Io): Promise<{ readonly clock: Clock; readonly log: Log; close(): void }> {
  const [{ platformClock }, { platformLog }] = await Promise.all([
    import('../platform/clock.ts'),
    import('../platform/log.ts'),
  ]);
  const clock = platformClock('tool');
  const wall = () => clock.wall(clock.now());
  return {
    clock,
    log: platformLog({ level: 'warn', style: 'plain', wall, write: (line) => io.err(line) }),
    close: () => clock.close(),
  };
}

/** Says what a StoreError means for whoever called; anything else is thrown on. */
export function storeTrouble(io: Io, error: unknown): ExitCode {
  if (!(error instanceof StoreError)) throw error;
  io.err(
    error.code === 'storeLocked'
      ? 'An agent is running on this store, but does not answer on its control socket: name that with --socket.\n'
      : `${error.message}.\n`,
  );
  return EXIT.internal;
}

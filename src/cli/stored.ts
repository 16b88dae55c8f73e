/** The store of an agent that does not run: read without touching it, or changed under its lock. */
import { join } from 'node:path';
import { settleSwitch } from '../central-system-switch.ts';
import type { AgentConfig } from '../config.ts';
import { StoreError } from '../errors.ts';
import { FEATURES } from '../features/all.ts';
import { certificateRange, OWN_PREFIX, type OwnRow, ROOT_PREFIX, type RootRow } from '../features/certificates/rows.ts';
import { readGiven } from '../features/configuration/configuration.ts';
import { competitionOf, disclosed, effectiveOf, standingOf } from '../features/configuration/precedence.ts';
import type { Effective } from '../features/feature.ts';
import { begin, type Endpoint, inForce, noticeText, wantedOf } from '../features/security/connection-phase.ts';
import { readRemembered } from '../features/security/connection-trial.ts';
import { presetsOf } from '../features/security/security.keys.ts';
import { type SessionView, sessionsIn } from '../features/transactions/history.ts';
import { giveLike } from '../platform/files.ts';
import { EXIT, type ExitCode } from '../platform/system.ts';
import type { Clock, DialRequest, Log, Store } from '../ports.ts';
import type { Io } from './io.ts';
import { keyDirectory, storeDirectory } from './store-directory.ts';

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

/** Whom the next start dials, and what a person has to know about that. Rejects with StoreError. */
export async function storedConnection(
  io: Io,
  config: AgentConfig,
): Promise<{ readonly url: string; readonly notice: string | undefined }> {
  return reading(io, config, async (store) => {
    const { endpoint, notice } = await endpointIn(store, config);
    return { url: endpoint.url, notice };
  });
}

/** The last transactions. Rejects with StoreError. */
export const storedSessions = (io: Io, config: AgentConfig, last: number): Promise<readonly SessionView[]> =>
  reading(io, config, (store) => sessionsIn(store, last));

/** All that the next dial is made with. Holds secrets. */
export interface StoredDial {
  readonly endpoint: Endpoint;
  /** PEM texts: what is installed, and what caFile holds and the next start will install. */
  readonly roots: readonly string[];
  /** Of the charge point: what security profile 3 shows. */
  readonly own: DialRequest['clientCertificate'];
}

/** Rejects with StoreError. */
export async function storedDial(io: Io, config: AgentConfig): Promise<StoredDial> {
  const { FileKeyStore } = await import('../platform/key-store.ts');
  return reading(io, config, async (store, log) => {
    const [{ endpoint }, rows] = await Promise.all([endpointIn(store, config), store.list<unknown>(certificateRange)]);
    const installed = rows.flatMap(([key, row]) => (key.startsWith(ROOT_PREFIX) ? [row as RootRow] : []));
    const roots = installed.filter(({ use }) => use === 'CentralSystemRootCertificate').map(({ pem }) => pem);
    const own = rows
      .flatMap(([key, row]) => (key.startsWith(OWN_PREFIX) ? [row as OwnRow] : []))
      .sort((a, b) => b.notBefore - a.notBefore)[0];
    const keys = new FileKeyStore(keyDirectory(config.stateDir), log);
    const key = own === undefined ? undefined : await keys.privateKey(own.key.id);
    return {
      endpoint,
      roots: [...new Set([...roots, ...config.centralSystem.certificateAuthorities])],
      own: own === undefined || key === undefined ? undefined : { chain: own.chain, key },
    };
  });
}

type Stored = Pick<Store, 'get' | 'list'>;

async function reading<T>(
  io: Io,
  { stateDir }: AgentConfig,
  read: (store: Stored, log: Log) => Promise<T>,
): Promise<T> {
  const { readStored } = await import('../platform/store.ts');
  const { log, close } = await toolPorts(io);
  try {
    return await readStored(storeDirectory(stateDir), log, (store) => read(store, log));
  } finally {
    close();
  }
}

async function endpointIn(
  store: Stored,
  config: AgentConfig,
): Promise<{ readonly endpoint: Endpoint; readonly notice: string | undefined }> {
  const [given, remembered] = await Promise.all([readGiven(presetsOf(config), store), readRemembered(store)]);
  const keys = FEATURES.flatMap((feature) => feature.keys);
  const wanted = wantedOf(config, ({ name }) => {
    const key = keys.find((one) => one.name === name);
    return key && effectiveOf(key, standingOf(key, given(key)).layers);
  });
  const phase = begin(wanted, remembered);
  return {
    endpoint: inForce(phase),
    notice: noticeText(phase, remembered.returned, config.options.confirmConnectionWithinS),
  };
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

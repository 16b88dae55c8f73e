/**
 * Another central system takes over: what belongs to the old one is exported and cleared, and the configuration file names the new one.
 *
 * Two media cannot change in one step, so the order makes it one: the export; an intent in the store, durable; the configuration file,
 * replaced by a rename, which is the moment of the switch; one durable batch that clears and takes the intent away. After a power cut the
 * next start finds the intent and asks the file which world it is in: the new one, and it clears; the old one, and it drops the intent.
 */
import { FEATURES } from './features/all.ts';
import { openRange } from './features/transactions/facts.ts';
import { outboxRanges } from './ocpp/outbox/fact.ts';
import { type Salvaged, salvagedFrom } from './ocpp/outbox/salvaged.ts';
import type { KeyRange, Log, Store, StoreOperation } from './ports.ts';

/** Whom the charge point dials, and as who: as the configuration file says it. */
export interface Address {
  readonly url: string;
  readonly identity: string;
}

export interface CentralSystemSwitch {
  readonly from: Address;
  readonly to: Address;
}

export interface SwitchPorts {
  readonly store: Store;
  readonly log: Log;
  /** Keeps what the old central system has not confirmed; durable when it resolves. */
  keep(outbox: Salvaged): Promise<void>;
  /** Puts the new address into the configuration file, all or nothing; durable when it resolves. */
  rename(): Promise<void>;
}

/** `open`: a transaction has no stop yet. `later`: done, but the store could not be cleared: the next start does that. */
export type SwitchResult = 'done' | 'open' | 'later';

const INTENT_KEY = 'switch/intent';

/** No agent may use the store meanwhile. Rejects with what the ports reject with: then nothing has been switched. */
export async function switchCentralSystem(
  ports: SwitchPorts,
  { from, to }: CentralSystemSwitch,
): Promise<SwitchResult> {
  const { store, log } = ports;
  await settleSwitch(store, from, log);
  if ((await store.list({ ...openRange, limit: 1 })).length > 0) return 'open';
  await ports.keep(salvagedFrom((await Promise.all(outboxRanges.map((range) => store.list(range)))).flat()));
  await store.batch([{ type: 'put', key: INTENT_KEY, value: to }], 'durable');
  await ports.rename().catch(async (cause: unknown) => {
    await settleSwitch(store, from, log);
    throw cause;
  });
  try {
    await clear(store);
    return 'done';
  } catch (cause) {
    log.error('what belongs to the old central system could not be cleared: the next start will', { cause });
    return 'later';
  }
}

/** Ends a switch that a power cut has interrupted. To be called before anything else is read. Rejects with StoreError. */
export async function settleSwitch(store: Store, { url, identity }: Address, log: Log): Promise<void> {
  const intent = await store.get<Address>(INTENT_KEY);
  if (intent === undefined) return;
  const isNew = intent.url === url && intent.identity === identity;
  log.warn(`a switch of the central system was interrupted and is ${isNew ? 'completed' : 'dropped'}`, {
    url,
    identity,
  });
  if (isNew) await clear(store);
  else await store.batch([{ type: 'delete', key: INTENT_KEY }], 'durable');
}

async function clear(store: Store): Promise<void> {
  const ranges = FEATURES.flatMap(({ ofCentralSystem }) => ofCentralSystem ?? []);
  const operations = await Promise.all(ranges.map((range) => removing(store, range)));
  const left = FEATURES.flatMap(({ afterSwitch }) => afterSwitch ?? []);
  await store.batch([...operations.flat(), ...left, { type: 'delete', key: INTENT_KEY }], 'durable');
}

const removing = async (store: Store, range: KeyRange): Promise<readonly StoreOperation[]> =>
  (await store.list(range)).map(([key]) => ({ type: 'delete', key }));

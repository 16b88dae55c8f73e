/** Keys that can cut the link have to leave it standing, or the value before is in force again (docs/security.md). */
import type { Cancel, Clock, KeyRange, Log, Store, StoreOperation } from '../../ports.ts';
import type { SecurityEvents, Settings } from '../feature.ts';
import type { Key } from '../keys.ts';

/** `connection`: connection-trial.ts; `credentials`: credentials.ts; `value`: this file. Roots and certificates are no keys: the trust store. */
export type Healer = 'connection' | 'credentials' | 'value';

/** What of the configuration keys can cut the link, and who heals it. */
export const NETWORK_KEYS: { readonly [name: string]: Healer } = {
  CentralSystemUrl: 'connection',
  SecurityProfile: 'credentials',
  AuthorizationKey: 'credentials',
  WebSocketPingInterval: 'value',
  MessageTimeout: 'value',
};

export interface KeyTrialsOptions {
  /** Those with `value`. */
  readonly keys: readonly Key<number>[];
  /** ConfirmConnectionWithin, in seconds. */
  readonly withinS: number;
  readonly settings: Settings;
  readonly securityEvents: Pick<SecurityEvents, 'report'>;
  readonly store: Pick<Store, 'list' | 'batch'>;
  readonly clock: Pick<Clock, 'afterReal'>;
  readonly log: Log;
  /** The link is open, and we are accepted. */
  readonly isOnline: () => boolean;
  /** A call that costs nothing; rejects if the central system does not answer it. */
  readonly ask: () => Promise<unknown>;
}

/** What a change has taken the place of. */
interface Row {
  readonly from: number;
  readonly to: number;
}

interface Trial extends Row {
  readonly key: Key<number>;
  readonly cancelExpiry: Cancel;
}

const PREFIX = 'keyTrial/';
const rowKey = (name: string): string => PREFIX + name;
/** The value under which the link has stood: what an edit of the file has taken the place of. */
const provenKey = (name: string): string => `${PREFIX}proven/${name}`;
export const KEYS_ON_TRIAL: KeyRange = { from: PREFIX, to: 'keyTrial0' };

/** The link stands for so much of the time, which at 300 s is longer than a dead one stays unnoticed; then the central system is asked. */
const STANDS_FOR = 1 / 2;
const ASKED_AGAIN_AFTER = 1 / 10;

export class KeyTrials {
  readonly #options: KeyTrialsOptions;
  readonly #trials = new Map<string, Trial>();
  readonly #proven = new Map<string, number>();
  /** What a change that is being stored makes of it. */
  #next: { readonly name: string; readonly row: Row } | undefined;
  #cancelProof: Cancel | undefined;

  constructor(options: KeyTrialsOptions) {
    this.#options = options;
  }

  /** Rejects with StoreError. */
  async open(): Promise<void> {
    const { keys, settings, store } = this.#options;
    const rows = new Map<string, unknown>(await store.list(KEYS_ON_TRIAL));
    for (const key of keys) {
      const row = rows.get(rowKey(key.name)) as Row | undefined;
      const proven = rows.get(provenKey(key.name)) as number | undefined;
      if (proven !== undefined) this.#proven.set(key.name, proven);
      const to = settings.get(key);
      if (row?.to === to) this.#begin(key, row);
      // A technician has changed it: of this trial there is no record (ADR 6).
      else if (proven !== undefined && proven !== to) this.#begin(key, { from: proven, to });
      settings.along(key, (to) => this.#saving(key, to));
    }
    settings.onChange((name) => {
      const key = keys.find((one) => one.name === name);
      if (key !== undefined) this.#changed(key);
    });
  }

  /** Opened, accepted or closed: how long it stands counts from here. */
  linkChanged(): void {
    this.#plan();
  }

  stop(): void {
    this.#cancelProof?.();
    for (const { cancelExpiry } of this.#trials.values()) cancelExpiry();
    this.#trials.clear();
  }

  #saving(key: Key<number>, to: number): readonly StoreOperation[] {
    const row = { from: this.#trials.get(key.name)?.from ?? this.#options.settings.get(key), to };
    this.#next = { name: key.name, row };
    return [
      row.from === to ? { type: 'delete', key: rowKey(key.name) } : { type: 'put', key: rowKey(key.name), value: row },
    ];
  }

  #changed(key: Key<number>): void {
    this.#end(key.name);
    this.#plan();
    const row = this.#next?.name === key.name ? this.#next.row : undefined;
    this.#next = undefined;
    if (row === undefined || row.from === row.to || row.to !== this.#options.settings.get(key)) return;
    this.#begin(key, row);
    this.#plan();
  }

  #begin(key: Key<number>, row: Row): void {
    const { clock, withinS } = this.#options;
    const cancelExpiry = clock.afterReal(withinS * 1000, () => void this.#goBack(key.name));
    this.#trials.set(key.name, { key, ...row, cancelExpiry });
  }

  #end(name: string): void {
    this.#trials.get(name)?.cancelExpiry();
    this.#trials.delete(name);
  }

  #plan(): void {
    this.#cancelProof?.();
    this.#cancelProof = undefined;
    if ((this.#trials.size > 0 || this.#unnoted.length > 0) && this.#options.isOnline()) this.#askAfter(STANDS_FOR);
  }

  /** Those without a trial whose value has not been noted as proven. */
  get #unnoted(): readonly Key<number>[] {
    const { keys, settings } = this.#options;
    return keys.filter((key) => !this.#trials.has(key.name) && this.#proven.get(key.name) !== settings.get(key));
  }

  #askAfter(part: number): void {
    const { clock, withinS } = this.#options;
    this.#cancelProof = clock.afterReal(part * withinS * 1000, () => void this.#ask());
  }

  async #ask(): Promise<void> {
    const asked = [...this.#trials.values()];
    const cancelled = this.#cancelProof;
    try {
      // What is not on trial needs no question: the link stands.
      if (asked.length > 0) await this.#options.ask();
      await this.#confirm(asked.filter((trial) => this.#trials.get(trial.key.name) === trial));
    } catch {
      // Another link, or another change, has its own time.
      if (this.#cancelProof === cancelled && this.#trials.size > 0) this.#askAfter(ASKED_AGAIN_AFTER);
    }
  }

  async #confirm(proven: readonly Trial[]): Promise<void> {
    const { log, settings, store } = this.#options;
    for (const { key, to } of proven) {
      log.info(`${key.name} ${to} leaves the link standing`);
      this.#end(key.name);
    }
    const noted = this.#unnoted.map((key) => ({ name: key.name, value: settings.get(key) }));
    const operations: readonly StoreOperation[] = [
      ...proven.map(({ key }): StoreOperation => ({ type: 'delete', key: rowKey(key.name) })),
      ...noted.map(({ name, value }): StoreOperation => ({ type: 'put', key: provenKey(name), value })),
    ];
    if (operations.length === 0) return;
    for (const { name, value } of noted) this.#proven.set(name, value);
    try {
      await store.batch(operations, 'durable');
    } catch (cause) {
      // After a restart it has to prove itself once more.
      log.error('that a key leaves the link standing could not be stored', { cause });
    }
  }

  async #goBack(name: string): Promise<void> {
    const { log, securityEvents, settings, withinS } = this.#options;
    const trial = this.#trials.get(name);
    if (trial === undefined) return;
    const { key, from, to } = trial;
    const remedy = settings.find(name)?.source === 'file' ? '; edit the file to try again' : '';
    const text = `${name} ${to} has not left a working link for ${withinS} s: back to ${from}${remedy}`;
    log.error(text);
    securityEvents.report('ReconfigurationOfSecurityParameters', text);
    this.#end(name);
    try {
      await settings.put(key, from, [{ type: 'delete', key: rowKey(name) }]);
    } catch (cause) {
      log.error(`${name} could not be stored`, { cause });
      settings.adopt(key, from);
    }
  }
}

/** The values of all configuration keys: default, file, central system; which one wins, and where that is stored. */
import type { Clock, Log, Store, StoreOperation, Unsubscribe } from '../../ports.ts';
import type { ChangeResult, Effective, Settings, Source } from '../feature.ts';
import type { Accepts, Access, AnyKey, Key } from '../keys.ts';

interface Stored {
  readonly value: string;
  /** Epoch milliseconds, for a person. */
  readonly setAt: number;
}

interface Entry {
  readonly key: AnyKey;
  value: unknown;
  source: Source;
  access: Access;
  accepts?: Accepts<unknown>;
}

export interface ConfigurationOptions {
  readonly keys: readonly AnyKey[];
  /** What the file presets; a preset counts for read-only keys too. */
  readonly presets: Readonly<Record<string, string>>;
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
}

const KEY_PREFIX = 'key/';
const PRESET_PREFIX = 'preset/';

export class Configuration implements Settings {
  readonly #entries = new Map<string, Entry>();
  readonly #options: ConfigurationOptions;
  readonly #listeners = new Set<(name: string) => void>();

  private constructor(options: ConfigurationOptions) {
    this.#options = options;
    for (const key of options.keys) {
      const name = key.name.toLowerCase();
      if (this.#entries.has(name)) throw new Error(`two rooms own the configuration key ${key.name}`);
      this.#entries.set(name, { key, value: key.initial, source: 'default', access: key.access });
    }
  }

  /**
   * Reads what is stored. A value of the central system wins over the file's, except where a technician has edited the file since
   * the last start: then the file wins and the stored value is forgotten. Rejects with StoreError.
   */
  static async open(options: ConfigurationOptions): Promise<Configuration> {
    const configuration = new Configuration(options);
    const operations: StoreOperation[] = [];
    for (const entry of configuration.#entries.values()) operations.push(...(await configuration.#load(entry)));
    if (operations.length > 0) await options.store.batch(operations, 'durable');
    return configuration;
  }

  get<T>(key: Key<T>): T {
    const entry = this.#entries.get(key.name.toLowerCase());
    if (entry === undefined) throw new Error(`no room owns the configuration key ${key.name}`);
    return entry.value as T;
  }

  adopt<T>(key: Key<T>, value: T): void {
    const entry = this.#entries.get(key.name.toLowerCase());
    if (entry === undefined || entry.value === value) return;
    this.#put(entry, value, 'adopted');
  }

  narrow<T>(key: Key<T>, accepts: Accepts<T>): void {
    const entry = this.#entries.get(key.name.toLowerCase());
    if (entry === undefined) throw new Error(`no room owns the configuration key ${key.name}`);
    entry.accepts = accepts as Accepts<unknown>;
  }

  fix<T>(key: Key<T>, value: T): void {
    const entry = this.#entries.get(key.name.toLowerCase());
    if (entry === undefined) throw new Error(`no room owns the configuration key ${key.name}`);
    entry.access = 'R';
    if (entry.value !== value) this.#put(entry, value, 'adopted');
  }

  onChange(listener: (name: string) => void): Unsubscribe {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  get effective(): readonly Effective[] {
    return [...this.#entries.values()].map(effectiveOf);
  }

  find(name: string): Effective | undefined {
    const entry = this.#entries.get(name.trim().toLowerCase());
    return entry === undefined ? undefined : effectiveOf(entry);
  }

  async change(name: string, text: string): Promise<ChangeResult> {
    const entry = this.#entries.get(name.trim().toLowerCase());
    if (entry === undefined) return 'NotSupported';
    const { key } = entry;
    const value = key.type.parse(text);
    if (entry.access === 'R' || value === undefined) {
      this.#options.log.warn(
        `${key.name} was not changed: ${entry.access === 'R' ? 'it is read-only' : `it takes ${key.type.expected}`}`,
      );
      return 'Rejected';
    }
    const { store, clock, log } = this.#options;
    if (entry.accepts?.(value) === false) {
      log.warn(`${key.name} was not changed: this charge point cannot do ${JSON.stringify(text)}`);
      return 'Rejected';
    }
    const stored: Stored = { value: key.type.format(value as never), setAt: clock.wall(clock.now()) };
    try {
      await store.batch([{ type: 'put', key: KEY_PREFIX + key.name, value: stored }], 'durable');
    } catch (cause) {
      log.error(`${key.name} could not be stored and was not changed`, { cause });
      return 'Rejected';
    }
    if (key.rebootRequired) return 'RebootRequired';
    this.#put(entry, value, 'centralSystem');
    return 'Accepted';
  }

  async #load(entry: Entry): Promise<readonly StoreOperation[]> {
    const { key } = entry;
    const { presets, store, log } = this.#options;
    const preset = presets[key.name];
    const [stored, lastPreset] = await Promise.all([
      store.get<Stored>(KEY_PREFIX + key.name),
      store.get<string>(PRESET_PREFIX + key.name),
    ]);
    if (preset !== undefined) this.#take(entry, preset, 'file');
    const operations: StoreOperation[] = [];
    if (preset !== lastPreset) {
      const putOrDelete: StoreOperation =
        preset === undefined
          ? { type: 'delete', key: PRESET_PREFIX + key.name }
          : { type: 'put', key: PRESET_PREFIX + key.name, value: preset };
      operations.push(putOrDelete);
    }
    if (stored === undefined) return operations;
    if (preset !== undefined && lastPreset !== undefined && preset !== lastPreset) {
      log.info(`${key.name}: the file was edited to ${preset}, which replaces ${stored.value} of the central system`);
      return [...operations, { type: 'delete', key: KEY_PREFIX + key.name }];
    }
    this.#take(entry, stored.value, 'centralSystem');
    return operations;
  }

  #take(entry: Entry, text: string, source: Source): void {
    const value = entry.key.type.parse(text);
    if (value === undefined) {
      const { name, type } = entry.key;
      this.#options.log.warn(`${name}: ${JSON.stringify(text)} (${source}) is ignored, it takes ${type.expected}`);
      return;
    }
    entry.value = value;
    entry.source = source;
  }

  #put(entry: Entry, value: unknown, source: Source): void {
    entry.value = value;
    entry.source = source;
    for (const listener of [...this.#listeners]) listener(entry.key.name);
  }
}

const effectiveOf = ({ key, value, source, access }: Entry): Effective => ({
  name: key.name,
  value: key.type.format(value as never),
  source,
  access,
});

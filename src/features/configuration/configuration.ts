/** The values of all configuration keys: default, file, central system; which one wins, and where that is stored. */
import type { Clock, KeyRange, Log, Store, StoreOperation, Unsubscribe } from '../../ports.ts';
import type { ChangeResult, Effective, Forgotten, Settings } from '../feature.ts';
import type { Accepts, Access, AnyKey, Key } from '../keys.ts';
import {
  competitionOf,
  effectiveOf,
  type Given,
  isOfCentralSystem,
  isSecret,
  type Layer,
  type Layers,
  type Stored,
  standingOf,
} from './precedence.ts';

interface Entry {
  readonly key: AnyKey;
  layers: Layers;
  access: Access;
  accepts?: Accepts<unknown>;
  along?: (value: unknown) => readonly StoreOperation[];
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
/** What the central system has set, by key. */
export const SET_BY_CENTRAL_SYSTEM: KeyRange = { from: KEY_PREFIX, to: 'key0' };
const LAST_PRESETS: KeyRange = { from: PRESET_PREFIX, to: 'preset0' };

type Readable = Pick<Store, 'list'>;

/** Reads what is stored, once for all keys. Rejects with StoreError. */
export async function readGiven(
  presets: Readonly<Record<string, string>>,
  store: Readable,
): Promise<(key: AnyKey) => Given> {
  const [stored, lastPresets] = await Promise.all([
    store.list<Stored>(SET_BY_CENTRAL_SYSTEM).then((rows) => new Map(rows)),
    store.list<string>(LAST_PRESETS).then((rows) => new Map(rows)),
  ]);
  return ({ name }) => ({
    preset: presets[name],
    lastPreset: lastPresets.get(PRESET_PREFIX + name),
    stored: stored.get(KEY_PREFIX + name),
  });
}

/** The keys that the central system has set, those of a profile that is off included. Rejects with StoreError. */
export async function setByCentralSystem(store: Readable, name?: string): Promise<readonly string[]> {
  const rows = await store.list(SET_BY_CENTRAL_SYSTEM);
  const names = rows.map(([key]) => key.slice(KEY_PREFIX.length));
  return name === undefined ? names : names.filter((set) => set.toLowerCase() === name.trim().toLowerCase());
}

export const forgetting = (names: readonly string[]): readonly StoreOperation[] =>
  names.map((name) => ({ type: 'delete', key: KEY_PREFIX + name }));

export class Configuration implements Settings {
  readonly #entries = new Map<string, Entry>();
  readonly #options: ConfigurationOptions;
  readonly #listeners = new Set<(name: string) => void>();

  private constructor(options: ConfigurationOptions) {
    this.#options = options;
    for (const key of options.keys) {
      const name = key.name.toLowerCase();
      if (this.#entries.has(name)) throw new Error(`two rooms own the configuration key ${key.name}`);
      this.#entries.set(name, { key, layers: [{ source: 'default', value: key.initial }], access: key.access });
    }
  }

  /**
   * Reads what is stored, and says where the file and the central system compete. What an edit of the file has overruled is forgotten.
   * Rejects with StoreError.
   */
  static async open(options: ConfigurationOptions): Promise<Configuration> {
    const configuration = new Configuration(options);
    const operations: StoreOperation[] = [];
    const given = await readGiven(options.presets, options.store);
    for (const entry of configuration.#entries.values())
      operations.push(...configuration.#load(entry, given(entry.key)));
    if (operations.length > 0) await options.store.batch(operations, 'durable');
    return configuration;
  }

  get<T>(key: Key<T>): T {
    const entry = this.#entries.get(key.name.toLowerCase());
    if (entry === undefined) throw new Error(`no room owns the configuration key ${key.name}`);
    return entry.layers[0].value as T;
  }

  adopt<T>(key: Key<T>, value: T): void {
    const entry = this.#entries.get(key.name.toLowerCase());
    if (entry === undefined || entry.layers[0].value === value) return;
    this.#put(entry, { source: 'adopted', value });
  }

  narrow<T>(key: Key<T>, accepts: Accepts<T>): void {
    const entry = this.#entries.get(key.name.toLowerCase());
    if (entry === undefined) throw new Error(`no room owns the configuration key ${key.name}`);
    entry.accepts = accepts as Accepts<unknown>;
  }

  along<T>(key: Key<T>, more: (value: T) => readonly StoreOperation[]): void {
    const entry = this.#entries.get(key.name.toLowerCase());
    if (entry === undefined) throw new Error(`no room owns the configuration key ${key.name}`);
    entry.along = more as (value: unknown) => readonly StoreOperation[];
  }

  async put<T>(key: Key<T>, value: T, more: readonly StoreOperation[]): Promise<void> {
    const entry = this.#entries.get(key.name.toLowerCase());
    if (entry === undefined) throw new Error(`no room owns the configuration key ${key.name}`);
    await this.#store(entry, value, more);
  }

  fix<T>(key: Key<T>, value: T): void {
    const entry = this.#entries.get(key.name.toLowerCase());
    if (entry === undefined) throw new Error(`no room owns the configuration key ${key.name}`);
    entry.access = 'R';
    if (entry.layers[0].value !== value) this.#put(entry, { source: 'adopted', value });
  }

  onChange(listener: (name: string) => void): Unsubscribe {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  get effective(): readonly Effective[] {
    return [...this.#entries.values()].map(({ key, layers, access }) => effectiveOf(key, layers, access));
  }

  find(name: string): Effective | undefined {
    const entry = this.#entries.get(name.trim().toLowerCase());
    return entry === undefined ? undefined : effectiveOf(entry.key, entry.layers, entry.access);
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
    const { log } = this.#options;
    if (entry.accepts?.(value) === false) {
      log.warn(`${key.name} was not changed: this charge point cannot do ${shownText(key, text)}`);
      return 'Rejected';
    }
    try {
      await this.#store(entry, value, entry.along?.(value) ?? []);
    } catch (cause) {
      log.error(`${key.name} could not be stored and was not changed`, { cause });
      return 'Rejected';
    }
    return key.rebootRequired ? 'RebootRequired' : 'Accepted';
  }

  async #store(entry: Entry, value: unknown, more: readonly StoreOperation[]): Promise<void> {
    const { key } = entry;
    const { store, clock } = this.#options;
    const stored: Stored = { value: key.type.format(value as never), setAt: clock.wall(clock.now()) };
    await store.batch([{ type: 'put', key: KEY_PREFIX + key.name, value: stored }, ...more], 'durable');
    if (key.rebootRequired) return;
    this.#put(entry, { source: 'centralSystem', value, since: stored.setAt });
    entry.layers = withoutLayer(entry.layers, ({ source }) => source === 'adopted');
  }

  async forget(name?: string): Promise<Forgotten> {
    const { store, log } = this.#options;
    const names = await setByCentralSystem(store, name);
    await store.batch(forgetting(names), 'durable');
    const atNextStart: string[] = [];
    for (const forgotten of names) {
      const entry = this.#entries.get(forgotten.toLowerCase());
      if (entry !== undefined && !this.#withdraw(entry)) atNextStart.push(forgotten);
    }
    log.info('what the central system had set was forgotten', { keys: names, atNextStart });
    return { names, atNextStart };
  }

  /** False if the value below cannot take effect now. */
  #withdraw(entry: Entry): boolean {
    const { key, accepts } = entry;
    const layers = withoutLayer(entry.layers, isOfCentralSystem);
    if (key.rebootRequired || accepts?.(layers[0].value) === false) return false;
    const hasChanged = layers[0].value !== entry.layers[0].value;
    entry.layers = layers;
    if (hasChanged) this.#tell(key);
    return true;
  }

  #load(entry: Entry, given: Given): readonly StoreOperation[] {
    const { key } = entry;
    const { log } = this.#options;
    const standing = standingOf(key, given);
    entry.layers = standing.layers;
    for (const { source, text } of standing.ignored)
      log.warn(`${key.name}: ${shownText(key, text)} (${source}) is ignored, it takes ${key.type.expected}`);
    const competition = competitionOf(key, standing);
    if (competition !== undefined) log.info(`${key.name}: ${competition}`);
    return [...presetOperations(key, given), ...(standing.overruled === undefined ? [] : forgetting([key.name]))];
  }

  /** The strongest from now on, in place of an older one of the same source. */
  #put(entry: Entry, layer: Layer): void {
    const before = entry.layers[0].value;
    entry.layers = [layer, ...withoutLayer(entry.layers, ({ source }) => source === layer.source)];
    if (layer.value !== before) this.#tell(entry.key);
  }

  #tell({ name }: AnyKey): void {
    for (const listener of [...this.#listeners]) listener(name);
  }
}

const shownText = (key: AnyKey, text: string): string => (isSecret(key) ? 'what was given' : JSON.stringify(text));

/** What the file says now is what the next start compares with. */
function presetOperations({ name }: AnyKey, { preset, lastPreset }: Given): readonly StoreOperation[] {
  if (preset === lastPreset) return [];
  const key = PRESET_PREFIX + name;
  return [preset === undefined ? { type: 'delete', key } : { type: 'put', key, value: preset }];
}

/** The default always stays. */
function withoutLayer(layers: Layers, isGone: (layer: Layer) => boolean): Layers {
  const [first, ...others] = layers.filter((layer) => !isGone(layer));
  return first === undefined ? layers : [first, ...others];
}

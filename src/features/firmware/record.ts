/** The state of the firmware update on the disk: each step is durable before anything follows from it. */
import type { Log, Store, StoreOperation, Unsubscribe } from '../../ports.ts';
import { AT_REST, type FirmwareState } from './update.ts';

export const FIRMWARE_PREFIX = 'firmware/';
const KEY = `${FIRMWARE_PREFIX}state`;

/** Nothing is known of an update any more, but its image may lie on the disk. */
export const ONLY_AN_IMAGE: StoreOperation = { type: 'put', key: KEY, value: { ...AT_REST, image: true } };

export class FirmwareRecord {
  readonly #store: Store;
  readonly #log: Log;
  readonly #listeners = new Set<() => void>();
  #state: FirmwareState = AT_REST;
  #underWay: Promise<unknown> = Promise.resolve();

  constructor({ store, log }: { readonly store: Store; readonly log: Log }) {
    this.#store = store;
    this.#log = log;
  }

  /** Rejects with StoreError. */
  async open(): Promise<void> {
    this.#state = (await this.#store.get<FirmwareState>(KEY)) ?? AT_REST;
  }

  get state(): FirmwareState {
    return this.#state;
  }

  /**
   * One after the other. False if it could not be stored: it then counts for this process only, or with `required` not at all. Never
   * rejects.
   */
  change(make: (state: FirmwareState) => FirmwareState, need: 'required' | 'wanted' = 'wanted'): Promise<boolean> {
    const change = this.#underWay.then(() => this.#change(make, need));
    this.#underWay = change;
    return change;
  }

  /** Called after a change. */
  onChange(listener: () => void): Unsubscribe {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async #change(make: (state: FirmwareState) => FirmwareState, need: 'required' | 'wanted'): Promise<boolean> {
    const next = make(this.#state);
    if (next === this.#state) return true;
    const stored = await this.#isStored(next);
    if (!stored && need === 'required') return false;
    this.#state = next;
    for (const listener of [...this.#listeners]) listener();
    return stored;
  }

  async #isStored(state: FirmwareState): Promise<boolean> {
    try {
      await this.#store.batch([{ type: 'put', key: KEY, value: state }], 'durable');
      return true;
    } catch (cause) {
      this.#log.error('the progress of the firmware update could not be stored', { cause });
      return false;
    }
  }
}

/** The local authorization list: changed by SendLocalList and by nothing else (OCPP 1.6 sections 3.5.2 and 5.15). */
import { canonical, type IdTagEntry } from '../../core/authorization.ts';
import type { SendLocalList } from '../../ocpp/messages/local-auth-list/send-local-list.ts';
import type { ConfirmationOf, RequestOf } from '../../ocpp/operation.ts';
import type { Clock, Log, Store, Unsubscribe } from '../../ports.ts';
import type { LocalAuthList, Settings } from '../feature.ts';
import { entryOf } from '../id-tag-info.ts';
import { CHANGES_PER_PIECE, ChangeLog, type ListChange } from './change-log.ts';
import { localAuthListEnabled, localAuthListMaxLength, sendLocalListMaxLength } from './local-auth-list.keys.ts';

export interface LocalListOptions {
  readonly store: Store;
  readonly settings: Settings;
  readonly log: Log;
  readonly clock: Pick<Clock, 'afterReal'>;
}

export type ListUpdate = RequestOf<typeof SendLocalList>;
export type UpdateStatus = ConfirmationOf<typeof SendLocalList>['status'];

/** A log with so many pieces more than the list needs is written anew. */
const SPARE_PIECES = 50;

export class LocalList implements LocalAuthList {
  readonly #options: LocalListOptions;
  readonly #log: ChangeLog;
  readonly #listeners = new Set<() => void>();
  /** By canonical idTag. */
  #entries = new Map<string, IdTagEntry>();
  /** Updates run one after the other. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: LocalListOptions) {
    this.#options = options;
    this.#log = new ChangeLog(options.store);
  }

  /** Rejects with StoreError. */
  async open(): Promise<void> {
    await this.#log.open((changes) => applyTo(this.#entries, changes));
  }

  /** False also while the profile is off, with its keys. */
  get enabled(): boolean {
    return this.#options.settings.find(localAuthListEnabled.name)?.value === 'true';
  }

  get version(): number {
    return this.enabled ? this.#log.head.version : -1;
  }

  get size(): number {
    return this.#entries.size;
  }

  find(idTag: string): IdTagEntry | undefined {
    return this.enabled ? this.#entries.get(canonical(idTag)) : undefined;
  }

  onChange(listener: () => void): Unsubscribe {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  update(update: ListUpdate): Promise<UpdateStatus> {
    const status = this.#turn.then(() => this.#update(update));
    this.#turn = status.then(() => this.#tidy());
    return status;
  }

  async #update(update: ListUpdate): Promise<UpdateStatus> {
    const { updateType, listVersion } = update;
    if (!this.enabled) return 'NotSupported';
    const isFull = updateType === 'Full';
    if (!isFull && listVersion <= this.#log.head.version) return 'VersionMismatch';
    const changes = await this.#changesOf(update);
    const size = changes && sizeAfter(isFull ? new Map() : this.#entries, changes);
    if (changes === undefined || size === undefined || !this.#fits(size, listVersion)) return 'Failed';
    // Section 5.10: 0 says that the list is empty, whatever version made it so.
    const version = size === 0 ? 0 : listVersion;
    try {
      await (isFull ? this.#log.replace(version, changes) : this.#log.append(version, changes));
    } catch (cause) {
      this.#options.log.error('the local list could not be stored and stays as it was', { cause });
      return 'Failed';
    }
    if (isFull) this.#entries = new Map();
    applyTo(this.#entries, changes);
    for (const listener of this.#listeners) listener();
    return 'Accepted';
  }

  /** Undefined for what section 6.41 forbids: too many, the same idTag twice, no idTagInfo in a full list. */
  async #changesOf({
    localAuthorizationList = [],
    updateType,
  }: ListUpdate): Promise<readonly ListChange[] | undefined> {
    const { log, settings } = this.#options;
    const refuse = (why: string): undefined => log.warn(`SendLocalList was refused: ${why}`) as undefined;
    if (localAuthorizationList.length > settings.get(sendLocalListMaxLength)) return refuse('too many entries');
    const changes = new Map<string, IdTagEntry | null>();
    for (const [index, { idTag, idTagInfo }] of localAuthorizationList.entries()) {
      if (index > 0 && index % CHANGES_PER_PIECE === 0) await this.#pause();
      if (idTagInfo === undefined && updateType === 'Full') return refuse('an entry of a full list has no idTagInfo');
      changes.set(canonical(idTag), idTagInfo === undefined ? null : entryOf(idTagInfo));
    }
    return changes.size === localAuthorizationList.length ? [...changes] : refuse('an idTag is in it twice');
  }

  /** Everybody else has one. */
  #pause(): Promise<void> {
    return new Promise((resolve) => void this.#options.clock.afterReal(0, resolve));
  }

  /** Errata 3.52: 0 and -1 have a meaning of their own; a list that is empty has no other version anyway. */
  #fits(size: number, listVersion: number): boolean {
    const { log, settings } = this.#options;
    if (size > settings.get(localAuthListMaxLength)) log.warn('SendLocalList was refused: the list would be too long');
    else if (size > 0 && (listVersion < 1 || !Number.isSafeInteger(listVersion)))
      log.warn(`SendLocalList was refused: ${listVersion} is no version`);
    else return true;
    return false;
  }

  /** After the answer, and before the next update: what does not count is removed, a log grown long is written anew. */
  async #tidy(): Promise<void> {
    const { first, next, version } = this.#log.head;
    try {
      const needed = Math.ceil(this.#entries.size / CHANGES_PER_PIECE);
      if (next - first > needed + SPARE_PIECES) await this.#log.replace(version, this.#entries);
      await this.#log.sweep();
    } catch (cause) {
      this.#options.log.warn('the stored local list could not be tidied up', { cause });
    }
  }
}

function applyTo(entries: Map<string, IdTagEntry>, changes: readonly ListChange[]): void {
  for (const [idTag, entry] of changes) {
    if (entry === null) entries.delete(idTag);
    else entries.set(idTag, entry);
  }
}

function sizeAfter(entries: ReadonlyMap<string, IdTagEntry>, changes: readonly ListChange[]): number {
  let size = entries.size;
  for (const [idTag, entry] of changes) size += (entry === null ? 0 : 1) - (entries.has(idTag) ? 1 : 0);
  return size;
}

/** The installed charging profiles: kept on disk, bound to their transactions, and what they allow at this moment (OCPP 1.6 section 3.13). */
import type { Board } from '../../../hal/contract.ts';
import type { AgentConfig } from '../../config.ts';
import type { Connector } from '../../core/connector/state.ts';
import { transactionOf } from '../../core/connector/state.ts';
import type { Bound } from '../../core/load/bound.ts';
import {
  type ClearCriteria,
  clear,
  endTransaction,
  forRemoteStart,
  type InstalledProfile,
  install,
  type ProfileBook,
  type RunningTransaction,
} from '../../core/smart-charging/book.ts';
import { type CompositeSchedule, composing } from '../../core/smart-charging/composite-schedule.ts';
import type { Site } from '../../core/smart-charging/limit.ts';
import { chargePointLimitAt, type LimitNow, limitAt } from '../../core/smart-charging/limit-at.ts';
import { type ChargingProfile, dependsOnTime } from '../../core/smart-charging/profile.ts';
import type { ProfileLimits } from '../../core/smart-charging/validation.ts';
import type { Cancel, Clock, Log, Store, StoreOperation, Unsubscribe } from '../../ports.ts';
import type { LoadManager } from '../../station/load-manager.ts';
import type { Change, Station } from '../../station/station.ts';
import {
  type ChargingProfiles,
  hasBegun,
  type ScheduleRequest,
  type Settings,
  type TransactionBook,
} from '../feature.ts';
import { turns } from '../in-turn.ts';
import {
  type AwaitedProfile,
  deleteAwaited,
  deleteInstalled,
  loadAwaited,
  loadInstalled,
  putAwaited,
  putInstalled,
} from './profile-store.ts';
import * as keys from './smart-charging.keys.ts';

export interface ShelfOptions {
  readonly station: Station;
  readonly board: Board;
  readonly limits: LoadManager;
  readonly transactions: TransactionBook;
  readonly settings: Settings;
  readonly config: Pick<AgentConfig, 'installation' | 'options'>;
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
}

/** Of a composite schedule, which is cut off then: 60 kB of JSON. */
const MOST_PERIODS = 1000;
const NOT_STORED = 'it could not be stored';

export class ProfileShelf implements ChargingProfiles {
  readonly #options: ShelfOptions;
  #book: ProfileBook = [];
  #awaited: readonly AwaitedProfile[] = [];
  /** By connector the idTag of a remote start whose profile was cleared, not given up: it begins without. */
  readonly #excused = new Map<number, string>();
  readonly #inTurn = turns();
  #timer: Cancel | undefined;
  #subscriptions: readonly Unsubscribe[] = [];

  constructor(options: ShelfOptions) {
    this.#options = options;
  }

  get isOpen(): boolean {
    return this.#subscriptions.length > 0;
  }

  /** Takes up what was stored; TxProfiles whose transaction the last boot did not leave open are over. Rejects with StoreError. */
  async open(): Promise<void> {
    const { clock, station, store, transactions } = this.#options;
    const [installed, awaited] = await Promise.all([loadInstalled(store), loadAwaited(store)]);
    const open = new Map(transactions.interrupted.map(({ connectorId, transaction }) => [connectorId, transaction]));
    const isOver = ({ connectorId, profile }: InstalledProfile): boolean =>
      profile.chargingProfilePurpose === 'TxProfile' && !open.has(connectorId);
    const taken = awaited.filter(({ connectorId, idTag }) => open.get(connectorId)?.idTag === idTag);
    this.#book = installed.filter((each) => !isOver(each));
    await this.#write([
      ...installed.filter(isOver).map(deleteInstalled),
      ...awaited.filter((each) => !taken.includes(each)).map(({ connectorId }) => deleteAwaited(connectorId)),
    ]);
    // The power went between the start of the transaction and this.
    for (const each of taken) await this.#adopt(each, { startedAt: clock.wall(clock.now()) });
    this.#subscriptions = [
      station.onChange((change) => this.#follow(change)),
      clock.onJump(() => this.apply()),
      clock.onTrusted(() => this.apply()),
    ];
  }

  stop(): void {
    this.#timer?.();
    for (const unsubscribe of this.#subscriptions) unsubscribe();
    this.#subscriptions = [];
  }

  set(connectorId: number, profile: ChargingProfile): Promise<string | undefined> {
    return this.#inTurn(async () => {
      const now = this.#wall;
      const refusal = this.#unitProblem(profile);
      if (refusal !== undefined) return refusal;
      const installation = install(this.#book, connectorId, profile, {
        now,
        limits: this.#profileLimits,
        ...this.#transactionOn(connectorId),
      });
      if (!installation.ok) return installation.reason;
      const gone = installation.replaced.filter((old) => old.profile.chargingProfileId !== profile.chargingProfileId);
      const stored = await this.#write([
        ...gone.map(deleteInstalled),
        putInstalled({ connectorId, installedAt: now, profile }),
      ]);
      if (!stored) return NOT_STORED;
      // Transactions may have ended while it was on the way to the disk: what went with them stays away.
      const present = new Set(this.#book);
      this.#book = installation.book.filter((each) => each.profile === profile || present.has(each));
      if (profile.chargingProfilePurpose === 'TxProfile' && !('transaction' in this.#transactionOn(connectorId)))
        this.#forgetTransaction(connectorId);
      return undefined;
    });
  }

  clear(criteria: ClearCriteria): Promise<boolean> {
    return this.#inTurn(async () => {
      const { cleared } = clear(this.#book, criteria);
      const waiting = this.#awaited.filter((each) => clear([{ ...each, installedAt: 0 }], criteria).cleared.length > 0);
      if (cleared.length + waiting.length === 0) return false;
      const ofStarts = waiting.map(({ connectorId }) => deleteAwaited(connectorId));
      if (!(await this.#write([...cleared.map(deleteInstalled), ...ofStarts]))) return false;
      this.#book = this.#book.filter((each) => !cleared.includes(each));
      this.#awaited = this.#awaited.filter((each) => !waiting.includes(each));
      for (const { connectorId, idTag } of waiting) this.#excused.set(connectorId, idTag);
      return true;
    });
  }

  async schedule(request: ScheduleRequest): Promise<CompositeSchedule | undefined> {
    const { clock, config } = this.#options;
    const { compositeScheduleDefaultLimitAmps: defaultA } = config.options;
    const { gridA = defaultA, ...site } = this.#site();
    const connectors = site.connectors.map((each) => (defaultA === undefined ? each : { ...each, maxA: defaultA }));
    const slices = composing(this.#effectiveBook, {
      ...request,
      from: this.#wall,
      site: { ...site, connectors, ...(gridA === undefined ? {} : { gridA }) },
      mostPeriods: MOST_PERIODS,
    });
    for (;;) {
      const slice = slices.next();
      if (slice.done === true) return slice.value;
      await new Promise<void>((resolve) => void clock.afterReal(0, resolve));
    }
  }

  refusalOf(connectorId: number, profile: ChargingProfile): string | undefined {
    const limits = this.#profileLimits;
    const judged = forRemoteStart(profile, limits);
    if (!judged.ok) return judged.reason;
    const now = this.#wall;
    const others = this.#awaited.filter((each) => each.connectorId !== connectorId);
    const book = [...this.#book, ...others.map((each) => ({ ...each, installedAt: now }))];
    const installation = install(book, connectorId, judged.profile, { now, limits, transaction: { startedAt: now } });
    return installation.ok ? this.#unitProblem(profile) : installation.reason;
  }

  await(connectorId: number, idTag: string, asked: ChargingProfile): Promise<boolean> {
    return this.#inTurn(async () => {
      const judged = forRemoteStart(asked, this.#profileLimits);
      if (!judged.ok) return false;
      const awaited = { connectorId, idTag, profile: judged.profile };
      if (!(await this.#write([putAwaited(awaited)]))) return false;
      this.#excused.delete(connectorId);
      this.#awaited = [...this.#awaited.filter((each) => each.connectorId !== connectorId), awaited];
      return true;
    });
  }

  awaits(connectorId: number, idTag: string): boolean {
    if (this.#excused.get(connectorId) === idTag) return true;
    return this.#awaited.some((each) => each.connectorId === connectorId && each.idTag === idTag);
  }

  forget(connectorId: number): void {
    this.#excused.delete(connectorId);
    if (!this.#awaited.some((each) => each.connectorId === connectorId)) return;
    this.#awaited = this.#awaited.filter((each) => each.connectorId !== connectorId);
    void this.#write([deleteAwaited(connectorId)]);
  }

  apply(): void {
    const { clock, limits } = this.#options;
    this.#timer?.();
    // What was on its way to the disk when the process ended is for the next one.
    if (!this.isOpen) return;
    const [site, now, book] = [this.#site(), this.#wall, this.#effectiveBook];
    const total = chargePointLimitAt(book, now, site);
    const ofConnectors = site.connectors.map(({ connectorId }) => limitAt(book, connectorId, now, site));
    limits.bound(
      'chargingProfile',
      [total, ...ofConnectors].flatMap((limit, index) =>
        this.#boundOf(site.connectors[index - 1]?.connectorId ?? 0, limit),
      ),
    );
    const until = Math.min(...[total, ...ofConnectors].map((limit) => limit?.until ?? Number.POSITIVE_INFINITY));
    if (book.length > 0 && Number.isFinite(until)) this.#timer = clock.after(until - now, () => this.apply());
  }

  get #wall(): number {
    const { clock } = this.#options;
    return clock.wall(clock.now());
  }

  #boundOf(connectorId: number, limit: LimitNow | undefined): readonly Bound[] {
    if (limit?.chargingProfileId === undefined) return this.#untimed(connectorId);
    const { limitA, reason, minChargingRateA, numberPhases } = limit;
    const one = numberPhases === 1 && this.#switchesPhases(connectorId) ? ({ phases: 1 } as const) : {};
    const least = minChargingRateA === undefined ? {} : { leastA: minChargingRateA };
    return [
      ...this.#untimed(connectorId),
      { source: 'chargingProfile', connectorId, limitA, reason, ...one, ...least },
    ];
  }

  /** Nobody knows what a calendar says now: the safe current, until the time is known. */
  #untimed(connectorId: number): readonly Bound[] {
    const { clock, config } = this.#options;
    const concerns = ({ connectorId: on, profile }: InstalledProfile): boolean =>
      (on === connectorId || on === 0) && dependsOnTime(profile);
    if (clock.trusted || connectorId === 0 || !this.#book.some(concerns)) return [];
    const { safeA } = config.installation;
    return [{ source: 'chargingProfile', connectorId, limitA: safeA, reason: `the time is not known yet: ${safeA} A` }];
  }

  #switchesPhases(connectorId: number): boolean {
    const { settings, station } = this.#options;
    return (
      settings.get(keys.connectorSwitch3to1PhaseSupported) && station.hardware(connectorId)?.phaseSwitch !== undefined
    );
  }

  #site(): Site {
    const { board, config } = this.#options;
    const { nominalV, phases, fuseA, asymmetryA = Number.POSITIVE_INFINITY } = config.installation;
    return {
      nominalV,
      phases,
      ...(fuseA === undefined ? {} : { gridA: fuseA }),
      connectors: board.connectors.map(({ id, maxA, phases: installed }) => ({
        connectorId: id,
        phases: installed,
        maxA: installed === 1 ? Math.min(maxA, asymmetryA) : maxA,
        ...this.#transactionOn(id, true),
      })),
    };
  }

  /** `early`: also one that is just being written. */
  #transactionOn(connectorId: number, early = false): { readonly transaction?: RunningTransaction } {
    const { clock, station, transactions } = this.#options;
    const connector = station.connector(connectorId);
    if (connector === undefined) return {};
    const { phase } = connector;
    if (phase.name === 'beginning') return early ? { transaction: { startedAt: this.#wall } } : {};
    if (phase.name !== 'transaction' && phase.name !== 'interrupted') return {};
    const { id } = phase.transaction;
    const transactionId = transactions.transactionId(id);
    const startedAt = clock.wall(transactions.beganAt(id) ?? clock.now());
    return { transaction: { startedAt, ...(transactionId === undefined ? {} : { transactionId }) } };
  }

  /** With the profile of a remote start, from the moment on in which its transaction is being written. */
  get #effectiveBook(): ProfileBook {
    const early = this.#awaited.filter(({ connectorId, idTag }) => {
      const connector = this.#options.station.connector(connectorId);
      return connector !== undefined && idTagOf(connector) === idTag;
    });
    if (early.length === 0) return this.#book;
    const installedAt = this.#wall;
    return [...this.#book, ...early.map(({ connectorId, profile }) => ({ connectorId, profile, installedAt }))];
  }

  #follow(change: Change): void {
    const { before, after } = change;
    if (before.phase.name === after.phase.name) return;
    const begun = hasBegun(change) ? this.#awaited.find(({ connectorId }) => connectorId === after.id) : undefined;
    if (begun !== undefined && begun.idTag === idTagOf(after)) {
      const startedAt = this.#wall;
      // Unless it was just being cleared.
      const adopted = async () => this.#awaited.includes(begun) && (await this.#adopt(begun, { startedAt }));
      void this.#inTurn(adopted).then(() => this.apply());
    } else if (isSpent(change)) this.forget(after.id);
    if (transactionOf(before) !== undefined && transactionOf(after) === undefined) this.#forgetTransaction(after.id);
    this.apply();
  }

  /** The profile of a remote start becomes that of its transaction (section 5.16.2). */
  async #adopt({ connectorId, profile }: AwaitedProfile, transaction: RunningTransaction): Promise<void> {
    const now = this.#wall;
    // There was room for it when it was accepted, and the transaction follows it although that has been taken since.
    const limits = { ...this.#profileLimits, maxChargingProfilesInstalled: Number.POSITIVE_INFINITY };
    const installation = install(this.#book, connectorId, profile, { now, transaction, limits });
    if (!installation.ok) {
      this.#options.log.warn(`the profile of a remote start cannot be installed: ${installation.reason}`, {
        connectorId,
      });
      return;
    }
    const gone = installation.replaced.filter((old) => old.profile.chargingProfileId !== profile.chargingProfileId);
    // What bounds the transaction bounds it although the disk fails.
    this.#book = installation.book;
    this.#awaited = this.#awaited.filter((each) => each.connectorId !== connectorId);
    await this.#write([
      ...gone.map(deleteInstalled),
      putInstalled({ connectorId, installedAt: now, profile }),
      deleteAwaited(connectorId),
    ]);
  }

  #forgetTransaction(connectorId: number): void {
    const { book, cleared } = endTransaction(this.#book, connectorId);
    if (cleared.length === 0) return;
    this.#book = book;
    void this.#write(cleared.map(deleteInstalled));
  }

  get #profileLimits(): ProfileLimits {
    const { settings } = this.#options;
    return {
      chargeProfileMaxStackLevel: settings.get(keys.chargeProfileMaxStackLevel),
      chargingScheduleMaxPeriods: settings.get(keys.chargingScheduleMaxPeriods),
      maxChargingProfilesInstalled: settings.get(keys.maxChargingProfilesInstalled),
    };
  }

  #unitProblem({ chargingSchedule }: ChargingProfile): string | undefined {
    const quantity = chargingSchedule.chargingRateUnit === 'A' ? 'Current' : 'Power';
    const allowed = this.#options.settings.get(keys.chargingScheduleAllowedChargingRateUnit);
    return allowed.includes(quantity) ? undefined : `ChargingScheduleAllowedChargingRateUnit does not hold ${quantity}`;
  }

  async #write(operations: readonly StoreOperation[]): Promise<boolean> {
    if (operations.length === 0) return true;
    const { store, log } = this.#options;
    try {
      await store.batch(operations, 'durable');
      return true;
    } catch (cause) {
      log.error('the charging profiles could not be stored', { cause });
      return false;
    }
  }
}

/** Who a transaction is for that begins, runs or may go on here. */
function idTagOf({ phase }: Connector): string | undefined {
  if (phase.name === 'beginning') return phase.authorization.idTag;
  return 'transaction' in phase ? phase.transaction.idTag : undefined;
}

/** Somebody was authorised and did not begin, or somebody else did. */
const isSpent = ({ before, after }: Change): boolean =>
  (before.phase.name === 'authorized' || before.phase.name === 'locking' || before.phase.name === 'beginning') &&
  after.phase.name !== 'locking' &&
  after.phase.name !== 'beginning';

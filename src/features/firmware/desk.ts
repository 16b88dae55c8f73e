/** Takes the orders for firmware updates: one update at a time, the newest wins until it is being installed (L01.FR.26, L01.FR.27). */
import type { Installer, Log, Random, Store, Unsubscribe } from '../../ports.ts';
import type {
  Context,
  FirmwareAnswer,
  FirmwareOrder,
  FirmwareStanding,
  FirmwareUpdates,
  SecurityEvents,
} from '../feature.ts';
import { Course, discard, reportUpdated } from './course.ts';
import { FirmwareRecord } from './record.ts';
import { Teller } from './teller.ts';
import {
  ended,
  type FirmwareState,
  isByHand,
  isInForce,
  isInstalling,
  moved,
  standingOf,
  type Update,
} from './update.ts';
import { untilProven } from './waiting.ts';

export interface FirmwareDeskOptions {
  readonly store: Store;
  readonly log: Log;
  readonly random: Random;
  readonly installer: Installer;
  readonly securityEvents: SecurityEvents;
  /** Of the program that runs; undefined if nobody knows. */
  readonly version: string | undefined;
}

export class FirmwareDesk implements FirmwareUpdates {
  readonly #options: FirmwareDeskOptions;
  readonly #record: FirmwareRecord;
  #context: Context | undefined;
  #teller: Teller | undefined;
  #abort: AbortController | undefined;
  readonly #stopped = new AbortController();
  /** Put there by hand, and on trial. */
  #isUnproven = false;
  /** The update whose course was begun last. */
  #begun: string | undefined;
  #underWay: Promise<void> = Promise.resolve();

  constructor(options: FirmwareDeskOptions) {
    this.#options = options;
    this.#record = new FirmwareRecord(options);
  }

  /** What became of an installation that ended the process is known now. Rejects with StoreError. */
  async open(): Promise<void> {
    await this.#record.open();
    await this.#lookAtVersion();
    const { update } = this.#record.state;
    if (update === undefined || !isInstalling(update)) return;
    const { installer, log, securityEvents } = this.#options;
    const isInstalled = isInForce(update, await installer.running());
    if (isInstalled && (await installer.onTrial())) {
      await this.#record.change((state) => moved(state, update.id, { phase: 'trial' }));
      return;
    }
    // Its course asks what has become of it: that may take a while.
    if (!isInstalled && update.phase === 'installing' && installer.resume !== undefined) return;
    if (!isInstalled) log.error('the firmware that was being installed does not run');
    else reportUpdated(securityEvents, update);
    await this.#record.change((state) => ended(state, update.id, isInstalled ? 'Installed' : 'InstallationFailed'));
  }

  attend(context: Context): Unsubscribe {
    const teller = new Teller(context, this.#record);
    this.#context = context;
    this.#teller = teller;
    const { update, image } = this.#record.state;
    if (update !== undefined) this.begin();
    else if (image) this.#underWay = discard(context, this.#record);
    if (this.#isUnproven) void this.#proveByHand(context);
    return () => {
      teller.stop();
      this.#stopped.abort();
      this.#abort?.abort();
    };
  }

  async order(order: FirmwareOrder): Promise<FirmwareAnswer> {
    const { installer, log, random } = this.#options;
    if (!installer.available) {
      log.error('there is no installer: see `firmware` in the configuration file');
      return 'Rejected';
    }
    const update: Update = { ...order, id: random.uuid(), phase: 'accepted', attempt: 0 };
    const before: FirmwareState[] = [];
    const stored = await this.#record.change((state) => {
      before.push(state);
      return isInstalling(state.update) ? state : { ...state, update, image: true };
    }, 'required');
    const earlier = before[0]?.update;
    if (!stored || isInstalling(earlier)) return 'Rejected';
    if (earlier === undefined) return 'Accepted';
    this.#abort?.abort();
    return 'AcceptedCanceled';
  }

  begin(): void {
    const { update } = this.#record.state;
    const [context, teller, record] = [this.#context, this.#teller, this.#record];
    if (update === undefined || update.id === this.#begun || context === undefined || teller === undefined) return;
    // An order that was still on its way to the disk when the process ended: the next one begins it.
    if (this.#stopped.signal.aborted) return;
    this.#begun = update.id;
    this.#abort?.abort();
    context.station.hold(false);
    const abort = new AbortController();
    this.#abort = abort;
    const course = new Course({ context, record, teller, id: update.id, signal: abort.signal });
    // A download that was broken off lets go of its file first.
    this.#underWay = this.#underWay.then(() => course.run());
  }

  get standing(): FirmwareStanding {
    return standingOf(this.#record.state);
  }

  /** Of an update that somebody has made by hand nobody else tells. The first start is none. */
  async #lookAtVersion(): Promise<void> {
    const { installer, version } = this.#options;
    const { state } = this.#record;
    if (version === undefined || state.version === version) return;
    const byHand = isByHand(state, version);
    // The version before may come back: then there was none.
    this.#isUnproven = byHand && (await installer.onTrial());
    if (!this.#isUnproven) await this.#noteVersion(version, byHand);
  }

  async #proveByHand({ clock }: Context): Promise<void> {
    const { installer, version } = this.#options;
    await untilProven(clock, installer, this.#stopped.signal);
    if (version !== undefined && !this.#stopped.signal.aborted) await this.#noteVersion(version, true);
  }

  async #noteVersion(version: string, byHand: boolean): Promise<void> {
    const { version: last } = this.#record.state;
    if (byHand) this.#options.securityEvents.report('FirmwareUpdated', `by hand: ${version}, before ${last}`);
    await this.#record.change((state) => ({ ...state, version }));
  }
}

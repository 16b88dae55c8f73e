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
import { ended, type FirmwareState, isInForce, isInstalling, moved, standingOf, type Update } from './update.ts';

export interface FirmwareDeskOptions {
  readonly store: Store;
  readonly log: Log;
  readonly random: Random;
  readonly installer: Installer;
  readonly securityEvents: SecurityEvents;
}

export class FirmwareDesk implements FirmwareUpdates {
  readonly #options: FirmwareDeskOptions;
  readonly #record: FirmwareRecord;
  #context: Context | undefined;
  #teller: Teller | undefined;
  #abort: AbortController | undefined;
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
    else if (update.signed !== undefined) reportUpdated(securityEvents, update.signed.requestId);
    await this.#record.change((state) => ended(state, update.id, isInstalled ? 'Installed' : 'InstallationFailed'));
  }

  attend(context: Context): Unsubscribe {
    const teller = new Teller(context, this.#record);
    this.#context = context;
    this.#teller = teller;
    const { update, image } = this.#record.state;
    if (update !== undefined) this.begin();
    else if (image) this.#underWay = discard(context, this.#record);
    return () => {
      teller.stop();
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
}

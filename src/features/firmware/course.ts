/** The course of one update: each phase does its work and moves on to the next, so that it goes on after a restart where it was. */
import { TransferError } from '../../errors.ts';
import type { SignedFirmwareStatus } from '../../ocpp/messages/types/firmware-status.ts';
import type { Installation } from '../../ports.ts';
import type { Context } from '../feature.ts';
import { settled } from '../settled.ts';
import type { FirmwareRecord } from './record.ts';
import type { Teller } from './teller.ts';
import { ended, type FirmwareState, moved, type Phase, type Update, versionOpen } from './update.ts';
import { verdictOn } from './verdict.ts';
import { orAborted, untilIdle, untilProven, untilWall } from './waiting.ts';

/** The central system gets this long to hear of a step before the next one makes noise of its own; real time. */
const TOLD_WITHIN_MS = 5000;
/** As a Reset Soft waits (section 5.14). */
const CONFIRMED_WITHIN_MS = 15_000;
/** Where the central system does not say how long to wait between two attempts. */
const RETRY_S = 60;

/** No later attempt would do better. */
const HOPELESS: ReadonlySet<string> = new Set(['badUrl', 'unsupported']);

const CUT_OFF: Installation = { ok: false, reason: 'it was cut off' };

const BEFORE_DOWNLOADED: ReadonlySet<Phase> = new Set<Phase>(['accepted', 'scheduled', 'downloading', 'paused']);

export interface CourseOptions {
  readonly context: Context;
  readonly record: FirmwareRecord;
  readonly teller: Teller;
  readonly id: string;
  /** Aborted when another update takes its place, and when the process ends. */
  readonly signal: AbortSignal;
}

export class Course {
  readonly #options: CourseOptions;
  /** The image was verified a moment ago: nobody can have changed it since. */
  #isFresh = false;
  /** The installation was begun by this process. */
  #isBegun = false;
  readonly #steps: { readonly [phase in Phase]: (update: Update) => Promise<void> } = {
    accepted: (update) => this.#accept(update),
    scheduled: (update) => this.#await(update),
    downloading: (update) => this.#download(update),
    paused: (update) => this.#goOn(update),
    downloaded: (update) => this.#verify(update),
    ready: (update) => this.#prepare(update),
    waiting: (update) => this.#prepare(update),
    installing: (update) => this.#install(update),
    rebooting: () => this.#reboot(),
    trial: (update) => this.#prove(update),
  };

  constructor(options: CourseOptions) {
    this.#options = options;
  }

  /** Resolves when the update is over, or another one has taken its place. Never rejects. */
  async run(): Promise<void> {
    const { log } = this.#options.context;
    for (let update = this.#live; update !== undefined; update = this.#live) {
      const { phase } = update;
      try {
        await this.#steps[phase](update);
      } catch (cause) {
        log.error('the firmware update has failed', { phase, cause });
        await this.#end(BEFORE_DOWNLOADED.has(phase) ? 'DownloadFailed' : 'InstallationFailed');
      }
      if (phase === 'rebooting') return;
    }
  }

  /** Undefined once it is over or has been taken over. */
  get #live(): Update | undefined {
    const { record, id, signal } = this.#options;
    const { update } = record.state;
    return update?.id === id && !signal.aborted ? update : undefined;
  }

  #move(changes: Parameters<typeof moved>[2], status?: SignedFirmwareStatus): Promise<boolean> {
    const { record, id } = this.#options;
    return record.change((state) => (this.#live === undefined ? state : moved(state, id, changes, status)));
  }

  async #end(status: SignedFirmwareStatus, then = (state: FirmwareState): FirmwareState => state): Promise<void> {
    const { context, record, teller, id } = this.#options;
    if (this.#live === undefined) return;
    context.log.info(`firmware update: ${status}`);
    await record.change((state) => then(ended(state, id, status)));
    await teller.drained(TOLD_WITHIN_MS);
    if (record.state.update !== undefined) return;
    context.station.hold(false);
    await discard(context, record);
  }

  /** What an earlier update has left whole is not this one's; a part of one is continued if it is of the same file. */
  async #accept({ retrieveAt }: Update): Promise<void> {
    const { clock, firmwareFile } = this.#options.context;
    await firmwareFile.remove('image');
    const isDue = clock.wall(clock.now()) >= retrieveAt;
    await (isDue
      ? this.#move({ phase: 'downloading', attempt: 1 }, 'Downloading')
      : this.#move({ phase: 'scheduled' }, 'DownloadScheduled'));
  }

  async #await({ retrieveAt }: Update): Promise<void> {
    const { context, signal } = this.#options;
    await untilWall(context.clock, retrieveAt, signal);
    await this.#move({ phase: 'downloading', attempt: 1 }, 'Downloading');
  }

  async #download(update: Update): Promise<void> {
    const { context, signal } = this.#options;
    const { firmwareFile, transfers, trust } = context;
    let bytes = 0;
    try {
      // Whole already, if the process ended just before this was noted.
      if (!(await firmwareFile.exists())) {
        await transfers.download(update.location, {
          toFile: await firmwareFile.place(),
          resume: true,
          signal,
          certificateAuthorities: trust.roots('CentralSystemRootCertificate'),
          onProgress: (progress) => {
            bytes = progress.bytes;
          },
        });
      }
    } catch (cause) {
      await this.#breakOff(update, bytes, cause);
      return;
    }
    await this.#move({ phase: 'downloaded' }, 'Downloaded');
  }

  /** Paused is what has begun and goes on later from where it is; an attempt that has brought nothing has only failed. */
  async #breakOff({ attempt, retries, retryIntervalS }: Update, bytes: number, cause: unknown): Promise<void> {
    const { context } = this.#options;
    if (this.#live === undefined) return;
    context.log.warn('the firmware could not be downloaded', { attempt, bytes, cause });
    if (attempt > retries || (cause instanceof TransferError && HOPELESS.has(cause.code))) {
      await this.#end('DownloadFailed');
      return;
    }
    const isPaused = bytes > 0 && retryIntervalS !== 0;
    await this.#move({ phase: 'paused' }, isPaused ? 'DownloadPaused' : undefined);
  }

  async #goOn({ attempt, retryIntervalS = RETRY_S }: Update): Promise<void> {
    const { context, signal } = this.#options;
    const { clock } = context;
    await untilWall(clock, clock.wall(clock.now()) + retryIntervalS * 1000, signal);
    await this.#move({ phase: 'downloading', attempt: attempt + 1 }, 'Downloading');
  }

  async #verify(update: Update): Promise<void> {
    if (update.signed !== undefined) {
      if (await this.#isGenuine(update)) await this.#move({ phase: 'ready' }, 'SignatureVerified');
      return;
    }
    const digest = await this.#options.context.firmwareFile.digest();
    this.#isFresh = true;
    await this.#move({ phase: 'ready', digest });
  }

  /** Ends the update if the image is not the one that was asked for. */
  async #isGenuine(update: Update): Promise<boolean> {
    const { context, teller } = this.#options;
    const verdict = await verdictOn(context, update);
    if (this.#live === undefined) return false;
    this.#isFresh = verdict.ok;
    if (verdict.ok) return true;
    context.log.error('the firmware is not installed', { reason: verdict.reason });
    await teller.drained(TOLD_WITHIN_MS);
    if (this.#live === undefined) return false;
    if (verdict.event !== undefined) context.securityEvents.report(verdict.event, verdict.reason);
    await this.#end(verdict.status);
    return false;
  }

  /** Until its time has come and no transaction runs (L01.FR.05 to L01.FR.07, L01.FR.16 to L01.FR.19). */
  async #prepare(update: Update): Promise<void> {
    const { phase, signed } = update;
    const { context, record, teller, id, signal } = this.#options;
    const { clock, station, installer } = context;
    const installAt = signed?.installAt ?? 0;
    if (clock.wall(clock.now()) < installAt) {
      if (phase === 'ready') await this.#move({ phase: 'waiting' }, 'InstallScheduled');
      await untilWall(clock, installAt, signal);
      this.#isFresh = false;
    }
    await teller.drained(TOLD_WITHIN_MS);
    if (this.#live === undefined) return;
    if (!installer.keepsAvailable) station.hold(true);
    const idle = untilIdle(station, signal);
    if (idle !== undefined) {
      if (this.#live.phase === 'ready') await this.#move({ phase: 'waiting' }, 'InstallScheduled');
      await idle;
      this.#isFresh = false;
    }
    // The last stop is told before its connector has no time for it any more.
    await orAborted(settled(context, CONFIRMED_WITHIN_MS), signal);
    if (this.#live === undefined) return;
    // What lay there while it waited, or while nobody ran, may not be what was verified.
    if (!this.#isFresh && !(await this.#isGenuine(update))) return;
    const before = await installer.running();
    if (this.#live === undefined) return;
    const changes = { phase: 'installing', ...(before === undefined ? {} : { before }) } as const;
    // What must not be forgotten: after a restart nobody could tell what has become of it.
    const begun = await record.change(
      (state) => (this.#live === undefined ? state : moved(state, id, changes, 'Installing')),
      'required',
    );
    this.#isBegun = begun;
    if (!begun) await this.#end('InstallationFailed');
  }

  async #install(update: Update): Promise<void> {
    const { context } = this.#options;
    const { firmwareFile, installer, log, securityEvents, station } = context;
    if (!installer.keepsAvailable) station.hold(true);
    const result = this.#isBegun
      ? await installer.install({ file: await firmwareFile.place() })
      : ((await installer.resume?.()) ?? CUT_OFF);
    if (this.#live === undefined) return;
    if (!result.ok) {
      log.error('the firmware could not be installed', { reason: result.reason });
      const isRefused = result.refused === true && update.signed !== undefined;
      await this.#end(isRefused ? 'InstallVerificationFailed' : 'InstallationFailed');
    } else if (result.reboot) {
      await this.#move({ phase: 'rebooting' }, 'InstallRebooting');
    } else {
      reportUpdated(securityEvents, update);
      await this.#end('Installed', versionOpen);
    }
  }

  /** It runs; that it stays is said once it is certain, for each status is said once. */
  async #prove(update: Update): Promise<void> {
    const { context, signal } = this.#options;
    const { clock, installer, securityEvents } = context;
    await untilProven(clock, installer, signal);
    if (this.#live === undefined) return;
    reportUpdated(securityEvents, update);
    await this.#end('Installed');
  }

  /** As a Reset Soft ends the process; what was installed says so itself, once it runs. */
  async #reboot(): Promise<void> {
    const { context, teller, signal } = this.#options;
    const { installer, securityEvents, station, system } = context;
    await untilIdle(station, signal);
    await teller.drained(TOLD_WITHIN_MS);
    if (this.#live === undefined) return;
    securityEvents.report('ResetOrReboot', 'firmware update');
    station.shutDown({ reason: 'Reboot', trip: false });
    await settled(context, CONFIRMED_WITHIN_MS);
    await installer.restart();
    system.exit('reset');
  }
}

/** Section 8; of a signed update L01.FR.33 (edition 4), too. */
export const reportUpdated = (events: Context['securityEvents'], { signed }: Update): void =>
  events.report('FirmwareUpdated', signed === undefined ? 'UpdateFirmware' : `requestId ${signed.requestId}`);

/** Takes from the disk what is of no use any more. Never rejects. */
export async function discard(
  { firmwareFile, log }: Pick<Context, 'firmwareFile' | 'log'>,
  record: FirmwareRecord,
): Promise<void> {
  try {
    await firmwareFile.remove('all');
    await record.change((state) => {
      const { image: _, ...rest } = state;
      return state.update === undefined ? rest : state;
    });
  } catch (cause) {
    log.warn('what was left of a firmware update could not be removed', { cause });
  }
}

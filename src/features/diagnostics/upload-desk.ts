/** One upload at a time: its tries, what is reported of it, and a durable note of the report that the central system is owed. */
import { StoreError, TransferError, type TransferErrorCode } from '../../errors.ts';
import type { Archive, KeyRange } from '../../ports.ts';
import { type Context, isOnline } from '../feature.ts';
import { Teller } from './teller.ts';

/** How it ended: with the last try. */
export type UploadEnd = 'uploaded' | TransferErrorCode;

export interface Tries {
  /** In all. */
  readonly tries: number;
  readonly intervalMs: number;
}

const MOST_RETRIES = 100;
/** Ours to decide where the central system does not (section 6.25). */
const RETRIES = 0;
const INTERVAL_S = 10;
/** A timer of the platform goes no further than 24 days. */
const LONGEST_INTERVAL_S = 86_400;

const between = (least: number, value: number, most: number): number => Math.min(Math.max(value, least), most);

export const triesOf = (retries = RETRIES, retryIntervalS = INTERVAL_S): Tries => ({
  tries: 1 + between(0, retries, MOST_RETRIES),
  intervalMs: between(0, retryIntervalS, LONGEST_INTERVAL_S) * 1000,
});

export interface UploadOrder<Report> extends Tries {
  readonly url: string;
  readonly fileName: string;
  /** Told before each try. */
  readonly report: Report;
  /** Rejects with StoreError. */
  make(): Promise<Archive>;
}

export interface UploadDeskOptions<Report> {
  readonly context: Context;
  /** Where the notes are. */
  readonly notes: KeyRange;
  readonly send: (report: Report) => Promise<unknown>;
  /** The last report of an upload. */
  readonly endOf: (report: Report, end: UploadEnd) => Report;
}

interface Running<Report> {
  readonly order: UploadOrder<Report>;
  readonly abort: AbortController;
  readonly note: string;
  hasBegun: boolean;
}

/** Another try would find the same. */
const HOPELESS: ReadonlySet<UploadEnd> = new Set(['badUrl', 'unsupported', 'aborted']);

export class UploadDesk<Report> {
  readonly #options: UploadDeskOptions<Report>;
  readonly #teller: Teller<Report>;
  readonly #unsubscribe: () => void;
  /** Notes of this process; those of an earlier one are told when the central system can be called. */
  readonly #mine = new Set<string>();
  #hasTakenUp = false;
  #running: Running<Report> | undefined;
  /** The one before has closed its connections and removed its file. */
  #ended: Promise<void> = Promise.resolve();

  constructor(options: UploadDeskOptions<Report>) {
    this.#options = options;
    const { context } = options;
    this.#teller = new Teller(context, options.send);
    this.#unsubscribe = context.registration.onChange(() => void this.#takeUp());
  }

  /** The upload under way. */
  get current(): UploadOrder<Report> | undefined {
    return this.#running?.hasBegun === true ? this.#running.order : undefined;
  }

  /** Whether one was under way. Nothing more is reported of it. */
  cancel(): boolean {
    const { current } = this;
    this.#drop();
    return current !== undefined;
  }

  /** Notes durably that a report is owed; what it gives begins the upload after the answer, or forgets it without one. Never rejects. */
  async accept(order: UploadOrder<Report>): Promise<(wasAnswered: boolean) => void> {
    const { context, notes, endOf } = this.#options;
    // The answer to the last one is still on its way, to a link that has gone: nobody waits for it.
    this.#drop();
    const note = `${notes.from}${String(Math.max(0, context.clock.wall(context.clock.now()))).padStart(15, '0')}-${context.random.uuid()}`;
    const running: Running<Report> = { order, abort: new AbortController(), note, hasBegun: false };
    this.#running = running;
    this.#mine.add(note);
    await this.#note(note, endOf(order.report, 'failed'));
    return (wasAnswered) => {
      if (this.#running !== running) return;
      if (!wasAnswered) return this.#drop();
      running.hasBegun = true;
      this.#ended = this.#ended.then(() => this.#run(running));
    };
  }

  /** The process ends: what is not finished is told by the next one. */
  stop(): void {
    this.#running?.abort.abort();
    this.#running = undefined;
    this.#unsubscribe();
    this.#teller.stop();
  }

  #drop(): void {
    const running = this.#running;
    if (running === undefined) return;
    this.#running = undefined;
    running.abort.abort();
    void this.#forget(running.note);
  }

  /** Never rejects. */
  async #run(running: Running<Report>): Promise<void> {
    const { order, note } = running;
    const end = await this.#attempts(running);
    // Cancelled, or the process ends.
    if (this.#running !== running) return;
    this.#running = undefined;
    const report = this.#options.endOf(order.report, end);
    this.#options.context.log.info(`the upload of ${order.fileName} has ended: ${end}`);
    await this.#note(note, report);
    this.#teller.tell(report, () => void this.#forget(note));
  }

  async #attempts({ order, abort: { signal } }: Running<Report>): Promise<UploadEnd> {
    let archive: Archive | undefined;
    let end: UploadEnd = 'aborted';
    for (let left = order.tries; left > 0 && !signal.aborted; left--) {
      // The link may be down for long: what nobody has heard yet need not be said twice.
      if (isOnline(this.#options.context) || this.#teller.waiting === 0) this.#teller.tell(order.report);
      try {
        archive ??= await order.make();
        end = await this.#upload(order, archive, signal);
        break;
      } catch (cause) {
        end = endFrom(cause);
        if (signal.aborted) break;
        this.#options.context.log.warn(`the upload of ${order.fileName} failed: ${end}`, { left: left - 1, cause });
        if (HOPELESS.has(end)) break;
        if (left > 1) await this.#wait(order.intervalMs, signal);
      }
    }
    await archive?.remove();
    return end;
  }

  async #upload({ url, fileName }: UploadOrder<Report>, { file }: Archive, signal: AbortSignal): Promise<'uploaded'> {
    if (signal.aborted) throw new TransferError('aborted', 'the upload was given up');
    const { transfers, trust } = this.#options.context;
    // N01.FR.15: at least those that vouch for the central system.
    const certificateAuthorities = trust.roots('CentralSystemRootCertificate');
    await transfers.upload(url, { fromFile: file, fileName, certificateAuthorities, signal });
    return 'uploaded';
  }

  #wait(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        cancel();
        signal.removeEventListener('abort', done);
        resolve();
      };
      const cancel = this.#options.context.clock.after(ms, done);
      signal.addEventListener('abort', done);
    });
  }

  /** Tells once what a process before this one could not. */
  async #takeUp(): Promise<void> {
    const { context, notes } = this.#options;
    if (this.#hasTakenUp || !context.registration.accepted) return;
    this.#hasTakenUp = true;
    try {
      for (const [key, report] of await context.store.list<Report>(notes))
        if (!this.#mine.has(key)) this.#teller.tell(report, () => void this.#forget(key));
    } catch (cause) {
      context.log.error('the notes about uploads cannot be read', { cause });
    }
  }

  /** Without a note the report is still told, unless the process ends before. */
  async #note(key: string, report: Report): Promise<void> {
    const { store, log } = this.#options.context;
    try {
      await store.batch([{ type: 'put', key, value: report }], 'durable');
    } catch (cause) {
      log.error('an upload could not be noted', { cause });
    }
  }

  async #forget(key: string): Promise<void> {
    const { store, log } = this.#options.context;
    try {
      await store.batch([{ type: 'delete', key }], 'durable');
      this.#mine.delete(key);
    } catch (cause) {
      log.error('the note of an upload could not be removed', { cause });
    }
  }
}

function endFrom(cause: unknown): UploadEnd {
  if (cause instanceof TransferError) return cause.code;
  return cause instanceof StoreError && cause.code === 'storeFull' ? 'diskFull' : 'failed';
}

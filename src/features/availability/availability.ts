/** StatusNotification for the charge point and its connectors (OCPP 1.6 section 4.9; errata 3.19 and 3.22). */
import { StatusNotification } from '../../ocpp/messages/core/status-notification.ts';
import { formatTimestamp } from '../../ocpp/timestamp.ts';
import type { Cancel } from '../../ports.ts';
import { type Context, type Feature, isOnline, type Room } from '../feature.ts';
import { integer, key, seconds } from '../keys.ts';

export const minimumStatusDuration = key('MinimumStatusDuration', seconds(), { default: 0 });
export const numberOfConnectors = key('NumberOfConnectors', integer(0, 1000), { default: 1, access: 'R' });

export const availability: Feature = {
  name: 'availability',
  profile: 'Core',
  keys: [minimumStatusDuration, numberOfConnectors],
  start: (context): Room => {
    const { station, registration, connection, settings } = context;
    settings.adopt(numberOfConnectors, station.connectors.length);
    const reporters = [0, ...station.connectors.map(({ id }) => id)].map((id) => new Reporter(id, context));
    const reportAll = (): void => {
      for (const reporter of reporters) reporter.changed();
    };
    const backlog = new Backlog(context, reportAll);
    const subscriptions = [
      station.onChange(({ after }) => reporters[after.id]?.changed()),
      station.onFault(() => reporters[0]?.changed()),
      registration.onChange(() => backlog.thenReport()),
      connection.onOpen(() => backlog.thenReport()),
    ];
    return {
      triggers: {
        StatusNotification: (connectorId) => {
          if (connectorId === undefined) return () => reporters.forEach((reporter) => void reporter.report());
          const reporter = reporters[connectorId];
          return reporter && (() => void reporter.report());
        },
      },
      stop: () => {
        for (const unsubscribe of subscriptions) unsubscribe();
        backlog.stop();
        for (const reporter of reporters) reporter.stop();
      },
    };
  },
};

/** A central system that refuses a queued fact must not keep the statuses for ever. */
const BACKLOG_WITHIN_MS = 10_000;

/** What was queued while there was no link goes before the statuses. */
class Backlog {
  readonly #context: Context;
  readonly #report: () => void;
  #ends: readonly (() => void)[] = [];

  constructor(context: Context, report: () => void) {
    this.#context = context;
    this.#report = report;
  }

  thenReport(): void {
    this.stop();
    if (!isOnline(this.#context)) return;
    const { clock, transactions } = this.#context;
    const { outbox } = transactions;
    const done = (): void => {
      this.stop();
      this.#report();
    };
    if (outbox.size === 0) {
      done();
      return;
    }
    this.#ends = [outbox.onChange(() => outbox.size === 0 && done()), clock.after(BACKLOG_WITHIN_MS, done)];
  }

  stop(): void {
    for (const end of this.#ends) end();
    this.#ends = [];
  }
}

/** Says each change once, in order; after an interruption only what differs from what the central system knows. */
class Reporter {
  readonly #id: number;
  readonly #context: Context;
  /** The last report that was handed to the link; undefined if it is not known to have arrived. */
  #said: string | undefined;
  /** What waits for MinimumStatusDuration. */
  #waiting: { readonly report: string; readonly cancel: Cancel } | undefined;

  constructor(id: number, context: Context) {
    this.#id = id;
    this.#context = context;
  }

  stop(): void {
    this.#waiting?.cancel();
  }

  /** Something that may matter has happened. */
  changed(): void {
    if (!isOnline(this.#context)) return;
    const report = JSON.stringify(this.#context.station.report(this.#id));
    if (report === this.#waiting?.report) return;
    this.#waiting?.cancel();
    this.#waiting = undefined;
    if (report === this.#said) return;
    const { clock, settings } = this.#context;
    const durationMs = settings.get(minimumStatusDuration) * 1000;
    if (durationMs === 0 || this.#said === undefined) {
      void this.report();
      return;
    }
    const cancel = clock.after(durationMs, () => {
      this.#waiting = undefined;
      if (isOnline(this.#context)) void this.report();
    });
    this.#waiting = { report, cancel };
  }

  /** Sends what is true now. */
  async report(): Promise<void> {
    const { call, clock, station, log } = this.#context;
    const report = station.report(this.#id);
    if (report === undefined) return;
    const said = JSON.stringify(report);
    this.#said = said;
    try {
      const timestamp = formatTimestamp(clock.wall(clock.now()));
      await call(StatusNotification, { connectorId: this.#id, ...report, timestamp });
    } catch (cause) {
      log.warn('a StatusNotification came to nothing', { connectorId: this.#id, cause });
      if (this.#said === said) this.#said = undefined;
    }
  }
}

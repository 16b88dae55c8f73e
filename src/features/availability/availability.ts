/** Availability and statuses of the charge point and its connectors (OCPP 1.6 sections 4.9, 5.2 and 5.18; errata 3.19 and 3.22). */
import { type Context, type Feature, isOnline, type Room } from '../feature.ts';
import * as keys from './availability.keys.ts';
import { changeAvailability } from './change-availability.ts';
import { Reporter } from './reporter.ts';
import { unlockConnector } from './unlock-connector.ts';

export const availability: Feature = {
  name: 'availability',
  profile: 'Core',
  keys: Object.values(keys),
  start: (context): Room => {
    const { station, registration, connection, settings, config } = context;
    if (config.keys[keys.numberOfConnectors.name] === undefined)
      settings.adopt(keys.numberOfConnectors, station.connectors.length);
    const reporters = [0, ...station.connectors.map(({ id }) => id)].map((id) => new Reporter(id, context));
    const reportAll = (): void => {
      for (const reporter of reporters) reporter.changed();
    };
    const backlog = new Backlog(context, reportAll);
    const subscriptions = [
      station.onChange(({ after }) => {
        // Connector 0 has no steps of its own, and its status may have waited for this one.
        reporters[0]?.changed();
        reporters[after.id]?.changed();
      }),
      station.onFault(() => reporters[0]?.changed()),
      registration.onChange((status) => {
        if (status === 'Accepted') for (const reporter of reporters) reporter.unheard();
        backlog.thenReport();
      }),
      connection.onOpen(() => backlog.thenReport()),
      connection.onClose(() => {
        for (const reporter of reporters) reporter.interrupted();
      }),
    ];
    return {
      handlers: [changeAvailability(context), unlockConnector(context)],
      triggers: {
        StatusNotification: (connectorId) => {
          const asked = connectorId === undefined ? reporters : reporters.slice(connectorId, connectorId + 1);
          if (asked.length === 0 || (connectorId ?? 0) < 0) return undefined;
          return () => {
            for (const reporter of asked) reporter.report();
          };
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

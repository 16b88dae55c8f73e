/** Says what a connector's status is: each change once and in order, by ways that section 4.9 allows. */
import type { ConnectorStatus } from '../../core/connector/state.ts';
import type { StatusReport } from '../../core/connector/status.ts';
import { between } from '../../core/connector/transitions.ts';
import { StatusNotification } from '../../ocpp/messages/core/status-notification.ts';
import { formatTimestamp } from '../../ocpp/timestamp.ts';
import type { Cancel } from '../../ports.ts';
import { type Context, isOnline } from '../feature.ts';
import { minimumStatusDuration } from './availability.keys.ts';

/** After an interruption only what differs from what the central system knows is said again. */
export class Reporter {
  readonly #id: number;
  readonly #context: Context;
  /** The last report that was handed to the link; undefined if it is not known to have arrived. */
  #said: string | undefined;
  /** The last status the central system has heard from this process: the next one has to be able to follow it. */
  #status: ConnectorStatus | undefined;
  /** What waits for MinimumStatusDuration. */
  #waiting: { readonly report: string; readonly cancel: Cancel } | undefined;

  constructor(id: number, context: Context) {
    this.#id = id;
    this.#context = context;
  }

  stop(): void {
    this.#forgetWaiting();
  }

  /** The link is gone: what happens meanwhile is history, only what is true then will be said (section 4.9). */
  interrupted(): void {
    this.#forgetWaiting();
    this.#status = undefined;
  }

  /** Something that may matter has happened. */
  changed(): void {
    if (!isOnline(this.#context)) return;
    const report = JSON.stringify(this.#context.station.report(this.#id));
    if (report === this.#waiting?.report) return;
    this.#forgetWaiting();
    if (report === this.#said) return;
    const { clock, settings } = this.#context;
    const durationMs = settings.get(minimumStatusDuration) * 1000;
    if (durationMs === 0 || this.#said === undefined) {
      this.report();
      return;
    }
    const cancel = clock.after(durationMs, () => {
      this.#waiting = undefined;
      if (isOnline(this.#context)) this.report();
    });
    this.#waiting = { report, cancel };
  }

  /** Sends what is true now, and before it what has to come in between. */
  report(): void {
    this.#forgetWaiting();
    const report = this.#context.station.report(this.#id);
    if (report === undefined) return;
    const { status } = report;
    // Connector 0 knows three statuses, and any of them may follow any other.
    const stones = this.#status === undefined || this.#id === 0 ? [] : between(this.#status, status);
    for (const stone of stones) void this.#send({ status: stone, errorCode: 'NoError' });
    this.#status = status;
    void this.#send(report);
  }

  #forgetWaiting(): void {
    this.#waiting?.cancel();
    this.#waiting = undefined;
  }

  async #send(report: StatusReport): Promise<void> {
    const { call, clock, log } = this.#context;
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

/** Says what a connector's status is: each change once and in order, by ways that section 4.9 allows. */
import type { ConnectorStatus } from '../../core/connector/state.ts';
import type { StatusReport } from '../../core/connector/status.ts';
import { between } from '../../core/connector/transitions.ts';
import { StatusNotification } from '../../ocpp/messages/core/status-notification.ts';
import { formatTimestamp } from '../../ocpp/timestamp.ts';
import type { Cancel } from '../../ports.ts';
import { type Context, isOnline } from '../feature.ts';
import { minimumStatusDuration } from './availability.keys.ts';

/** So many changes of a connector wait for a slow central system; beyond that only the newest counts, and the way to it. */
const LONGEST_WAY = 10;

interface Saying {
  readonly report: StatusReport;
  /** When it became true, monotonic. */
  readonly at: number;
}

/** After an interruption only what differs from what the central system knows is said again. */
export class Reporter {
  readonly #id: number;
  readonly #context: Context;
  /** The last report that was said or is going to be; undefined if it is not known to have arrived. */
  #said: string | undefined;
  /** The last status that was handed to the link: the next one has to be able to follow it. */
  #status: ConnectorStatus | undefined;
  /** What goes when the one before is answered, oldest first: a central system that is slow is not buried under calls. */
  #unsaid: Saying[] = [];
  #saying = false;
  /** What waits for MinimumStatusDuration. */
  #waiting: { readonly status: ConnectorStatus; readonly cancel: Cancel } | undefined;

  constructor(id: number, context: Context) {
    this.#id = id;
    this.#context = context;
  }

  stop(): void {
    this.#forgetWaiting();
    this.#unsaid = [];
  }

  /** The link is gone: what happens meanwhile is history, only what is true then will be said (section 4.9). */
  interrupted(): void {
    this.#forgetWaiting();
    this.#status = undefined;
    this.#unsaid = [];
  }

  /** We have just been accepted: everything is said, whatever was said before (errata 3.22). */
  unheard(): void {
    this.#forgetWaiting();
    this.#said = undefined;
  }

  /** Something that may matter has happened. */
  changed(): void {
    if (!isOnline(this.#context)) return;
    const report = this.#context.station.report(this.#id);
    if (report === undefined) return;
    const isSaid = JSON.stringify(report) === this.#said;
    // It is the status that has to be stable (section 9.1.20), not what goes with it.
    if (!isSaid && report.status === this.#waiting?.status) return;
    this.#forgetWaiting();
    if (isSaid) return;
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
    this.#waiting = { status: report.status, cancel };
  }

  /** Says what is true now, and before it what has to come in between. */
  report(): void {
    this.#forgetWaiting();
    const report = this.#context.station.report(this.#id);
    if (report === undefined) return;
    if (this.#unsaid.length >= LONGEST_WAY) this.#unsaid = [];
    const at = this.#context.clock.now();
    for (const stone of this.#stonesTo(report.status)) {
      this.#unsaid.push({ report: { status: stone, errorCode: 'NoError' }, at });
    }
    this.#unsaid.push({ report, at });
    this.#said = JSON.stringify(report);
    if (!this.#saying) void this.#sayAll();
  }

  #stonesTo(status: ConnectorStatus): readonly ConnectorStatus[] {
    const last = this.#unsaid.at(-1)?.report.status ?? this.#status;
    // Connector 0 knows three statuses, and any of them may follow any other.
    return last === undefined || this.#id === 0 ? [] : between(last, status);
  }

  #forgetWaiting(): void {
    this.#waiting?.cancel();
    this.#waiting = undefined;
  }

  /** One at a time; the first goes at once. */
  async #sayAll(): Promise<void> {
    this.#saying = true;
    for (let next = this.#unsaid.shift(); next !== undefined; next = this.#unsaid.shift()) await this.#say(next);
    this.#saying = false;
  }

  async #say({ report, at }: Saying): Promise<void> {
    const { call, clock, log } = this.#context;
    this.#status = report.status;
    try {
      const timestamp = formatTimestamp(clock.wall(at));
      await call(StatusNotification, { connectorId: this.#id, ...report, timestamp });
    } catch (cause) {
      log.warn('a StatusNotification came to nothing', { connectorId: this.#id, cause });
      // If more follows, that is what counts.
      if (this.#unsaid.length === 0) this.#said = undefined;
    }
  }
}

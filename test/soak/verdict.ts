/** What the central system must have been told: every start with one stop, in order, energies that agree, statuses that may follow. Pure. */
import type { ConnectorStatus } from '../../src/core/connector/state.ts';
import { mayFollow } from '../../src/core/connector/transitions.ts';
import type { Call, Frame, Payload } from '../system/support/central-system.ts';

export interface Verdict {
  readonly violations: readonly string[];
  readonly transactions: number;
  readonly samples: number;
  readonly statuses: number;
  /** Transaction messages that came again after a link or a process had gone. */
  readonly repeated: number;
  readonly reasons: Readonly<Record<string, number>>;
}

interface Transaction {
  readonly connectorId: number;
  readonly meterStart: number;
  readonly began: number;
  /** The start may have been confirmed more than once; what follows carries the last id. */
  transactionId: unknown;
  lastWh: number;
  stop: Payload | undefined;
}

/** 80 A on three phases of 240 V, which is more than any connector of the bench carries. */
const MOST_W = 57_600;
const MS_PER_HOUR = 3_600_000;

export function judge(calls: readonly Call[], frames: readonly Frame[]): Verdict {
  const court = new Court(idsGiven(frames));
  for (const call of calls) court.hear(call);
  return court.verdict;
}

/** Message id of a StartTransaction -> the id that its confirmation gave. */
function idsGiven(frames: readonly Frame[]): ReadonlyMap<string, unknown> {
  const ids = new Map<string, unknown>();
  for (const { from, message } of frames) {
    const [type, id, payload] = message as [number, string, { readonly transactionId?: unknown } | undefined];
    if (from === 'centralSystem' && type === 3 && payload?.transactionId !== undefined)
      ids.set(id, payload.transactionId);
  }
  return ids;
}

class Court {
  readonly #ids: ReadonlyMap<string, unknown>;
  readonly #violations: string[] = [];
  readonly #transactions: Transaction[] = [];
  /** By connector: what was begun last. */
  readonly #latest = new Map<unknown, Transaction>();
  readonly #status = new Map<unknown, ConnectorStatus>();
  #statusLink = 0;
  readonly #reasons: Record<string, number> = {};
  /** The last transaction message: in order and one at a time, so only that one may come again. */
  #last: { readonly said: string; readonly call: Call } | undefined;
  #samples = 0;
  #statuses = 0;
  #repeated = 0;

  constructor(ids: ReadonlyMap<string, unknown>) {
    this.#ids = ids;
  }

  get verdict(): Verdict {
    const open = this.#transactions.filter(({ stop }) => stop === undefined);
    return {
      violations: [...this.#violations, ...open.map((each) => `never stopped: ${describe(each)}`)],
      transactions: this.#transactions.length,
      samples: this.#samples,
      statuses: this.#statuses,
      repeated: this.#repeated,
      reasons: this.#reasons,
    };
  }

  hear(call: Call): void {
    if (call.action === 'StatusNotification') this.#report(call);
    else if (call.action === 'StartTransaction') this.#start(call);
    else if (call.payload['transactionId'] !== undefined) this.#follow(call);
  }

  /** Of what happened while there was no link only the end is said (section 4.9). */
  #report({ link, payload: { connectorId, status } }: Call): void {
    this.#statuses++;
    if (link !== this.#statusLink) this.#status.clear();
    this.#statusLink = link;
    const before = this.#status.get(connectorId);
    const now = status as ConnectorStatus;
    if (before !== undefined && !mayFollow(before, now))
      this.#blame(`connector ${connectorId}: ${before}, then ${now}`);
    this.#status.set(connectorId, now);
  }

  #start(call: Call): void {
    const { connectorId, meterStart, timestamp } = call.payload;
    const before = this.#latest.get(connectorId);
    if (this.#isRepeated(call)) {
      if (before !== undefined) before.transactionId = this.#ids.get(call.id) ?? before.transactionId;
      return;
    }
    if (before !== undefined && before.stop === undefined)
      this.#blame(`a start before the stop of ${describe(before)}`);
    const transaction: Transaction = {
      connectorId: Number(connectorId),
      meterStart: Number(meterStart),
      began: Date.parse(String(timestamp)),
      transactionId: this.#ids.get(call.id),
      lastWh: Number(meterStart),
      stop: undefined,
    };
    this.#transactions.push(transaction);
    this.#latest.set(connectorId, transaction);
  }

  #follow(call: Call): void {
    const { transactionId } = call.payload;
    if (this.#isRepeated(call)) return;
    const transaction = [...this.#latest.values()].find((each) => each.transactionId === transactionId);
    if (transaction === undefined) this.#blame(`${call.action} of unknown transaction ${transactionId}`);
    else if (transaction.stop !== undefined) this.#blame(`${call.action} after the stop of ${describe(transaction)}`);
    else if (call.action === 'StopTransaction') this.#stop(transaction, call.payload);
    else this.#sample(transaction, call.payload);
  }

  #sample(transaction: Transaction, { meterValue }: Payload): void {
    for (const { timestamp, sampledValue } of meterValue as readonly MeterValue[]) {
      this.#samples++;
      const register = sampledValue.find(
        ({ measurand = REGISTER, phase }) => measurand === REGISTER && phase === undefined,
      );
      if (register !== undefined) this.#reached(transaction, Number(register.value), timestamp);
    }
  }

  #stop(transaction: Transaction, payload: Payload): void {
    const reason = String(payload['reason'] ?? 'Local');
    this.#reasons[reason] = (this.#reasons[reason] ?? 0) + 1;
    this.#reached(transaction, Number(payload['meterStop']), String(payload['timestamp']));
    transaction.stop = payload;
  }

  /** The register never goes back, and never faster than the connector carries. */
  #reached(transaction: Transaction, wh: number, timestamp: string): void {
    const { lastWh, meterStart, began } = transaction;
    const hours = (Date.parse(timestamp) - began) / MS_PER_HOUR;
    if (hours < 0) this.#blame(`${timestamp} is before the start of ${describe(transaction)}`);
    if (!(wh >= lastWh)) this.#blame(`the register went from ${lastWh} to ${wh} Wh: ${describe(transaction)}`);
    if (wh - meterStart > hours * MOST_W + 1)
      this.#blame(`${wh - meterStart} Wh in ${hours} h: ${describe(transaction)}`);
    transaction.lastWh = wh;
  }

  /** What was in flight when the link or the process went, with a new message id and on a new link. */
  #isRepeated(call: Call): boolean {
    const { transactionId: _, ...payload } = call.payload;
    const said = `${call.action} ${JSON.stringify(payload)}`;
    const before = this.#last;
    this.#last = { said, call };
    if (before?.said !== said) return false;
    this.#repeated++;
    if (before.call.link === call.link) this.#blame(`repeated on one link: ${said}`);
    if (before.call.id === call.id) this.#blame(`repeated with the same message id: ${said}`);
    return true;
  }

  #blame(violation: string): void {
    this.#violations.push(violation);
  }
}

interface MeterValue {
  readonly timestamp: string;
  readonly sampledValue: readonly { readonly value: string; readonly measurand?: string; readonly phase?: string }[];
}

const REGISTER = 'Energy.Active.Import.Register';

const describe = ({ connectorId, transactionId, began }: Transaction): string =>
  `transaction ${transactionId} on connector ${connectorId} of ${new Date(began).toISOString()}`;

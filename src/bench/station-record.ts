/** What the central system of the bench remembers of one charge point. The newest of everything; memory is bounded. */
import type { BootNotification } from '../ocpp/messages/core/boot-notification.ts';
import type { MeterValues } from '../ocpp/messages/core/meter-values.ts';
import type { StartTransaction } from '../ocpp/messages/core/start-transaction.ts';
import type { StatusNotification } from '../ocpp/messages/core/status-notification.ts';
import type { StopTransaction } from '../ocpp/messages/core/stop-transaction.ts';
import type { RequestOf } from '../ocpp/operation.ts';

type Start = RequestOf<typeof StartTransaction>;
type Stop = RequestOf<typeof StopTransaction>;
type Values = RequestOf<typeof MeterValues>;

export interface TransactionRecord {
  readonly transactionId: number;
  readonly start: Start;
  readonly stop?: Stop;
}

export interface Notice {
  /** ISO 8601, when it arrived. */
  readonly at: string;
  readonly action: string;
  readonly payload: unknown;
}

export interface StationView {
  readonly identity: string;
  readonly connected: boolean;
  /** ISO 8601: the last message. Null before the first. */
  readonly lastSeen: string | null;
  readonly boot: RequestOf<typeof BootNotification> | null;
  /** The last StatusNotification by connector. */
  readonly connectors: Readonly<Record<string, RequestOf<typeof StatusNotification>>>;
  readonly transactions: readonly TransactionRecord[];
  readonly meterValues: readonly Values[];
  /** Firmware, diagnostics, security and data transfer. */
  readonly notices: readonly Notice[];
}

const MOST_CONNECTORS = 100;
const MOST_TRANSACTIONS = 200;
const MOST_METER_VALUES = 500;
const MOST_NOTICES = 200;

export class StationRecord {
  readonly identity: string;
  connected = false;
  lastSeen: string | null = null;
  boot: StationView['boot'] = null;
  readonly #connectors = new Map<number, RequestOf<typeof StatusNotification>>();
  readonly #transactions: TransactionRecord[] = [];
  readonly #meterValues: Values[] = [];
  readonly #notices: Notice[] = [];

  constructor(identity: string) {
    this.identity = identity;
  }

  get view(): StationView {
    return {
      identity: this.identity,
      connected: this.connected,
      lastSeen: this.lastSeen,
      boot: this.boot,
      connectors: Object.fromEntries([...this.#connectors].map(([id, status]) => [String(id), status])),
      transactions: [...this.#transactions],
      meterValues: [...this.#meterValues],
      notices: [...this.#notices],
    };
  }

  status(status: RequestOf<typeof StatusNotification>): void {
    if (this.#connectors.has(status.connectorId) || this.#connectors.size < MOST_CONNECTORS) {
      this.#connectors.set(status.connectorId, status);
    }
  }

  /** A charge point that heard no answer asks again: the same start is the same transaction. */
  start(start: Start, nextId: () => number): number {
    const known = this.#transactions.find((transaction) => isSame(transaction.start, start));
    if (known !== undefined) return known.transactionId;
    const transactionId = nextId();
    keep(this.#transactions, { transactionId, start }, MOST_TRANSACTIONS);
    return transactionId;
  }

  stop(stop: Stop): void {
    const index = this.#transactions.findIndex(({ transactionId }) => transactionId === stop.transactionId);
    const known = this.#transactions[index];
    if (known !== undefined) this.#transactions[index] = { ...known, stop };
  }

  metered(values: Values): void {
    keep(this.#meterValues, values, MOST_METER_VALUES);
  }

  notice(notice: Notice): void {
    keep(this.#notices, notice, MOST_NOTICES);
  }
}

function keep<T>(list: T[], item: T, most: number): void {
  list.push(item);
  if (list.length > most) list.shift();
}

const isSame = (a: Start, b: Start): boolean =>
  a.connectorId === b.connectorId &&
  a.idTag === b.idTag &&
  a.meterStart === b.meterStart &&
  a.timestamp === b.timestamp;

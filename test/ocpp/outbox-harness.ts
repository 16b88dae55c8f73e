/** A central system and an owner for the outbox alone: answers on command, keeps a diary of what was sent and told. */
import { CallFailure, type CallFailureCode } from '../../src/errors.ts';
import type { DeadLetter, Fact, FactAction } from '../../src/ocpp/outbox/fact.ts';
import { type KillPoint, Outbox, type OutboxPorts } from '../../src/ocpp/outbox.ts';
import type { Log, Store } from '../../src/ports.ts';
import { settle, type VirtualClock } from '../sim/virtual-clock.ts';

export interface Sent {
  readonly action: FactAction;
  readonly payload: { readonly content: unknown; readonly transactionId?: number };
  confirm(confirmation?: unknown): Promise<void>;
  fail(code: CallFailureCode, remoteCode?: string): Promise<void>;
  /** The confirmation after a time-out. */
  confirmLate(confirmation: unknown): Promise<void>;
}

export const silentLog: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silentLog,
};

export class Harness {
  readonly outbox: Outbox;
  readonly sent: Sent[] = [];
  readonly delivered: (readonly [Fact, unknown])[] = [];
  readonly letters: DeadLetter[] = [];
  readonly points: KillPoint[] = [];
  attempts = 3;
  retryIntervalS = 60;

  constructor(store: Store, clock: VirtualClock, ports: Partial<OutboxPorts> = {}) {
    this.outbox = new Outbox({
      store,
      clock,
      log: silentLog,
      send: (action, payload, late) => this.#send(action, payload as Sent['payload'], late),
      render: ({ content }, transactionId) => (transactionId === undefined ? { content } : { content, transactionId }),
      delivered: (fact, confirmation) => this.delivered.push([fact, confirmation]),
      attempts: () => this.attempts,
      retryIntervalS: () => this.retryIntervalS,
      gaveUp: (letter) => this.letters.push(letter),
      reached: (point) => this.points.push(point),
      ...ports,
    });
  }

  static async open(store: Store, clock: VirtualClock, ports: Partial<OutboxPorts> = {}): Promise<Harness> {
    const harness = new Harness(store, clock, ports);
    await harness.outbox.open();
    harness.outbox.resume();
    return harness;
  }

  get last(): Sent {
    const last = this.sent.at(-1);
    if (last === undefined) throw new Error('nothing was sent');
    return last;
  }

  /** The contents sent, in order. */
  get contents(): unknown[] {
    return this.sent.map(({ payload }) => payload.content);
  }

  #send(action: FactAction, payload: Sent['payload'], late: (confirmation: unknown) => void): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.sent.push({
        action,
        payload,
        confirm: (confirmation = {}) => {
          resolve(confirmation);
          return settle();
        },
        fail: (code, remoteCode) => {
          reject(new CallFailure(code, code, remoteCode));
          return settle();
        },
        confirmLate: (confirmation) => {
          late(confirmation);
          return settle();
        },
      });
    });
  }
}

export const start = (transaction: string, content: unknown = `start ${transaction}`): Fact => ({
  action: 'StartTransaction',
  transaction,
  content,
});
export const sample = (transaction: string, content: unknown = `sample ${transaction}`): Fact => ({
  action: 'MeterValues',
  transaction,
  content,
});
export const stop = (transaction: string, content: unknown = `stop ${transaction}`): Fact => ({
  action: 'StopTransaction',
  transaction,
  content,
});

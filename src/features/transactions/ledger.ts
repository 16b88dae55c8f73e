/** The journal of transactions: reads the register, makes start and stop durable, hands them to the outbox. */
import type { EnergyMeter, Reading } from '../../../hal/contract.ts';
import type { Transaction } from '../../core/connector/state.ts';
import { wholeUnits } from '../../core/metering/sampled-value.ts';
import type { Fact } from '../../ocpp/outbox/fact.ts';
import { Outbox, type OutboxPorts } from '../../ocpp/outbox.ts';
import type { Clock, KeyRange, Log, Random, Store } from '../../ports.ts';
import type { Begin, End, Journal } from '../../station/journal.ts';
import type { Sample, TransactionBook } from '../feature.ts';
import {
  type MeterFact,
  type OpenTransaction,
  openKey,
  openRange,
  RENDERERS,
  type StartFact,
  type StopFact,
  stampAt,
} from './facts.ts';

export interface LedgerOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly meters: ReadonlyMap<number, EnergyMeter>;
  readonly send: OutboxPorts['send'];
  readonly attempts: () => number;
  readonly retryIntervalS: () => number;
  readonly delivered: (fact: Fact, confirmation: unknown) => void;
  readonly gaveUp: OutboxPorts['gaveUp'];
  readonly reached?: OutboxPorts['reached'];
}

/** How long a stop waits for the current to be gone and the register to answer. */
const REGISTER_WITHIN_MS = 2000;
const REGISTER_AGAIN_MS = 100;
/** Less than this on every line is no current. */
const NO_CURRENT_A = 0.25;
const PAGE = 100;

export class Ledger implements Journal, TransactionBook {
  readonly outbox: Outbox;
  readonly #options: LedgerOptions;
  readonly #open = new Map<string, OpenTransaction>();

  constructor(options: LedgerOptions) {
    this.#options = options;
    const { store, clock, log, send, attempts, retryIntervalS, gaveUp, reached } = options;
    this.outbox = new Outbox({
      store,
      clock,
      log,
      send,
      attempts,
      retryIntervalS,
      gaveUp,
      ...(reached === undefined ? {} : { reached }),
      render: ({ action, content }, transactionId) => RENDERERS[action](content as never, transactionId, clock),
      delivered: options.delivered,
    });
  }

  /** Opens the outbox and ends with PowerLoss what the last run could not end. Rejects with StoreError. */
  async open(): Promise<void> {
    const { store } = this.#options;
    await this.outbox.open();
    let range: KeyRange = { ...openRange, limit: PAGE };
    for (;;) {
      const rows = await store.list<OpenTransaction>(range);
      for (const [, left] of rows) await this.#endAfterPowerCut(left);
      const last = rows.at(-1);
      if (last === undefined) return;
      range = { ...range, from: `${last[0]}\0` };
    }
  }

  get canBegin(): boolean {
    return this.#options.store.healthy;
  }

  transactionId(transaction: string): number | undefined {
    return this.outbox.transactionId(transaction);
  }

  async begin({ connectorId, idTag, parentIdTag, reservationId, at }: Begin): Promise<Transaction> {
    const { clock, random, meters } = this.#options;
    const reading = await meters.get(connectorId)?.read();
    const register = reading?.values.energyImport?.sum;
    if (reading === undefined || register === undefined)
      throw new Error(`connector ${connectorId} has no register to read`);
    const meterStart = wholeUnits(register);
    const id = random.uuid();
    const content: StartFact = {
      connectorId,
      idTag,
      meterStart,
      ...(reservationId === undefined ? {} : { reservationId }),
      stamp: stampAt(at, clock),
    };
    const open: OpenTransaction = {
      id,
      connectorId,
      idTag,
      lastWh: meterStart,
      ...(reading.serialNumber === undefined ? {} : { serialNumber: reading.serialNumber }),
    };
    await this.outbox.add(
      [{ action: 'StartTransaction', transaction: id, content }],
      [{ type: 'put', key: openKey(id), value: open }],
    );
    this.#open.set(id, open);
    return { id, idTag, ...(parentIdTag === undefined ? {} : { parentIdTag }) };
  }

  async sample({ connectorId, transaction, at, values, energyImportWh, serialNumber }: Sample): Promise<void> {
    const { clock, log } = this.#options;
    const open = this.#open.get(transaction);
    if (open === undefined) return;
    const lastWh = energyImportWh === undefined ? open.lastWh : wholeUnits(energyImportWh);
    const journalled = { ...open, lastWh, ...(serialNumber === undefined ? {} : { serialNumber }) };
    this.#open.set(transaction, journalled);
    const content: MeterFact = { connectorId, values, stamp: stampAt(at, clock) };
    const facts: Fact[] = values.length === 0 ? [] : [{ action: 'MeterValues', transaction, content }];
    try {
      await this.outbox.add(facts, [{ type: 'put', key: openKey(transaction), value: journalled }], {
        durability: 'relaxed',
        volatileOnFailure: true,
      });
    } catch (cause) {
      log.error('a sample could not be queued', { connectorId, cause });
    }
  }

  async end({ connectorId, transaction, stop }: End): Promise<void> {
    const { clock } = this.#options;
    const at = clock.now();
    const lastWh = this.#open.get(transaction.id)?.lastWh ?? 0;
    const reading = stop.trip ? await this.#readOnce(connectorId) : await this.#readWithoutCurrent(connectorId);
    const register = reading?.values.energyImport?.sum;
    await this.#writeStop(transaction.id, {
      ...(stop.idTag === undefined ? {} : { idTag: stop.idTag }),
      meterStop: register === undefined ? lastWh : wholeUnits(register),
      reason: stop.reason,
      stamp: stampAt(at, clock),
    });
  }

  async #writeStop(id: string, content: StopFact): Promise<void> {
    const { log } = this.#options;
    try {
      await this.outbox.add(
        [{ action: 'StopTransaction', transaction: id, content }],
        [{ type: 'delete', key: openKey(id) }],
        {
          volatileOnFailure: true,
        },
      );
    } catch (cause) {
      log.error('a stop could not be queued: the next start will report it as PowerLoss', { cause });
    }
    this.#open.delete(id);
  }

  /** The register of the same meter has gone on or stands still; another meter's says nothing about this transaction. */
  async #endAfterPowerCut({ id, connectorId, lastWh, serialNumber }: OpenTransaction): Promise<void> {
    const { clock, log } = this.#options;
    const reading = await this.#readOnce(connectorId);
    const register = reading?.values.energyImport?.sum;
    const isSameMeter = reading !== undefined && reading.serialNumber === serialNumber;
    const meterStop = isSameMeter && register !== undefined ? Math.max(lastWh, wholeUnits(register)) : lastWh;
    log.warn('a transaction was cut off by a loss of power and is ended now', {
      connectorId,
      transaction: id,
      meterStop,
    });
    await this.#writeStop(id, { meterStop, reason: 'PowerLoss', stamp: stampAt(clock.now(), clock) });
  }

  async #readOnce(connectorId: number): Promise<Reading | undefined> {
    const { meters, clock, log } = this.#options;
    const meter = meters.get(connectorId);
    if (meter === undefined) return undefined;
    try {
      return await within(REGISTER_WITHIN_MS, meter.read(), clock);
    } catch (cause) {
      log.warn('the register cannot be read: the last journalled value counts', { connectorId, cause });
      return undefined;
    }
  }

  /** The contactor is open, but a register that still runs would show more later than was reported. */
  async #readWithoutCurrent(connectorId: number): Promise<Reading | undefined> {
    const { clock } = this.#options;
    const until = clock.now() + REGISTER_WITHIN_MS;
    for (;;) {
      const reading = await this.#readOnce(connectorId);
      if (reading === undefined || !hasCurrent(reading) || clock.now() >= until) return reading;
      await new Promise<void>((resolve) => void clock.after(REGISTER_AGAIN_MS, resolve));
    }
  }
}

const hasCurrent = ({ values }: Reading): boolean =>
  [values.current?.L1, values.current?.L2, values.current?.L3].some((current) => (current ?? 0) > NO_CURRENT_A);

/** Resolves to undefined if `promise` takes longer. */
const within = <T>(ms: number, promise: Promise<T>, clock: Clock): Promise<T | undefined> =>
  new Promise((resolve, reject) => {
    const cancel = clock.after(ms, () => resolve(undefined));
    promise.then(resolve, reject).finally(cancel);
  });

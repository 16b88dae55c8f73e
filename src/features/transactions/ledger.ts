/** The journal of transactions: reads the register, makes start and stop durable, hands them to the outbox. */
import type { EnergyMeter, Reading } from '../../../hal/contract.ts';
import type { Transaction } from '../../core/connector/state.ts';
import { figuresOf } from '../../core/metering/figures.ts';
import { advance } from '../../core/metering/register.ts';
import { type SampledValue, wholeUnits } from '../../core/metering/sampled-value.ts';
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
  withTrueTimes,
} from './facts.ts';
import { MeterData } from './meter-data.ts';

export interface LedgerOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly meters: ReadonlyMap<number, EnergyMeter>;
  readonly stopData: StopData;
  readonly send: OutboxPorts['send'];
  readonly attempts: () => number;
  readonly retryIntervalS: () => number;
  readonly delivered: (fact: Fact, confirmation: unknown) => void;
  readonly gaveUp: OutboxPorts['gaveUp'];
  readonly reached?: OutboxPorts['reached'];
}

/** What StopTransaction will carry of meter values (OCPP 1.6 sections 3.16.5 and 3.16.6); the keys of the metering room say it. */
export interface StopData {
  /** False: StopTransaction carries no meter values at all. */
  readonly wanted: boolean;
  /** The begin or end values of every measurand that is wanted. */
  values(
    connectorId: number,
    reading: Reading,
    context: 'Transaction.Begin' | 'Transaction.End',
  ): readonly SampledValue[];
}

interface Running {
  open: OpenTransaction;
  readonly data: MeterData;
  /** Said once, not with every sample. */
  doubted: boolean;
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
  readonly #running = new Map<string, Running>();

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
      render: ({ action, content }, transactionId) => RENDERERS[action](content as never, transactionId),
      finish: (fact) => withTrueTimes(fact, clock),
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

  beganAt(transaction: string): number | undefined {
    const began = this.#running.get(transaction)?.open.began;
    return began?.bootId === this.#options.clock.bootId ? began.at : undefined;
  }

  async begin({ connectorId, idTag, parentIdTag, reservationId, at }: Begin): Promise<Transaction> {
    const { clock, random, meters, stopData } = this.#options;
    const reading = await meters.get(connectorId)?.read();
    const meterStart = reading && this.#registerOf(connectorId, reading);
    if (reading === undefined || meterStart === undefined)
      throw new Error(`connector ${connectorId} has no register to read`);
    const id = random.uuid();
    const began = stampAt(at, clock);
    const content: StartFact = {
      connectorId,
      idTag,
      meterStart,
      ...(reservationId === undefined ? {} : { reservationId }),
      stamp: began,
    };
    const open: OpenTransaction = {
      id,
      connectorId,
      idTag,
      began,
      progresses: {},
      lastWh: meterStart,
      offsetWh: 0,
      ...(reading.serialNumber === undefined ? {} : { serialNumber: reading.serialNumber }),
    };
    const data = new MeterData(id);
    const beginValues = data.begin({
      values: stopData.values(connectorId, reading, 'Transaction.Begin'),
      stamp: began,
    });
    await this.outbox.add(
      [{ action: 'StartTransaction', transaction: id, content }],
      [{ type: 'put', key: openKey(id), value: open }, ...beginValues],
    );
    this.#running.set(id, { open, data, doubted: false });
    return { id, idTag, ...(parentIdTag === undefined ? {} : { parentIdTag }) };
  }

  believe(transaction: string, reading: Reading): Reading {
    const running = this.#running.get(transaction);
    return running === undefined ? reading : this.#believe(running, reading);
  }

  async sample({ connectorId, transaction, series, at, values, kept }: Sample): Promise<void> {
    const { clock, log } = this.#options;
    const running = this.#running.get(transaction);
    if (running === undefined) return;
    const stamp = stampAt(at, clock);
    const dataOperations = running.data.take(series, { values: kept, stamp });
    running.open = { ...running.open, progresses: running.data.progresses };
    const content: MeterFact = { connectorId, values, stamp };
    const facts: Fact[] = values.length === 0 ? [] : [{ action: 'MeterValues', transaction, content }];
    try {
      await this.outbox.add(
        facts,
        [{ type: 'put', key: openKey(transaction), value: running.open }, ...dataOperations],
        { durability: 'relaxed', volatileOnFailure: true },
      );
    } catch (cause) {
      log.error('a sample could not be queued', { connectorId, cause });
    }
  }

  async end({ connectorId, transaction, stop }: End): Promise<void> {
    const { clock, stopData } = this.#options;
    const stamp = stampAt(clock.now(), clock);
    const reading = stop.trip ? await this.#readOnce(connectorId) : await this.#readWithoutCurrent(connectorId);
    const running = this.#running.get(transaction.id);
    if (running === undefined) return;
    const believed = reading && this.#believe(running, reading);
    const values = believed === undefined ? [] : stopData.values(connectorId, believed, 'Transaction.End');
    const idTag = stop.idTag === undefined ? {} : { idTag: stop.idTag };
    await this.#writeStop(running, { ...idTag, reason: stop.reason, stamp }, values);
  }

  async #writeStop(
    { open: { id, lastWh }, data }: Running,
    stop: Omit<StopFact, 'meterStop' | 'data'>,
    endValues: readonly SampledValue[],
  ): Promise<void> {
    const { log, stopData } = this.#options;
    const end = endValues.length === 0 ? [] : [{ values: endValues, stamp: stop.stamp }];
    const content: StopFact = {
      ...stop,
      meterStop: lastWh,
      ...(stopData.wanted ? { data: [...data.records, ...end] } : {}),
    };
    try {
      await this.outbox.add(
        [{ action: 'StopTransaction', transaction: id, content }],
        [{ type: 'delete', key: openKey(id) }, ...data.removal],
        { volatileOnFailure: true },
      );
    } catch (cause) {
      log.error('a stop could not be queued: the next start will report it as PowerLoss', { cause });
    }
    this.#running.delete(id);
  }

  /** The register of the same meter has gone on or stands still; another meter's says nothing about this transaction. */
  async #endAfterPowerCut(open: OpenTransaction): Promise<void> {
    const { clock, log, store, stopData } = this.#options;
    const { id, connectorId } = open;
    const running: Running = { open, data: await MeterData.load(store, id, open.progresses), doubted: false };
    const reading = await this.#readOnce(connectorId);
    const believed = reading && this.#believe(running, reading);
    log.warn('a transaction was cut off by a loss of power and is ended now', {
      connectorId,
      transaction: id,
      meterStop: running.open.lastWh,
    });
    // Registers have kept what they showed at the end; voltages and the like are of now.
    const values = believed === undefined ? [] : stopData.values(connectorId, believed, 'Transaction.End');
    const registers = values.filter(({ measurand }) => measurand.endsWith('.Register'));
    await this.#writeStop(running, { reason: 'PowerLoss', stamp: stampAt(clock.now(), clock) }, registers);
  }

  /** Whole Wh of the meter's own import register, if this reading has it. */
  #registerOf(connectorId: number, { values }: Reading): number | undefined {
    const register = figuresOf(values, this.#options.meters.get(connectorId)?.offers ?? {}).energyImport?.sum;
    return register === undefined ? undefined : wholeUnits(register);
  }

  #believe(running: Running, reading: Reading): Reading {
    const { log } = this.#options;
    const { connectorId, id, lastWh, serialNumber } = running.open;
    const meterWh = this.#registerOf(connectorId, reading);
    if (meterWh === undefined) return reading;
    const { register, verdict } = advance(running.open, { serialNumber: reading.serialNumber, meterWh });
    running.open = { ...running.open, ...register };
    const about = { connectorId, transaction: id, lastWh, meterWh };
    if (verdict === 'swapped')
      log.warn(
        'the meter was exchanged within a transaction: its register goes on from the last one of the old meter',
        {
          ...about,
          from: serialNumber,
          to: reading.serialNumber,
        },
      );
    if (verdict === 'fell' && !running.doubted)
      log.warn('the register shows less than before and is not believed: the last journalled value counts', about);
    running.doubted = verdict === 'fell';
    const energyImport = { ...reading.values.energyImport, sum: register.lastWh };
    return { ...reading, values: { ...reading.values, energyImport } };
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

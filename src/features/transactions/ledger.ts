/** The journal of transactions: reads the register, makes start and stop durable, hands them to the outbox. */
import type { EnergyMeter, Reading } from '../../../hal/contract.ts';
import type { Transaction } from '../../core/connector/state.ts';
import { advance } from '../../core/metering/register.ts';
import { doubtOf, isTooLate } from '../../core/metering/resumption.ts';
import type { SampledValue } from '../../core/metering/sampled-value.ts';
import type { StartTransaction } from '../../ocpp/messages/core/start-transaction.ts';
import type { ConfirmationOf } from '../../ocpp/operation.ts';
import type { Fact } from '../../ocpp/outbox/fact.ts';
import { Outbox, type OutboxPorts } from '../../ocpp/outbox.ts';
import type { Clock, KeyRange, Log, Random, Store, StoreOperation } from '../../ports.ts';
import type { Begin, End, Journal } from '../../station/journal.ts';
import type { Interrupted, Sample, TransactionBook } from '../feature.ts';
import { stampAt, stampNow, trueStamp } from '../stamp.ts';
import {
  type MeterFact,
  type OpenTransaction,
  openKey,
  openRange,
  openWithTrueTimes,
  RENDERERS,
  resumedAt,
  type StartFact,
  type StopFact,
  seenOf,
  withInfo,
  withTrueTimes,
} from './facts.ts';
import { endedOf, TransactionHistory } from './history.ts';
import { MeterData } from './meter-data.ts';
import { Registers } from './registers.ts';

export interface LedgerOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly meters: ReadonlyMap<number, EnergyMeter>;
  /** What each connector can carry. */
  readonly ratings: ReadonlyMap<number, { readonly maxA: number; readonly phases: 1 | 3 }>;
  /** How long a loss of power may last for a transaction to go on; 0: none does. */
  readonly resumeWithinMs: number;
  /** The transactions that nothing has cut off, by our own ids; only a replay knows of any. */
  readonly goesOn?: ReadonlySet<string>;
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
  /** Cut off by a loss of power, and not decided yet whether it goes on: until then nothing is added to it. */
  interrupted?: true | undefined;
  /** Its stop is on the way: nothing may be journalled behind it. */
  isEnding?: true;
  /** Monotonic time of this boot that belongs to its begin in another one. */
  origin?: number;
}

const PAGE = 100;

export class Ledger implements Journal, TransactionBook {
  readonly outbox: Outbox;
  readonly #options: LedgerOptions;
  readonly #running = new Map<string, Running>();
  readonly #registers: Registers;
  readonly #history: TransactionHistory;
  #openedAt = 0;

  constructor(options: LedgerOptions) {
    this.#options = options;
    this.#registers = new Registers(options);
    this.#history = new TransactionHistory(options.store);
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
      settle: (fact, confirmation) => this.#learn(fact, confirmation),
      delivered: options.delivered,
    });
  }

  /** Opens the outbox and ends with PowerLoss what the last run could not end, but for what may go on. Rejects with StoreError. */
  async open(): Promise<void> {
    const { store, clock } = this.#options;
    this.#openedAt = clock.now();
    await this.outbox.open();
    let range: KeyRange = { ...openRange, limit: PAGE };
    for (;;) {
      const rows = await store.list<OpenTransaction>(range);
      for (const [, left] of rows) {
        if (this.#options.goesOn?.has(left.id)) this.#running.set(left.id, await this.#runningFrom(left));
        else if (this.#mayGoOn(left)) this.#running.set(left.id, await this.#interruptedFrom(left));
        else await this.#endAfterPowerCut(left);
      }
      const last = rows.at(-1);
      if (last === undefined) break;
      range = { ...range, from: `${last[0]}\0` };
    }
    clock.onTrusted(() => this.#tellTrueTimes());
    // A process before this one, of the same boot, may have left guesses.
    if (clock.trusted) this.#tellTrueTimes();
  }

  /** The clock knows now when it all was, and only in this boot: what a loss of power may make the only record must say it. */
  #tellTrueTimes(): void {
    this.outbox.revise();
    for (const running of this.#running.values()) void this.#correct(running);
  }

  async #correct(running: Running): Promise<void> {
    const { clock, log } = this.#options;
    const { id } = running.open;
    for (;;) {
      const open = openWithTrueTimes(running.open, clock);
      const data = running.data.correct((stamp) => trueStamp(stamp, clock), PAGE);
      if (data.length === 0 && open === running.open) return;
      running.open = open;
      await this.outbox
        .add([], [{ type: 'put', key: openKey(id), value: open }, ...data], { volatileOnFailure: true })
        .catch((cause: unknown) => log.error('the times of a transaction could not be corrected', { cause }));
      // Its stop has the rest, and nothing may be journalled behind it.
      if (this.#running.get(id) !== running) return;
    }
  }

  get canBegin(): boolean {
    return this.#options.store.healthy;
  }

  transactionId(transaction: string): number | undefined {
    return this.outbox.transactionId(transaction);
  }

  beganAt(transaction: string): number | undefined {
    const running = this.#running.get(transaction);
    if (running === undefined || running.origin !== undefined) return running?.origin;
    const { began } = running.open;
    return began.bootId === this.#options.clock.bootId ? began.at : undefined;
  }

  get interrupted(): readonly Interrupted[] {
    return [...this.#running.values()].flatMap(({ interrupted, open: { id, connectorId, idTag, parentIdTag } }) =>
      interrupted === undefined
        ? []
        : [{ connectorId, transaction: { id, idTag, ...(parentIdTag === undefined ? {} : { parentIdTag }) } }],
    );
  }

  async resume(transaction: string): Promise<boolean> {
    const { clock, log } = this.#options;
    const running = this.#running.get(transaction);
    if (running?.interrupted === undefined) return false;
    const { connectorId } = running.open;
    const reading = await this.#registers.once(connectorId);
    const doubt = reading === undefined ? 'the register cannot be read' : this.#doubtOf(running.open, reading);
    if (running.isEnding) return false;
    if (reading === undefined || doubt !== undefined || !clock.trusted) {
      log.warn('a transaction does not go on after the loss of power', { connectorId, transaction, doubt });
      return false;
    }
    const now = stampNow(clock);
    // The next loss of power asks what was used since now: so the register has to be the one of now as well.
    this.#believe(running, reading);
    running.open = resumedAt(running.open, now);
    running.origin = now.at - (now.wall - running.open.began.wall);
    running.interrupted = undefined;
    await this.outbox
      .add([], [{ type: 'put', key: openKey(transaction), value: running.open }], { volatileOnFailure: true })
      .catch((cause: unknown) => log.error('a transaction that goes on could not be journalled', { cause }));
    return true;
  }

  async begin({ connectorId, idTag, parentIdTag, reservationId, at }: Begin): Promise<Transaction> {
    const { clock, random, meters, stopData } = this.#options;
    const reading = await meters.get(connectorId)?.read();
    const meterStart = reading && this.#registers.wholeWh(connectorId, reading);
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
      ...(parentIdTag === undefined ? {} : { parentIdTag }),
      began,
      startWh: meterStart,
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
    const running: Running = { open, data, doubted: false };
    this.#running.set(id, running);
    // The clock may have become trusted while that was written.
    void this.#correct(running);
    return { id, idTag, ...(parentIdTag === undefined ? {} : { parentIdTag }) };
  }

  believe(transaction: string, reading: Reading): Reading {
    const running = this.#running.get(transaction);
    return running === undefined || running.interrupted ? reading : this.#believe(running, reading);
  }

  async sample({ connectorId, transaction, series, at, values, kept }: Sample): Promise<void> {
    const { clock, log } = this.#options;
    const running = this.#running.get(transaction);
    if (running === undefined || running.interrupted) return;
    const stamp = stampAt(at, clock);
    const dataOperations = running.data.take(series, { values: kept, stamp });
    running.open = { ...running.open, progresses: running.data.progresses, seen: stamp };
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
    const stamp = stampNow(clock);
    const running = this.#running.get(transaction.id);
    if (running === undefined) return;
    running.isEnding = true;
    const reading = stop.trip
      ? await this.#registers.once(connectorId)
      : await this.#registers.withoutCurrent(connectorId);
    const believed = reading && this.#believe(running, reading);
    const taken = believed === undefined ? [] : stopData.values(connectorId, believed, 'Transaction.End');
    const values = running.interrupted ? taken.filter(isRegister) : taken;
    const idTag = stop.idTag === undefined ? {} : { idTag: stop.idTag };
    await this.#writeStop(running, { ...idTag, reason: stop.reason, stamp }, values);
  }

  async #writeStop(
    { open, data }: Running,
    stop: Omit<StopFact, 'meterStop' | 'data'>,
    endValues: readonly SampledValue[],
  ): Promise<void> {
    const { clock, log, stopData } = this.#options;
    // The clock may have become trusted while the register was read.
    const stamp = trueStamp(stop.stamp, clock);
    const end = endValues.length === 0 ? [] : [{ values: endValues, stamp }];
    const content: StopFact = {
      ...stop,
      stamp,
      meterStop: open.lastWh,
      ...(stopData.wanted ? { data: [...data.records, ...end] } : {}),
    };
    const { id } = open;
    const transactionId = this.transactionId(id);
    const history = this.#history.ended({
      ...endedOf(open, content),
      ...(transactionId === undefined ? {} : { transactionId }),
    });
    // Before anything is waited for: a sample whose reading took long must not come behind the stop, nor bring the transaction back.
    this.#running.delete(id);
    try {
      await this.outbox.add(
        [withTrueTimes({ action: 'StopTransaction', transaction: id, content }, clock)],
        [{ type: 'delete', key: openKey(id) }, ...data.removal, ...history],
        { volatileOnFailure: true },
      );
      void this.#history.tidy();
    } catch (cause) {
      log.error('a stop could not be queued: the next start will report it as PowerLoss', { cause });
    }
  }

  /** The register of the same meter has gone on or stands still; another meter's says nothing about this transaction. */
  async #endAfterPowerCut(open: OpenTransaction): Promise<void> {
    const { clock, log, store, stopData } = this.#options;
    const { id, connectorId } = open;
    const running: Running = { open, data: await MeterData.load(store, id, open.progresses), doubted: false };
    const reading = await this.#registers.once(connectorId);
    const believed = reading && this.#believe(running, reading);
    log.warn('a transaction was cut off by a loss of power and is ended now', {
      connectorId,
      transaction: id,
      meterStop: running.open.lastWh,
    });
    const values = believed === undefined ? [] : stopData.values(connectorId, believed, 'Transaction.End');
    const stop = { reason: 'PowerLoss', stamp: stampNow(clock) } as const;
    await this.#writeStop(running, stop, values.filter(isRegister));
  }

  /** Whether it is worth waiting for clock, plug and register. Without a trusted time of the last sample nobody can tell how long ago that is. */
  #mayGoOn(left: OpenTransaction): boolean {
    const { clock, meters, resumeWithinMs } = this.#options;
    const seen = seenOf(left);
    const isLate = clock.trusted && isTooLate(seen, clock.wall(this.#openedAt), resumeWithinMs);
    const isTaken = this.interrupted.some(({ connectorId }) => connectorId === left.connectorId);
    return resumeWithinMs > 0 && seen.trusted && !isLate && !isTaken && !left.refused && meters.has(left.connectorId);
  }

  async #interruptedFrom(open: OpenTransaction): Promise<Running> {
    return { ...(await this.#runningFrom(open)), interrupted: true };
  }

  async #runningFrom(open: OpenTransaction): Promise<Running> {
    return { open, data: await MeterData.load(this.#options.store, open.id, open.progresses), doubted: false };
  }

  #doubtOf(open: OpenTransaction, reading: Reading): string | undefined {
    const { clock, ratings, resumeWithinMs } = this.#options;
    const rating = ratings.get(open.connectorId);
    const meterWh = this.#registers.wholeWh(open.connectorId, reading);
    if (rating === undefined || meterWh === undefined) return 'there is no register to read';
    const [bootedAt, now] = [clock.wall(this.#openedAt), clock.wall(clock.now())];
    const found = { ...rating, bootedAt, now, serialNumber: reading.serialNumber, meterWh };
    return doubtOf({ ...open, wall: seenOf(open).wall }, found, resumeWithinMs);
  }

  /** What StartTransaction.conf says matters after a loss of power, too. */
  #learn({ action, transaction }: Fact, confirmation: unknown): readonly StoreOperation[] {
    if (action !== 'StartTransaction') return [];
    const { idTagInfo, transactionId } = confirmation as ConfirmationOf<typeof StartTransaction>;
    const running = this.#running.get(transaction);
    if (running === undefined || running.isEnding) return this.#history.numbered(transaction, transactionId);
    const learnt = withInfo(running.open, idTagInfo);
    if (learnt === running.open) return [];
    running.open = learnt;
    return [{ type: 'put', key: openKey(transaction), value: learnt }];
  }

  #believe(running: Running, reading: Reading): Reading {
    const { log } = this.#options;
    const { connectorId, id, lastWh, serialNumber } = running.open;
    const meterWh = this.#registers.wholeWh(connectorId, reading);
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
}

/** Registers have kept what they showed when the power went; voltages and the like are of now. */
const isRegister = ({ measurand }: SampledValue): boolean => measurand.endsWith('.Register');

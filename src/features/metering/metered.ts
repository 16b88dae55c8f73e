/** A place with a meter: a connector, or the whole charge point (connector 0) where it has a main meter. */
import type { EnergyMeter, Reading } from '../../../hal/contract.ts';
import { transactionOf } from '../../core/connector/state.ts';
import { type Figures, figuresOf, figuresOfferedBy } from '../../core/metering/figures.ts';
import { type Item, selectionOf } from '../../core/metering/measurands.ts';
import { type ReadingContext, type SampledValue, sampledValues } from '../../core/metering/sampled-value.ts';
import type { Context } from '../feature.ts';

/** Central systems trigger MeterValues every few seconds, and all meters share one slow bus. */
const FRESH_MS = 1000;

/** What was read, and what it means on the scale of a running transaction. */
export interface Look {
  /** Monotonic time of the reading. */
  readonly at: number;
  /** Our own id of the transaction that runs at this moment. */
  readonly transaction: string | undefined;
  values(items: readonly Item[], context: ReadingContext): readonly SampledValue[];
}

export class Metered {
  readonly id: number;
  readonly #meter: EnergyMeter;
  readonly #context: Context;
  #underWay: Promise<Reading | undefined> | undefined;
  /** When the meter was last asked, and what it said; undefined if nothing. */
  #last: { readonly askedAt: number; readonly reading: Reading | undefined } | undefined;

  constructor(id: number, meter: EnergyMeter, context: Context) {
    this.id = id;
    this.#meter = meter;
    this.#context = context;
  }

  /** What a look here may hold. */
  get offered(): Figures {
    return figuresOfferedBy(this.#meter.offers, this.id !== 0);
  }

  /** Our own id of the transaction that runs here, until its stop has got its time. The main meter belongs to none. */
  get transaction(): string | undefined {
    const connector = this.#context.station.connector(this.id);
    return connector === undefined || connector.phase.name === 'closing' ? undefined : transactionOf(connector)?.id;
  }

  /** Reads the meter; samples that are due together share one reading. Undefined if the meter does not answer: nothing is invented. */
  async look(): Promise<Look | undefined> {
    this.#underWay ??= this.#read().finally(() => {
      this.#underWay = undefined;
    });
    const reading = await this.#underWay;
    return reading && this.#lookAt(reading);
  }

  /** Asks the meter at most once a second, whether or not it answers; in between the last answer counts. */
  async glance(): Promise<Look | undefined> {
    const last = this.#last;
    if (last === undefined || this.#context.clock.now() - last.askedAt >= FRESH_MS) return this.look();
    const reading = this.#underWay === undefined ? last.reading : await this.#underWay;
    return reading && this.#lookAt(reading);
  }

  async #read(): Promise<Reading | undefined> {
    const { clock, log } = this.#context;
    const askedAt = clock.now();
    this.#last = { askedAt, reading: undefined };
    try {
      const reading = await this.#meter.read();
      this.#last = { askedAt, reading };
      return reading;
    } catch (cause) {
      log.warn('the meter was not read', { connectorId: this.id, cause });
      return undefined;
    }
  }

  #lookAt(reading: Reading): Look {
    const { config, station, transactions } = this.#context;
    const { transaction } = this;
    const { values } = transaction === undefined ? reading : transactions.believe(transaction, reading);
    const { nominalV } = config.installation;
    const connector = station.connector(this.id);
    const offered = connector && { offer: connector.offer, phases: connector.phases.connected, nominalV };
    const figures = figuresOf(values, this.#meter.offers, offered);
    return {
      at: reading.at,
      transaction,
      values: (items, context) =>
        sampledValues(figures, items.map(selectionOf), context, this.id === 0 ? 'Inlet' : 'Outlet'),
    };
  }
}

/** The meter values that StopTransaction will carry: journalled as they come, so that a loss of power does not take them (OCPP 1.6 section 3.16). */
import type { SampledValue } from '../../core/metering/sampled-value.ts';
import { EMPTY_SERIES, type Series, taking } from '../../core/metering/thinning.ts';
import type { KeyRange, Stamp, Store, StoreOperation } from '../../ports.ts';

export interface MeterRecord {
  readonly values: readonly SampledValue[];
  readonly stamp: Stamp;
}

/** `periodic`: since the start of the transaction. `clock`: on the grid of the day. */
export type SeriesName = 'periodic' | 'clock';

/** How far a series has come, journalled with the open transaction. */
export interface Progress {
  /** Values so far, the dropped ones included. */
  readonly count: number;
  readonly stride: number;
}
export type Progresses = { readonly [name in SeriesName]?: Progress };

const PREFIX = 'meter-data/';
const DIGITS = 10;
const PAGE = 100;

/** All that is journalled for one transaction. */
export const meterDataRange = (transaction: string): KeyRange => ({
  from: `${PREFIX}${transaction}/`,
  to: `${PREFIX}${transaction}0`,
});

/** Begin is number 0 of no series. */
const keyOf = (transaction: string, series: SeriesName | 'begin', n: number): string =>
  `${PREFIX}${transaction}/${series}/${String(n).padStart(DIGITS, '0')}`;

export class MeterData {
  readonly #transaction: string;
  readonly #records = new Map<string, MeterRecord>();
  readonly #series = new Map<SeriesName, Series>();
  readonly #counts = new Map<SeriesName, number>();

  constructor(transaction: string) {
    this.#transaction = transaction;
  }

  /** What an earlier boot has journalled. Rejects with StoreError. */
  static async load(store: Store, transaction: string, progresses: Progresses): Promise<MeterData> {
    const data = new MeterData(transaction);
    const prefix = `${PREFIX}${transaction}/`;
    let range: KeyRange = { ...meterDataRange(transaction), limit: PAGE };
    for (;;) {
      const rows = await store.list<MeterRecord>(range);
      for (const [key, record] of rows) data.#records.set(key, record);
      const last = rows.at(-1);
      if (last === undefined) break;
      range = { ...range, from: `${last[0]}\0` };
    }
    for (const [name, { count, stride }] of Object.entries(progresses) as [SeriesName, Progress][]) {
      const kept = [...data.#records.keys()].filter((key) => key.startsWith(`${prefix}${name}/`)).map(numberOf);
      data.#series.set(name, { stride, kept });
      data.#counts.set(name, Math.max(count, ...kept));
    }
    return data;
  }

  get progresses(): Progresses {
    const entries = [...this.#series].map(([name, { stride }]) => [
      name,
      { stride, count: this.#counts.get(name) ?? 0 },
    ]);
    return Object.fromEntries(entries);
  }

  /** Everything so far in order of time; begin comes first. */
  get records(): readonly MeterRecord[] {
    return [...this.#records.values()].sort(byTime);
  }

  begin(record: MeterRecord): readonly StoreOperation[] {
    return this.#put(keyOf(this.#transaction, 'begin', 0), record);
  }

  /** The next value of a series. Gives what has to be written for it, which removes others where there are too many. */
  take(name: SeriesName, record: MeterRecord): readonly StoreOperation[] {
    if (record.values.length === 0) return [];
    const n = (this.#counts.get(name) ?? 0) + 1;
    this.#counts.set(name, n);
    const { series, dropped } = taking(this.#series.get(name) ?? EMPTY_SERIES, n);
    this.#series.set(name, series);
    const gone = dropped.filter((number) => number !== n).map((number) => keyOf(this.#transaction, name, number));
    for (const key of gone) this.#records.delete(key);
    return [
      ...(dropped.includes(n) ? [] : this.#put(keyOf(this.#transaction, name, n), record)),
      ...gone.map((key) => ({ type: 'delete', key }) as const),
    ];
  }

  /** What has to be written because times are known better now: of so many records at most, nothing if all are right. */
  correct(better: (stamp: Stamp) => Stamp, most: number): readonly StoreOperation[] {
    const wrong = [...this.#records].filter(([, { stamp }]) => better(stamp) !== stamp).slice(0, most);
    return wrong.flatMap(([key, record]) => this.#put(key, { ...record, stamp: better(record.stamp) }));
  }

  /** What removes everything from the store once the stop carries it. */
  get removal(): readonly StoreOperation[] {
    return [...this.#records.keys()].map((key) => ({ type: 'delete', key }));
  }

  #put(key: string, record: MeterRecord): readonly StoreOperation[] {
    if (record.values.length === 0) return [];
    this.#records.set(key, record);
    return [{ type: 'put', key, value: record }];
  }
}

const numberOf = (key: string): number => Number(key.slice(key.lastIndexOf('/') + 1));

/** Monotonic time orders one boot, wall time several. */
export const byTime = ({ stamp: a }: MeterRecord, { stamp: b }: MeterRecord): number =>
  a.bootId === b.bootId ? a.at - b.at : a.wall - b.wall;

/** What the journal writes about transactions, and how it becomes a message. */
import type { StopReason } from '../../core/connector/state.ts';
import type { Register } from '../../core/metering/register.ts';
import { formatTimestamp } from '../../ocpp/timestamp.ts';
import type { Clock, Stamp } from '../../ports.ts';
import type { MeterRecord, Progresses } from './meter-data.ts';

export interface StartFact {
  readonly connectorId: number;
  readonly idTag: string;
  /** Whole Wh of the register. */
  readonly meterStart: number;
  readonly reservationId?: number;
  readonly stamp: Stamp;
}

export interface StopFact {
  readonly idTag?: string;
  readonly meterStop: number;
  readonly reason: StopReason;
  readonly stamp: Stamp;
  /** For transactionData, in order of time; absent if none is wanted. */
  readonly data?: readonly MeterRecord[];
}

export interface MeterFact extends MeterRecord {
  readonly connectorId: number;
}

/** A transaction whose stop is not durable yet. What a restart finds of these has been cut off by the power. */
export interface OpenTransaction extends Register {
  readonly id: string;
  readonly connectorId: number;
  readonly idTag: string;
  /** The time that StartTransaction carries. */
  readonly began: Stamp;
  readonly progresses: Progresses;
}

const OPEN_PREFIX = 'transaction/';
export const openKey = (id: string): string => OPEN_PREFIX + id;
export const openRange = { from: OPEN_PREFIX, to: 'transaction0' } as const;

/** Wall time of a stamp: corrected, if it is of this boot and the clock has become trusted since. */
export const timestampOf = (stamp: Stamp, clock: Clock): string =>
  formatTimestamp(stamp.bootId === clock.bootId ? clock.wall(stamp.at) : stamp.wall);

export const stampAt = (at: number, clock: Clock): Stamp => ({
  bootId: clock.bootId,
  at,
  wall: clock.wall(at),
  trusted: clock.trusted,
});

/** The three requests of section 3.7; `transactionId` is undefined for a StartTransaction only. */
export const RENDERERS = {
  StartTransaction: ({ stamp, ...start }: StartFact, _: number | undefined, clock: Clock) => ({
    ...start,
    timestamp: timestampOf(stamp, clock),
  }),
  StopTransaction: ({ stamp, data, ...stop }: StopFact, transactionId: number | undefined, clock: Clock) => ({
    ...stop,
    transactionId,
    timestamp: timestampOf(stamp, clock),
    ...(data === undefined || data.length === 0
      ? {}
      : { transactionData: data.map((each) => meterValue(each, clock)) }),
  }),
  MeterValues: ({ connectorId, ...record }: MeterFact, transactionId: number | undefined, clock: Clock) => ({
    connectorId,
    transactionId,
    meterValue: [meterValue(record, clock)],
  }),
};

const meterValue = ({ stamp, values }: MeterRecord, clock: Clock) => ({
  timestamp: timestampOf(stamp, clock),
  sampledValue: values,
});

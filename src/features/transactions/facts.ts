/** What the journal writes about transactions, and how it becomes a message. */
import type { StopReason } from '../../core/connector/state.ts';
import type { SampledValue } from '../../core/metering/sampled-value.ts';
import { formatTimestamp } from '../../ocpp/timestamp.ts';
import type { Clock, Stamp } from '../../ports.ts';

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
}

export interface MeterFact {
  readonly connectorId: number;
  readonly values: readonly SampledValue[];
  readonly stamp: Stamp;
}

/** A transaction whose stop is not durable yet. What a restart finds of these has been cut off by the power. */
export interface OpenTransaction {
  readonly id: string;
  readonly connectorId: number;
  readonly idTag: string;
  /** The last register that was journalled, in whole Wh. */
  readonly lastWh: number;
  readonly serialNumber?: string;
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
  StopTransaction: ({ stamp, ...stop }: StopFact, transactionId: number | undefined, clock: Clock) => ({
    ...stop,
    transactionId,
    timestamp: timestampOf(stamp, clock),
  }),
  MeterValues: ({ stamp, values, connectorId }: MeterFact, transactionId: number | undefined, clock: Clock) => ({
    connectorId,
    transactionId,
    meterValue: [{ timestamp: timestampOf(stamp, clock), sampledValue: values }],
  }),
};

/** What the journal writes about transactions, and how it becomes a message. */
import type { StopReason } from '../../core/connector/state.ts';
import type { Register } from '../../core/metering/register.ts';
import type { IdTagInfo } from '../../ocpp/messages/types/authorization.ts';
import type { Fact } from '../../ocpp/outbox/fact.ts';
import { formatTimestamp } from '../../ocpp/timestamp.ts';
import type { Clock, Stamp } from '../../ports.ts';
import { trueStamp } from '../stamp.ts';
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
  /** meterStart; absent: begun by a release that did not keep it. */
  readonly startWh?: number;
  /** When it was last journalled; absent: when it began. */
  readonly seen?: Stamp;
  /** The central system does not accept the idTag. */
  readonly refused?: true;
  readonly parentIdTag?: string;
  readonly progresses: Progresses;
}

const OPEN_PREFIX = 'transaction/';
export const openKey = (id: string): string => OPEN_PREFIX + id;
export const openRange = { from: OPEN_PREFIX, to: 'transaction0' } as const;

/** When the transaction was last journalled. */
export const seenOf = ({ seen, began }: OpenTransaction): Stamp => seen ?? began;

/** It goes on in another boot. A clock that became trusted after its begin tells when that was; what was said before stays said. */
export function resumedAt(open: OpenTransaction, now: Stamp): OpenTransaction {
  const { began } = open;
  const seen = seenOf(open);
  const wall = began.bootId === seen.bootId ? seen.wall - (seen.at - began.at) : began.wall;
  return { ...open, began: { ...began, wall, trusted: true }, seen: now };
}

/** With what StartTransaction.conf says of its idTag; the same if that is nothing new. */
export function withInfo(open: OpenTransaction, { status, parentIdTag }: IdTagInfo): OpenTransaction {
  if (status === 'Accepted' && parentIdTag === undefined) return open;
  return {
    ...open,
    ...(status === 'Accepted' ? {} : { refused: true }),
    ...(parentIdTag === undefined ? {} : { parentIdTag }),
  };
}

/** A fact whose times were guesses says the true ones from now on. The same fact if there is nothing to correct. */
export function withTrueTimes(fact: Fact, clock: Clock): Fact {
  const content = fact.content as { readonly stamp: Stamp; readonly data?: readonly MeterRecord[] };
  const records = [content, ...(content.data ?? [])];
  if (records.every(({ stamp }) => trueStamp(stamp, clock) === stamp)) return fact;
  const [corrected, ...data] = records.map((record) => ({ ...record, stamp: trueStamp(record.stamp, clock) }));
  return { ...fact, content: content.data === undefined ? corrected : { ...corrected, data } };
}

/** The same of a transaction that runs. */
export function openWithTrueTimes(open: OpenTransaction, clock: Clock): OpenTransaction {
  const [began, seen] = [trueStamp(open.began, clock), open.seen && trueStamp(open.seen, clock)];
  if (began === open.began && seen === open.seen) return open;
  return { ...open, began, ...(seen === undefined ? {} : { seen }) };
}

/** The three requests of section 3.7; `transactionId` is undefined for a StartTransaction only. */
export const RENDERERS = {
  StartTransaction: ({ stamp, ...start }: StartFact, _: number | undefined) => ({
    ...start,
    timestamp: formatTimestamp(stamp.wall),
  }),
  StopTransaction: ({ stamp, data, ...stop }: StopFact, transactionId: number | undefined) => ({
    ...stop,
    transactionId,
    timestamp: formatTimestamp(stamp.wall),
    ...(data === undefined || data.length === 0 ? {} : { transactionData: data.map(meterValue) }),
  }),
  MeterValues: ({ connectorId, ...record }: MeterFact, transactionId: number | undefined) => ({
    connectorId,
    transactionId,
    meterValue: [meterValue(record)],
  }),
};

const meterValue = ({ stamp, values }: MeterRecord) => ({
  timestamp: formatTimestamp(stamp.wall),
  sampledValue: values,
});

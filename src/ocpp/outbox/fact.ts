/** What the outbox holds: facts about transactions (OCPP 1.6 §3.7), letters it gave up, and where both live in the store. */
import type { CallFailureCode } from '../../errors.ts';
import type { KeyRange, Stamp } from '../../ports.ts';

export type FactAction = 'StartTransaction' | 'StopTransaction' | 'MeterValues';

/** Something that happened in a transaction and that the central system must learn. */
export interface Fact {
  readonly action: FactAction;
  /** Our own id of the transaction, never reused. */
  readonly transaction: string;
  /** The owner's own JSON; made into a request payload as late as possible. */
  readonly content: unknown;
}

/** Why an attempt failed: the code of a CallFailure, or `unexpected` for anything else that was thrown. */
export interface DeliveryFailure {
  readonly code: Exclude<CallFailureCode, 'disconnected'> | 'unexpected';
  /** With `callError`: the error code on the wire, whatever string it was. */
  readonly remoteCode?: string;
  readonly message: string;
}

/** A fact that the central system failed to process too often (OCPP 1.6 §3.7.1): kept, never sent again by itself. */
export interface DeadLetter {
  readonly fact: Fact;
  /** Failed attempts, at least 1. */
  readonly attempts: number;
  readonly failure: DeliveryFailure;
  readonly gaveUpAt: Stamp;
}

/** How far delivery has come. Kept so that opening skips what was delivered without reading its tombstones. */
export interface Head {
  /** The sequence number of the oldest fact that is not confirmed. */
  readonly sequence: number;
  /** Failed attempts of that fact so far. */
  readonly failures: number;
}

/** The transactionId a StartTransaction.conf gave, or -1 if that Start became a dead letter (errata 3.18). */
export interface Binding {
  readonly transactionId: number;
}

/** The outbox owns these prefixes of the store; no other room may use them. */
export const outboxPrefixes = ['outbox/', 'dead/', 'binding/'] as const;
export const headKey = 'outbox/head';

const factPrefix = 'outbox/fact/';
const deadPrefix = 'dead/';
const bindingPrefix = 'binding/';
const DIGITS = 15;

export const factKey = (sequence: number): string => factPrefix + digits(sequence);
export const deadKey = (sequence: number): string => deadPrefix + digits(sequence);
export const bindingKey = (transaction: string): string => bindingPrefix + transaction;

/** All facts from one sequence number up to, not including, another; without it to the end. */
export const factsFrom = (from: number, to?: number): KeyRange => ({
  from: factKey(from),
  to: to === undefined ? after(factPrefix) : factKey(to),
});
export const deadRange: KeyRange = { from: deadPrefix, to: after(deadPrefix) };
export const bindingRange: KeyRange = { from: bindingPrefix, to: after(bindingPrefix) };
/** Everything that the outbox holds. */
export const outboxRanges: readonly KeyRange[] = outboxPrefixes.map((prefix) => ({ from: prefix, to: after(prefix) }));

export const sequenceOf = (key: string): number => Number(key.slice(key.lastIndexOf('/') + 1));
export const transactionOf = (key: string): string => key.slice(bindingPrefix.length);

export function isFact(value: unknown): value is Fact {
  if (!isRecord(value)) return false;
  const { action, transaction } = value;
  return (
    (action === 'StartTransaction' || action === 'StopTransaction' || action === 'MeterValues') &&
    typeof transaction === 'string'
  );
}

export function isDeadLetter(value: unknown): value is DeadLetter {
  return isRecord(value) && isFact(value['fact']) && typeof value['attempts'] === 'number';
}

export function isHead(value: unknown): value is Head {
  return isRecord(value) && isCount(value['sequence']) && isCount(value['failures']);
}

export function isBinding(value: unknown): value is Binding {
  return isRecord(value) && Number.isInteger(value['transactionId']);
}

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function digits(sequence: number): string {
  return String(sequence).padStart(DIGITS, '0');
}

/** The least key greater than every key with this prefix: all our prefixes end in '/', and '0' follows it. */
function after(prefix: string): string {
  return `${prefix.slice(0, -1)}0`;
}

/** What came of one attempt to deliver a fact (OCPP 1.6 §3.7.1). */
import { CallFailure } from '../../errors.ts';
import { type DeliveryFailure, type Fact, isBinding } from './fact.ts';

export type Outcome =
  | { readonly type: 'confirmed'; readonly confirmation: unknown }
  | { readonly type: 'failed'; readonly failure: DeliveryFailure }
  | { readonly type: 'disconnected' };

/** What a confirmation means. A Start without an id cannot be bound, so it does not count as confirmed. */
export function judged(fact: Fact, confirmation: unknown): Outcome {
  if (fact.action !== 'StartTransaction' || isBinding(confirmation)) return { type: 'confirmed', confirmation };
  return { type: 'failed', failure: { code: 'badReply', message: 'StartTransaction.conf has no transactionId' } };
}

/** What a rejected call means: an attempt that failed, or a link that was lost, which says nothing about the fact. */
export function outcomeOf(fact: Fact, thrown: unknown): Outcome {
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  if (!(thrown instanceof CallFailure)) return { type: 'failed', failure: { code: 'unexpected', message } };
  const { code, remoteCode } = thrown;
  if (code === 'disconnected') return { type: 'disconnected' };
  // MeterValues.conf has no member (OCPP 1.6 §6.32): whatever it carries, the central system has processed the samples.
  if (code === 'badReply' && fact.action === 'MeterValues') return { type: 'confirmed', confirmation: {} };
  return { type: 'failed', failure: { code, message, ...(remoteCode === undefined ? {} : { remoteCode }) } };
}

/** OCPP 1.6 edition 2, sections 7.2, 7.27 and 7.28: who may charge. */
import type * as v from 'valibot';
import { dateTime, object, oneOf, optional, text } from '../../vocabulary.ts';

const AUTHORIZATION_STATUSES = ['Accepted', 'Blocked', 'Expired', 'Invalid', 'ConcurrentTx'] as const;
export type AuthorizationStatus = (typeof AUTHORIZATION_STATUSES)[number];

export const idToken = text(20);

export const idTagInfo = object({
  expiryDate: optional(dateTime),
  parentIdTag: optional(idToken),
  status: oneOf(...AUTHORIZATION_STATUSES),
});
export type IdTagInfo = v.InferOutput<typeof idTagInfo>;

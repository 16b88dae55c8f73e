/** From IdTagInfo on the wire to what rooms keep of it (OCPP 1.6 section 7.27). */
import type { IdTagEntry } from '../core/authorization.ts';
import type { IdTagInfo } from '../ocpp/messages/types/authorization.ts';
import { parseTimestamp } from '../ocpp/timestamp.ts';

/** The shape has seen to it that an expiryDate is a moment. */
export function entryOf({ status, parentIdTag, expiryDate }: IdTagInfo): IdTagEntry {
  const expiresAt = expiryDate === undefined ? undefined : parseTimestamp(expiryDate);
  return {
    status,
    ...(parentIdTag === undefined ? {} : { parentIdTag }),
    ...(expiresAt === undefined ? {} : { expiresAt }),
  };
}

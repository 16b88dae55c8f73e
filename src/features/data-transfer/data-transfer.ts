/** DataTransfer in both directions (OCPP 1.6 sections 4.3 and 5.6): what vendors agree on beside OCPP. */
import { CallFailure, ControlError } from '../../errors.ts';
import { DataTransfer } from '../../ocpp/messages/core/data-transfer.ts';
import type { Handler, RequestOf } from '../../ocpp/operation.ts';
import { type Context, type ControlRoute, type Feature, isOnline, type Room, type VendorMessage } from '../feature.ts';

export const dataTransfer: Feature = {
  name: 'data-transfer',
  profile: 'Core',
  keys: [],
  start: (context): Room => ({
    handlers: [dispatchTo(context.vendorMessages)],
    routes: [sendToCentralSystem(context)],
  }),
};

/** Section 7: a vendorId is a CiString, a messageId is not. */
const isOf = (vendorId: string, message: VendorMessage): boolean =>
  message.vendorId.toLowerCase() === vendorId.toLowerCase();

/** A second answer to one kind of message is a start-up error. */
function dispatchTo(messages: readonly VendorMessage[]): Handler {
  const kinds = messages.map(({ vendorId, messageId }) => JSON.stringify([vendorId.toLowerCase(), messageId]));
  const twice = kinds.find((kind, index) => kinds.indexOf(kind) < index);
  if (twice !== undefined) throw new Error(`two answers to the DataTransfer ${twice}`);
  return DataTransfer.answeredBy(async ({ vendorId, messageId, data }) => {
    const known = messages.filter((message) => isOf(vendorId, message));
    if (known.length === 0) return { status: 'UnknownVendorId' };
    const meant = known.find((message) => message.messageId === messageId);
    return meant === undefined ? { status: 'UnknownMessageId' } : meant.answer(data);
  });
}

/** `POST /data-transfer` with `{"vendorId", "messageId", "data"}`; the answer is that of the central system. */
const sendToCentralSystem = (context: Context): ControlRoute => ({
  method: 'POST',
  path: '/data-transfer',
  handle: async ({ body }) => {
    if (!isOnline(context)) throw new ControlError('failed', 'the central system cannot be reached now');
    try {
      // The shape refuses what is no request.
      return await context.call(DataTransfer, body as RequestOf<typeof DataTransfer>);
    } catch (cause) {
      if (!(cause instanceof CallFailure)) throw cause;
      throw new ControlError(cause.code === 'badRequest' ? 'badRequest' : 'failed', cause.message, { cause });
    }
  },
});

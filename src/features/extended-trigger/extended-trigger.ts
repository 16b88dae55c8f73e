/** ExtendedTriggerMessage (security whitepaper, section 5.5): no part of the RemoteTrigger profile. The answer goes before the message. */
import { ExtendedTriggerMessage } from '../../ocpp/messages/security/extended-trigger-message.ts';
import type { Context, Feature, Room } from '../feature.ts';
import { mayBeAskedFor } from '../on-request.ts';

export const extendedTrigger: Feature = {
  name: 'extended-trigger',
  profile: 'Security',
  keys: [],
  start: (context): Room => ({ handlers: [extendedTriggerMessage(context)] }),
};

const extendedTriggerMessage = (context: Context) =>
  ExtendedTriggerMessage.answeredBy(async ({ requestedMessage, connectorId }, { afterwards }) => {
    const message = context.extendedTrigger(requestedMessage);
    if (message === undefined) return { status: 'NotImplemented' };
    if (!mayBeAskedFor(context, requestedMessage)) return { status: 'Rejected' };
    const send = await message(connectorId);
    if (send === undefined) return { status: 'Rejected' };
    afterwards(send);
    return { status: 'Accepted' };
  });

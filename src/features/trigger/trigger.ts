/** TriggerMessage (OCPP 1.6 section 5.17): the answer goes before the message. */
import { TriggerMessage } from '../../ocpp/messages/remote-trigger/trigger-message.ts';
import type { Context, Feature, Room } from '../feature.ts';
import { mayBeAskedFor } from '../on-request.ts';

export const trigger: Feature = {
  name: 'trigger',
  profile: 'RemoteTrigger',
  keys: [],
  start: (context): Room => ({ handlers: [triggerMessage(context)] }),
};

const triggerMessage = (context: Context) =>
  TriggerMessage.answeredBy(({ requestedMessage, connectorId }, { afterwards }) => {
    const message = context.trigger(requestedMessage);
    if (message === undefined) return { status: 'NotImplemented' };
    if (!mayBeAskedFor(context, requestedMessage)) return { status: 'Rejected' };
    const send = message(connectorId);
    if (send === undefined) return { status: 'Rejected' };
    afterwards(send);
    return { status: 'Accepted' };
  });

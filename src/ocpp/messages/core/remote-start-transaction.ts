/** OCPP 1.6 edition 2, sections 5.11, 6.33 and 6.34. */
import { operation } from '../../operation.ts';
import { object, oneOf, optional } from '../../vocabulary.ts';
import { idToken } from '../types/authorization.ts';
import { chargingProfile } from '../types/charging-profile.ts';
import { connectorId } from '../types/connector.ts';

export const RemoteStartTransaction = operation('RemoteStartTransaction', 'CentralSystem', {
  req: object({ idTag: idToken, connectorId: optional(connectorId), chargingProfile: optional(chargingProfile) }),
  conf: object({ status: oneOf('Accepted', 'Rejected') }),
});

/** OCPP 1.6 edition 2, sections 5.5, 6.13 and 6.14. */
import { operation } from '../../operation.ts';
import { integer, object, oneOf, optional } from '../../vocabulary.ts';
import { CHARGING_PROFILE_PURPOSES } from '../types/charging-profile.ts';
import { connectorId } from '../types/connector.ts';

export const ClearChargingProfile = operation('ClearChargingProfile', 'CentralSystem', {
  req: object({
    id: optional(integer),
    connectorId: optional(connectorId),
    chargingProfilePurpose: optional(oneOf(...CHARGING_PROFILE_PURPOSES)),
    stackLevel: optional(integer),
  }),
  conf: object({ status: oneOf('Accepted', 'Unknown') }),
});

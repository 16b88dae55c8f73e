/** OCPP 1.6 edition 2, sections 5.16, 6.43 and 6.44. */
import { operation } from '../../operation.ts';
import { object, oneOf } from '../../vocabulary.ts';
import { chargingProfile } from '../types/charging-profile.ts';
import { connectorId } from '../types/connector.ts';

export const SetChargingProfile = operation('SetChargingProfile', 'CentralSystem', {
  req: object({ connectorId, csChargingProfiles: chargingProfile }),
  conf: object({ status: oneOf('Accepted', 'Rejected', 'NotSupported') }),
});

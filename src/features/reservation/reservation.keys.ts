/** The configuration key of the reservation room (OCPP 1.6 section 9.3). */
import { boolean, key } from '../keys.ts';

export const reserveConnectorZeroSupported = key('ReserveConnectorZeroSupported', boolean(), {
  default: true,
  access: 'R',
});

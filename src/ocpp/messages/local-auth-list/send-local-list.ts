/** OCPP 1.6 edition 2, sections 5.15, 6.41 and 6.42. */
import { operation } from '../../operation.ts';
import { integer, list, object, oneOf, optional } from '../../vocabulary.ts';
import { idTagInfo, idToken } from '../types/authorization.ts';

/** Section 7.1. Without `idTagInfo` a differential update removes the idTag. */
const authorizationData = object({ idTag: idToken, idTagInfo: optional(idTagInfo) });

export const SendLocalList = operation('SendLocalList', 'CentralSystem', {
  req: object({
    listVersion: integer,
    localAuthorizationList: optional(list(authorizationData)),
    updateType: oneOf('Differential', 'Full'),
  }),
  conf: object({ status: oneOf('Accepted', 'Failed', 'NotSupported', 'VersionMismatch') }),
});

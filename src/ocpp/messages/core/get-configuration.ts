/** OCPP 1.6 edition 2, sections 5.8, 6.23 and 6.24. */
import { operation } from '../../operation.ts';
import { flag, list, object, optional, text } from '../../vocabulary.ts';

/** Section 7.29. */
const keyValue = object({ key: text(50), readonly: flag, value: optional(text(2048)) });

export const GetConfiguration = operation('GetConfiguration', 'CentralSystem', {
  req: object({ key: optional(list(text(50))) }),
  conf: object({ configurationKey: optional(list(keyValue)), unknownKey: optional(list(text(50))) }),
});

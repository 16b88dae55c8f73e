/** DataTransfer (OCPP 1.6 section 5.6): no vendor is known here. */
import { DataTransfer } from '../../ocpp/messages/core/data-transfer.ts';
import type { Feature, Room } from '../feature.ts';

export const dataTransfer: Feature = {
  name: 'data-transfer',
  profile: 'Core',
  keys: [],
  start: (): Room => ({ handlers: [DataTransfer.answeredBy(() => ({ status: 'UnknownVendorId' }))] }),
};

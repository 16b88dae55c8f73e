/** Every room of the house. Handlers, keys, trigger targets and SupportedFeatureProfiles follow from this one list. */
import { authorization } from './authorization/authorization.ts';
import { availability } from './availability/availability.ts';
import { boot } from './boot/boot.ts';
import { configuration } from './configuration/keys-room.ts';
import { dataTransfer } from './data-transfer/data-transfer.ts';
import type { Feature } from './feature.ts';
import { loadManagement } from './load-management/load-management.ts';
import { localAuthList } from './local-auth-list/local-auth-list.ts';
import { metering } from './metering/metering.ts';
import { reservation } from './reservation/reservation.ts';
import { reset } from './reset/reset.ts';
import { security } from './security/security.ts';
import { smartCharging } from './smart-charging/smart-charging.ts';
import { transactions } from './transactions/transactions.ts';
import { trigger } from './trigger/trigger.ts';

/** The order is the order in which they hear of a new link: queued facts go before statuses. */
export const FEATURES: readonly Feature[] = [
  boot,
  transactions,
  availability,
  authorization,
  localAuthList,
  metering,
  reservation,
  smartCharging,
  loadManagement,
  trigger,
  reset,
  configuration,
  security,
  dataTransfer,
];

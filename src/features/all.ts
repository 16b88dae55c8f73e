/** Every room of the house. Handlers, keys, trigger targets and SupportedFeatureProfiles follow from this one list. */
import { authorization } from './authorization/authorization.ts';
import { availability } from './availability/availability.ts';
import { boot } from './boot/boot.ts';
import { certificates } from './certificates/certificates.ts';
import { configuration } from './configuration/keys-room.ts';
import { contactorWear } from './contactor-wear/contactor-wear.ts';
import { dataTransfer } from './data-transfer/data-transfer.ts';
import { diagnostics, logs } from './diagnostics/diagnostics.ts';
import { extendedTrigger } from './extended-trigger/extended-trigger.ts';
import type { Feature } from './feature.ts';
import { firmware, signedFirmware } from './firmware/firmware.ts';
import { indicator } from './indicator/indicator.ts';
import { loadManagement } from './load-management/load-management.ts';
import { localAuthList } from './local-auth-list/local-auth-list.ts';
import { metering } from './metering/metering.ts';
import { recordings } from './recordings/recordings.ts';
import { reservation } from './reservation/reservation.ts';
import { reset } from './reset/reset.ts';
import { security } from './security/security.ts';
import { service } from './service/service.ts';
import { smartCharging } from './smart-charging/smart-charging.ts';
import { transactions } from './transactions/transactions.ts';
import { trigger } from './trigger/trigger.ts';

/** The order is the order in which they hear of a new link: queued facts go before statuses. */
export const FEATURES: readonly Feature[] = [
  boot,
  transactions,
  signedFirmware,
  firmware,
  availability,
  authorization,
  localAuthList,
  metering,
  reservation,
  smartCharging,
  loadManagement,
  trigger,
  extendedTrigger,
  reset,
  configuration,
  security,
  certificates,
  diagnostics,
  logs,
  recordings,
  service,
  contactorWear,
  dataTransfer,
  indicator,
];

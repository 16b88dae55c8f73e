/** Every operation of OCPP 1.6 and its security whitepaper, with the feature profile it belongs to (section 3.3). */
import type { AnyOperation } from '../operation.ts';
import { Authorize } from './core/authorize.ts';
import { BootNotification } from './core/boot-notification.ts';
import { ChangeAvailability } from './core/change-availability.ts';
import { ChangeConfiguration } from './core/change-configuration.ts';
import { ClearCache } from './core/clear-cache.ts';
import { DataTransfer } from './core/data-transfer.ts';
import { GetConfiguration } from './core/get-configuration.ts';
import { Heartbeat } from './core/heartbeat.ts';
import { MeterValues } from './core/meter-values.ts';
import { RemoteStartTransaction } from './core/remote-start-transaction.ts';
import { RemoteStopTransaction } from './core/remote-stop-transaction.ts';
import { Reset } from './core/reset.ts';
import { StartTransaction } from './core/start-transaction.ts';
import { StatusNotification } from './core/status-notification.ts';
import { StopTransaction } from './core/stop-transaction.ts';
import { UnlockConnector } from './core/unlock-connector.ts';
import { DiagnosticsStatusNotification } from './firmware-management/diagnostics-status-notification.ts';
import { FirmwareStatusNotification } from './firmware-management/firmware-status-notification.ts';
import { GetDiagnostics } from './firmware-management/get-diagnostics.ts';
import { UpdateFirmware } from './firmware-management/update-firmware.ts';
import { GetLocalListVersion } from './local-auth-list/get-local-list-version.ts';
import { SendLocalList } from './local-auth-list/send-local-list.ts';
import { TriggerMessage } from './remote-trigger/trigger-message.ts';
import { CancelReservation } from './reservation/cancel-reservation.ts';
import { ReserveNow } from './reservation/reserve-now.ts';
import { CertificateSigned } from './security/certificate-signed.ts';
import { DeleteCertificate } from './security/delete-certificate.ts';
import { ExtendedTriggerMessage } from './security/extended-trigger-message.ts';
import { GetInstalledCertificateIds } from './security/get-installed-certificate-ids.ts';
import { GetLog } from './security/get-log.ts';
import { InstallCertificate } from './security/install-certificate.ts';
import { LogStatusNotification } from './security/log-status-notification.ts';
import { SecurityEventNotification } from './security/security-event-notification.ts';
import { SignCertificate } from './security/sign-certificate.ts';
import { SignedFirmwareStatusNotification } from './security/signed-firmware-status-notification.ts';
import { SignedUpdateFirmware } from './security/signed-update-firmware.ts';
import { ClearChargingProfile } from './smart-charging/clear-charging-profile.ts';
import { GetCompositeSchedule } from './smart-charging/get-composite-schedule.ts';
import { SetChargingProfile } from './smart-charging/set-charging-profile.ts';

/** `Security` is no profile of edition 2: the whitepaper adds its messages beside the profiles. */
export type Profile =
  | 'Core'
  | 'LocalAuthListManagement'
  | 'FirmwareManagement'
  | 'Reservation'
  | 'SmartCharging'
  | 'RemoteTrigger'
  | 'Security';

export interface ProfiledOperation {
  readonly profile: Profile;
  readonly operation: AnyOperation;
}

export const OPERATIONS: readonly ProfiledOperation[] = [
  { profile: 'Core', operation: Authorize },
  { profile: 'Core', operation: BootNotification },
  { profile: 'Core', operation: ChangeAvailability },
  { profile: 'Core', operation: ChangeConfiguration },
  { profile: 'Core', operation: ClearCache },
  { profile: 'Core', operation: DataTransfer },
  { profile: 'Core', operation: GetConfiguration },
  { profile: 'Core', operation: Heartbeat },
  { profile: 'Core', operation: MeterValues },
  { profile: 'Core', operation: RemoteStartTransaction },
  { profile: 'Core', operation: RemoteStopTransaction },
  { profile: 'Core', operation: Reset },
  { profile: 'Core', operation: StartTransaction },
  { profile: 'Core', operation: StatusNotification },
  { profile: 'Core', operation: StopTransaction },
  { profile: 'Core', operation: UnlockConnector },
  { profile: 'LocalAuthListManagement', operation: GetLocalListVersion },
  { profile: 'LocalAuthListManagement', operation: SendLocalList },
  { profile: 'FirmwareManagement', operation: DiagnosticsStatusNotification },
  { profile: 'FirmwareManagement', operation: FirmwareStatusNotification },
  { profile: 'FirmwareManagement', operation: GetDiagnostics },
  { profile: 'FirmwareManagement', operation: UpdateFirmware },
  { profile: 'Reservation', operation: CancelReservation },
  { profile: 'Reservation', operation: ReserveNow },
  { profile: 'SmartCharging', operation: ClearChargingProfile },
  { profile: 'SmartCharging', operation: GetCompositeSchedule },
  { profile: 'SmartCharging', operation: SetChargingProfile },
  { profile: 'RemoteTrigger', operation: TriggerMessage },
  { profile: 'Security', operation: CertificateSigned },
  { profile: 'Security', operation: DeleteCertificate },
  { profile: 'Security', operation: ExtendedTriggerMessage },
  { profile: 'Security', operation: GetInstalledCertificateIds },
  { profile: 'Security', operation: GetLog },
  { profile: 'Security', operation: InstallCertificate },
  { profile: 'Security', operation: LogStatusNotification },
  { profile: 'Security', operation: SecurityEventNotification },
  { profile: 'Security', operation: SignCertificate },
  { profile: 'Security', operation: SignedFirmwareStatusNotification },
  { profile: 'Security', operation: SignedUpdateFirmware },
];

const byAction: ReadonlyMap<string, ProfiledOperation> = new Map(OPERATIONS.map((row) => [row.operation.action, row]));

/** Undefined for an action unknown to 1.6. */
export const operationOf = (action: string): AnyOperation | undefined => byAction.get(action)?.operation;

/** Undefined for an action unknown to 1.6. */
export const profileOf = (action: string): Profile | undefined => byAction.get(action)?.profile;

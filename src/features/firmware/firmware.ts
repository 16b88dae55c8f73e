/** Firmware updates: those of OCPP 1.6 (sections 4.5 and 5.19), and the signed ones of the security whitepaper (L01), which are always on. */
import { FirmwareStatusNotification } from '../../ocpp/messages/firmware-management/firmware-status-notification.ts';
import { SignedFirmwareStatusNotification } from '../../ocpp/messages/security/signed-firmware-status-notification.ts';
import type { Feature, Room } from '../feature.ts';
import { onRequest } from '../on-request.ts';
import { FIRMWARE_PREFIX, ONLY_AN_IMAGE } from './record.ts';
import { signedUpdateFirmware } from './signed-update-firmware.ts';
import { updateFirmware } from './update-firmware.ts';

export const firmware: Feature = {
  name: 'firmware',
  profile: 'FirmwareManagement',
  keys: [],
  start: (context): Room => ({
    handlers: [updateFirmware(context)],
    triggers: {
      FirmwareStatusNotification: () => () =>
        onRequest(context, FirmwareStatusNotification, { status: context.firmware.standing.plain }),
    },
  }),
};

export const signedFirmware: Feature = {
  name: 'firmware',
  profile: 'Security',
  keys: [],
  ofCentralSystem: [{ from: FIRMWARE_PREFIX, to: `${FIRMWARE_PREFIX}\uffff` }],
  afterSwitch: [ONLY_AN_IMAGE],
  start: (context): Room => ({
    handlers: [signedUpdateFirmware(context)],
    extendedTriggers: {
      FirmwareStatusNotification: () => () =>
        onRequest(context, SignedFirmwareStatusNotification, context.firmware.standing.signed),
    },
    stop: context.firmware.attend(context),
  }),
};

/** SignedUpdateFirmware (security whitepaper L01): the certificate is verified before anything else (L01.FR.23 to L01.FR.27). */
import { SignedUpdateFirmware } from '../../ocpp/messages/security/signed-update-firmware.ts';
import type { Handler } from '../../ocpp/operation.ts';
import type { Context } from '../feature.ts';
import { tries, wallOf } from './order.ts';
import { signerOf } from './signer.ts';

export const signedUpdateFirmware = (context: Context): Handler =>
  SignedUpdateFirmware.answeredBy(async ({ requestId, retries, retryInterval, firmware }, { inAnyCase }) => {
    const { signingCertificate: certificate, signature, location, installDateTime } = firmware;
    const retrieveAt = wallOf(firmware.retrieveDateTime);
    const install = installDateTime === undefined ? {} : { installAt: wallOf(installDateTime) };
    const signer = await signerOf(context, certificate);
    if (!signer.ok) {
      inAnyCase(() => context.securityEvents.report('InvalidFirmwareSigningCertificate', signer.reason));
      return { status: 'InvalidCertificate' };
    }
    const signed = { requestId, certificate, signature, ...install };
    const status = await context.firmware.order({ location, retrieveAt, ...tries(retries, retryInterval), signed });
    if (status !== 'Rejected') inAnyCase(() => context.firmware.begin());
    return { status };
  });

/** The charge point's own certificate and the roots that it trusts (security whitepaper, A02, A03 and M03 to M05). */
import { CertificateSigned } from '../../ocpp/messages/security/certificate-signed.ts';
import { DeleteCertificate } from '../../ocpp/messages/security/delete-certificate.ts';
import { GetInstalledCertificateIds } from '../../ocpp/messages/security/get-installed-certificate-ids.ts';
import { InstallCertificate } from '../../ocpp/messages/security/install-certificate.ts';
import type { Context, Feature, Room } from '../feature.ts';
import * as keys from './certificates.keys.ts';
import { ofCentralSystem } from './rows.ts';
import { Signing } from './signing.ts';

export const certificates: Feature = {
  name: 'certificates',
  profile: 'Security',
  keys: Object.values(keys),
  ofCentralSystem,
  start: (context): Room => {
    const { trust } = context;
    const signing = new Signing(context);
    return {
      handlers: [
        installCertificate(context),
        DeleteCertificate.answeredBy(async ({ certificateHashData }) => ({
          status: await trust.remove(certificateHashData),
        })),
        GetInstalledCertificateIds.answeredBy(({ certificateType }) => {
          const certificateHashData = [...trust.installed(certificateType)];
          return certificateHashData.length === 0
            ? { status: 'NotFound' }
            : { status: 'Accepted', certificateHashData };
        }),
        certificateSigned(context, signing),
      ],
      extendedTriggers: { SignChargePointCertificate: () => signing.requested() },
      stop: () => signing.stop(),
    };
  },
};

const installCertificate = ({ securityEvents, trust }: Context) =>
  InstallCertificate.answeredBy(async ({ certificateType, certificate }, { inAnyCase }) => {
    const { status, fault } = await trust.install(certificateType, certificate);
    // The list of section 8 has nothing for the roots of the manufacturer.
    if (fault !== undefined && certificateType === 'CentralSystemRootCertificate')
      inAnyCase(() => securityEvents.report('InvalidCentralSystemCertificate', fault));
    return { status };
  });

const certificateSigned = ({ log, securityEvents, trust }: Context, signing: Signing) =>
  CertificateSigned.answeredBy(async ({ certificateChain }, { inAnyCase }) => {
    const refusal = await trust.ownCertificates.accept(certificateChain);
    if (refusal === undefined) {
      inAnyCase(() => signing.certificateCame());
      return { status: 'Accepted' };
    }
    log.warn('a certificate for the charge point was refused', { why: refusal.text });
    if (refusal.invalid) inAnyCase(() => securityEvents.report('InvalidChargePointCertificate', refusal.text));
    return { status: 'Rejected' };
  });

/** Whether the image on the disk is the one that was asked for: by its signature, or where nobody has signed it by what was downloaded. */
import type { SignedFirmwareStatus } from '../../ocpp/messages/types/firmware-status.ts';
import type { Context } from '../feature.ts';
import type { SecurityEventType } from '../security-event.ts';
import { signerOf } from './signer.ts';
import type { Update } from './update.ts';

export type Verdict =
  | { readonly ok: true }
  /** `status` ends the update; `event` is the security event that goes with it (L01.FR.02, L01.FR.03). */
  | {
      readonly ok: false;
      readonly status: SignedFirmwareStatus;
      readonly reason: string;
      readonly event?: SecurityEventType;
    };

const GOOD: Verdict = { ok: true };

/** Reads the whole image. Never rejects. */
export async function verdictOn(context: Context, update: Update): Promise<Verdict> {
  const { certificates, firmwareFile, log } = context;
  const { signed } = update;
  if (signed === undefined) return sameAs(context, update.digest);
  const signer = await signerOf(context, signed.certificate);
  if (!signer.ok) return invalid('InvalidFirmwareSigningCertificate', signer.reason);
  const { certificate } = signer;
  const read = await certificates
    .verifySignature(certificate, firmwareFile.read(), signed.signature)
    .catch((cause: unknown) => {
      log.error('the firmware image could not be read', { cause });
      return 'notRead' as const;
    });
  return read === 'valid' ? GOOD : invalid('InvalidFirmwareSignature', certificate.subject);
}

const invalid = (event: SecurityEventType, reason: string): Verdict => ({
  ok: false,
  status: 'InvalidSignature',
  reason,
  event,
});

/** Nothing is known of one that an earlier release has downloaded. */
async function sameAs({ firmwareFile, log }: Context, digest: string | undefined): Promise<Verdict> {
  if (digest === undefined) return GOOD;
  try {
    if ((await firmwareFile.digest()) === digest) return GOOD;
  } catch (cause) {
    log.error('the firmware image could not be read', { cause });
  }
  return { ok: false, status: 'InstallationFailed', reason: 'the image is not what was downloaded' };
}

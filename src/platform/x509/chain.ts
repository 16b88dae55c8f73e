/** Certification paths (RFC 5280 section 6): from a certificate to one that is trusted. */
import type { Certificate, ChainFault, ChainVerdict } from '../../ports.ts';
import { weaknessOfKey } from './algorithms.ts';
import { type Decoded, decodeAgain, isSignedBy } from './decode.ts';
import { inTurns, turn } from './turns.ts';

/** Some tenths of a millisecond each on a small Pi; verifying a signature takes some milliseconds there and has a turn of its own. */
const DECODED_IN_ONE_TURN = 4;

/** A place on a path: `below` leads to the leaf. */
interface Step {
  readonly at: Decoded;
  readonly below: Step | undefined;
  readonly depth: number;
}

interface Failure {
  readonly reason: ChainFault;
  readonly certificate: Certificate;
  /** The deeper, the more of the path was sound. */
  readonly rank: number;
}

/** See `Certificates.verifyChain`. Goes breadth first and looks at each certificate once, so that a chain cannot be made to cost more. */
export async function verifyChain(
  chain: readonly [Certificate, ...Certificate[]],
  anchors: readonly Certificate[],
  now: number | 'unknown',
): Promise<ChainVerdict> {
  const leaf = decodeAgain(chain[0]);
  const candidates = await inTurns([...anchors, ...chain.slice(1)], DECODED_IN_ONE_TURN, decodeAgain);
  const isAnchor = ({ certificate }: Decoded): boolean =>
    anchors.some(({ fingerprint }) => fingerprint === certificate.fingerprint);
  const start: Step = { at: leaf, below: undefined, depth: 0 };
  const fault = faultOf(leaf, isAnchor(leaf), now);
  if (fault !== undefined) return refusal({ reason: fault, certificate: leaf.certificate, rank: 0 });

  const seen = new Set([leaf.certificate.fingerprint]);
  const queue: Step[] = [start];
  let failure: Failure = { reason: 'unknownIssuer', certificate: leaf.certificate, rank: 0 };
  for (let step = queue.shift(); step !== undefined; step = queue.shift()) {
    if (isAnchor(step.at)) return { ok: true, path: pathOf(step) };
    const { at, depth } = step;
    const found = (reason: ChainFault, certificate: Certificate, rank: number): void => {
      if (rank > failure.rank) failure = { reason, certificate, rank };
    };
    found('unknownIssuer', at.certificate, 3 * depth + 1);
    for (const candidate of candidates) {
      if (!isNamedAsIssuer(candidate, at) || seen.has(candidate.certificate.fingerprint)) continue;
      await turn();
      if (!isSignedBy(at.certificate, candidate.certificate)) {
        found('badSignature', at.certificate, 3 * depth + 2);
        continue;
      }
      seen.add(candidate.certificate.fingerprint);
      const anchored = isAnchor(candidate);
      const reason = issuerFault(candidate, anchored, step) ?? faultOf(candidate, anchored, now);
      if (reason === undefined) queue.push({ at: candidate, below: step, depth: depth + 1 });
      else found(reason, candidate.certificate, 3 * depth + 3);
    }
  }
  return refusal(failure);
}

const isNamedAsIssuer = (candidate: Decoded, { structure }: Decoded): boolean =>
  candidate.structure.subject.comparable === structure.issuer.comparable;

/** What is wrong with a certificate wherever it stands. Of an anchor only the key is used, so neither its signature nor its extensions count. */
function faultOf(
  { certificate, structure }: Decoded,
  anchored: boolean,
  now: number | 'unknown',
): ChainFault | undefined {
  if ((anchored ? weaknessOfKey(certificate.key) : certificate.weakness) !== undefined) return 'tooWeak';
  if (now !== 'unknown' && now < certificate.notBefore) return 'notYetValid';
  if (now !== 'unknown' && now > certificate.notAfter) return 'expired';
  return structure.unheeded && !anchored ? 'unsupportedExtension' : undefined;
}

function issuerFault({ certificate }: Decoded, anchored: boolean, child: Step): ChainFault | undefined {
  const { ca = anchored, keyUsage, pathLength } = certificate;
  if (!ca || keyUsage?.includes('keyCertSign') === false) return 'notACa';
  return pathLength !== undefined && intermediatesIn(child) > pathLength ? 'pathTooLong' : undefined;
}

/** Section 6.1.4 (l): the leaf does not count, nor does a CA that renews itself. */
function intermediatesIn(step: Step): number {
  if (step.below === undefined) return 0;
  return intermediatesIn(step.below) + (step.at.certificate.selfIssued ? 0 : 1);
}

const pathOf = (step: Step): readonly Certificate[] =>
  step.below === undefined ? [step.at.certificate] : [...pathOf(step.below), step.at.certificate];

function refusal({ reason, certificate }: Failure): ChainVerdict {
  const { weakness } = certificate;
  return { ok: false, reason, certificate, ...(reason === 'tooWeak' && weakness !== undefined ? { weakness } : {}) };
}

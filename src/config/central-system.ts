/** The address of the central system, and what usually goes wrong with it (facts/interop.md, section 4). */
import type { CentralSystemConfig, SecurityProfile } from '../config.ts';
import { readCertificates } from './certificates.ts';
import type { ConfigDocument } from './document.ts';
import { shown } from './examine.ts';
import { type Findings, relativeTo } from './findings.ts';
import type { AgentFile } from './shapes/agent.ts';

export function readCentralSystem(
  findings: Findings,
  document: ConfigDocument,
  file: AgentFile,
  base: string,
): CentralSystemConfig {
  const { url, securityProfile = 0, caFile, verifyHostname = true } = file.centralSystem;
  checkUrl(findings, document, url);
  const ofCaFile = { document, path: ['centralSystem', 'caFile'], what: 'certificate file' };
  return {
    url,
    securityProfile,
    certificateAuthorities: caFile ? readCertificates(findings, ofCaFile, relativeTo(base, caFile)) : [],
    verifyHostname,
  };
}

function checkUrl(findings: Findings, document: ConfigDocument, url: string): void {
  const path = ['centralSystem', 'url'];
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || !/^wss?:$/.test(parsed.protocol) || parsed.hostname === '') {
    // A password in it is misplaced, and a secret all the same; its query may be one.
    const safe = url.replace(/^([a-z]+:\/\/)?.*@/is, '$1***@').replace(/\?.*$/s, '?***');
    const hint = /^https?:/i.test(url) ? `did you mean ${safe.replace(/^http/i, 'ws')}?` : 'ws://host:port/path';
    findings.errors.push(
      document.problem(path, `is ${shown(safe)}, expected an address that begins with ws:// or wss://`, hint),
    );
  } else if (parsed.username !== '' || parsed.password !== '') {
    const hint = 'the user is the identity, the password is AuthorizationKey in the secrets file';
    findings.errors.push(document.problem(path, 'holds a user or a password, expected none', hint));
  } else if (parsed.hash !== '') {
    findings.errors.push(document.problem(path, `holds ${parsed.hash}, expected no fragment`));
  }
}

/** The profile in force on a first start: the key, else `securityProfile`. */
export const effectiveProfile = (keys: Readonly<Record<string, string>>, otherwise: SecurityProfile): number => {
  const preset = keys['SecurityProfile']?.trim() ?? '';
  return /^[0-3]$/.test(preset) ? Number(preset) : otherwise;
};

/** Rows 5 and 6 of the interop quirks, and a scheme or a password that does not go with the security profile. */
export function warnOfPitfalls(
  findings: Findings,
  document: ConfigDocument,
  file: AgentFile,
  keys: Readonly<Record<string, string>>,
): void {
  const { identity } = file.chargePoint;
  const { url, securityProfile = 0 } = file.centralSystem;
  const warn = (path: readonly string[], message: string, hint?: string) => {
    findings.warnings.push(document.problem(path, message, hint));
  };
  const profile = effectiveProfile(keys, securityProfile);
  if (!/^[\w.-]+$/.test(identity)) {
    warn(['chargePoint', 'identity'], 'has characters other than A-Z a-z 0-9 . _ -: some central systems refuse them');
  }
  if (lastSegment(url) === identity) {
    warn(
      ['centralSystem', 'url'],
      `ends in the identity ${identity}, which will be appended once more`,
      'leave it out',
    );
  }
  const scheme = profile >= 2 ? 'wss' : 'ws';
  if (!url.toLowerCase().startsWith(`${scheme}:`)) {
    warn(['centralSystem', 'url'], `does not go with security profile ${profile}: ${scheme}:// will be dialled`);
  }
  if ((profile === 1 || profile === 2) && (keys['AuthorizationKey'] ?? '') === '') {
    warn(
      ['centralSystem'],
      `security profile ${profile} needs a password, but there is no AuthorizationKey`,
      'see secretsFile',
    );
  }
  if (profile === 3) {
    const path =
      file.keys?.['SecurityProfile'] === undefined ? ['centralSystem', 'securityProfile'] : ['keys', 'SecurityProfile'];
    warn(
      path,
      'is 3: without a certificate of its own, which a new charge point has not, nobody lets it in',
      'begin with 1 or 2: the central system installs a certificate and then sets SecurityProfile to 3',
    );
  }
  if (file.keys?.['CentralSystemUrl'] !== undefined) {
    warn(['keys', 'CentralSystemUrl'], 'is ignored: centralSystem.url says it');
  }
  if (file.board !== 'mock' && file.keys?.['AuthorizationKey'] !== undefined) {
    warn(
      ['keys', 'AuthorizationKey'],
      'is a secret in a file that others may read',
      'move it to the secretsFile, mode 0600',
    );
  }
}

function lastSegment(url: string): string | undefined {
  const segment = URL.canParse(url) ? new URL(url).pathname.split('/').filter(Boolean).at(-1) : undefined;
  try {
    return segment === undefined ? undefined : decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

/** docs/security.md says which security events there are, which are told, and which of the whitepaper are not built. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SECURITY_EVENTS } from '../../../src/features/security-event.ts';

const ROOT = join(import.meta.dirname, '../../..');
const read = (...path: readonly string[]): string => readFileSync(join(ROOT, ...path), 'utf8');

const page = read('docs/security.md');
const section = (title: string): string => page.split(/^## /m).find((part) => part.startsWith(title)) ?? '';
const rows = [...section('Security events').matchAll(/^\| ([A-Z][\w, ]+) \| (yes|no)\b/gm)].flatMap(
  ([, names = '', told]) =>
    names.split(', ').map((name): readonly [string, string] => [name, told === 'yes' ? 'told' : 'logged']),
);

/** Section 8, with the two names that edition 4 spells otherwise. */
const OF_THE_WHITEPAPER = [
  'FirmwareUpdated',
  'FailedToAuthenticateAtCentralSystem',
  'CentralSystemFailedToAuthenticate',
  'SettingSystemTime',
  'StartupOfTheDevice',
  'ResetOrReboot',
  'SecurityLogWasCleared',
  'ReconfigurationOfSecurityParameters',
  'MemoryExhaustion',
  'InvalidMessages',
  'AttemptedReplayAttacks',
  'TamperDetectionActivated',
  'InvalidFirmwareSignature',
  'InvalidFirmwareSigningCertificate',
  'InvalidCentralSystemCertificate',
  'InvalidChargePointCertificate',
  'InvalidTLSVersion',
  'InvalidTLSCipherSuite',
];

describe('the table of security events', () => {
  it('has each event that is reported, once, and says whether it is told', () => {
    expect(rows.toSorted()).toEqual(Object.entries(SECURITY_EVENTS).toSorted());
  });

  it('has none that nobody reports', () => {
    const sources = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts') && !file.endsWith('security-event.ts'))
      .map((file) => read('src', file))
      .join('\n');
    expect(Object.keys(SECURITY_EVENTS).filter((name) => !sources.includes(`'${name}'`))).toEqual([]);
  });

  it('has each event of section 8, or says that it is not built', () => {
    const built: readonly string[] = Object.keys(SECURITY_EVENTS);
    const notBuilt = OF_THE_WHITEPAPER.filter((name) => section('Not built').includes(name));
    expect(OF_THE_WHITEPAPER.filter((name) => built.includes(name) === notBuilt.includes(name))).toEqual([]);
  });

  it('has no name that is longer than the message takes', () => {
    expect(Object.keys(SECURITY_EVENTS).filter((name) => name.length > 50)).toEqual([]);
  });
});

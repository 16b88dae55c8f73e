/** The security events that are reported, by name (security whitepaper, section 8; docs/security.md has when). */

/**
 * Whether the central system is told, or it stands in the security log only. Section 8 has more as not critical than is only logged here:
 * verdicts on certificates, signatures and TLS are told, because TC_077, TC_078, TC_081 and A00.FR.318 want them told.
 */
export const SECURITY_EVENTS = {
  StartupOfTheDevice: 'told',
  ResetOrReboot: 'told',
  SettingSystemTime: 'told',
  MemoryExhaustion: 'told',
  FirmwareUpdated: 'told',
  InvalidFirmwareSignature: 'told',
  InvalidFirmwareSigningCertificate: 'told',
  InvalidCentralSystemCertificate: 'told',
  InvalidChargePointCertificate: 'told',
  InvalidTLSVersion: 'told',
  InvalidTLSCipherSuite: 'told',
  /** Our own. */
  StoreReplaced: 'told',
  CentralSystemFailedToAuthenticate: 'logged',
  FailedToAuthenticateAtCentralSystem: 'logged',
  ReconfigurationOfSecurityParameters: 'logged',
  InvalidMessages: 'logged',
} as const;

/** At most 50 characters. */
export type SecurityEventType = keyof typeof SECURITY_EVENTS;

/** The one list of operations. */
import { describe, expect, it } from 'vitest';
import { OPERATIONS, operationOf, profileOf } from '../../../src/ocpp/messages/all.ts';
import { Reset } from '../../../src/ocpp/messages/core/reset.ts';

describe('the operations of OCPP 1.6 (§3.3) and its security whitepaper', () => {
  it('number as many in each profile as the specification lists', () => {
    const count: Record<string, number> = {};
    for (const { profile } of OPERATIONS) count[profile] = (count[profile] ?? 0) + 1;
    expect(count).toEqual({
      Core: 16,
      LocalAuthListManagement: 2,
      FirmwareManagement: 4,
      Reservation: 2,
      SmartCharging: 3,
      RemoteTrigger: 1,
      Security: 11,
    });
  });

  it('have one name each, and are found by it', () => {
    for (const { operation, profile } of OPERATIONS) {
      expect(operationOf(operation.action)).toBe(operation);
      expect(profileOf(operation.action)).toBe(profile);
    }
    expect(operationOf('Reset')).toBe(Reset);
  });

  it.each(['reset', 'GetReport', '', '__proto__', 'constructor'])('do not include %j', (action) => {
    expect(operationOf(action)).toBeUndefined();
    expect(profileOf(action)).toBeUndefined();
  });

  it('are called by the side that the specification names', () => {
    const callers = (initiator: string) =>
      OPERATIONS.flatMap(({ operation }) => (operation.initiator === initiator ? [operation.action] : [])).sort();
    expect(callers('Both')).toEqual(['DataTransfer']);
    expect(callers('ChargePoint')).toEqual([
      'Authorize',
      'BootNotification',
      'DiagnosticsStatusNotification',
      'FirmwareStatusNotification',
      'Heartbeat',
      'LogStatusNotification',
      'MeterValues',
      'SecurityEventNotification',
      'SignCertificate',
      'SignedFirmwareStatusNotification',
      'StartTransaction',
      'StatusNotification',
      'StopTransaction',
    ]);
  });
});

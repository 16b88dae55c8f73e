/** Which CALLERROR each kind of misfit becomes, and what its description may say. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Authorize } from '../../src/ocpp/messages/core/authorize.ts';
import { BootNotification } from '../../src/ocpp/messages/core/boot-notification.ts';
import { ChangeConfiguration } from '../../src/ocpp/messages/core/change-configuration.ts';
import { MeterValues } from '../../src/ocpp/messages/core/meter-values.ts';
import { Reset } from '../../src/ocpp/messages/core/reset.ts';
import { GetDiagnostics } from '../../src/ocpp/messages/firmware-management/get-diagnostics.ts';
import { GetInstalledCertificateIds } from '../../src/ocpp/messages/security/get-installed-certificate-ids.ts';
import { SetChargingProfile } from '../../src/ocpp/messages/smart-charging/set-charging-profile.ts';
import { validate } from '../../src/ocpp/validate.ts';

const at = '2026-11-23T10:00:00Z';
const withLimit = (limit: unknown) => ({
  connectorId: 1,
  csChargingProfiles: {
    chargingProfileId: 1,
    stackLevel: 0,
    chargingProfilePurpose: 'TxProfile',
    chargingProfileKind: 'Absolute',
    chargingSchedule: { chargingRateUnit: 'A', chargingSchedulePeriod: [{ startPeriod: 0, limit }] },
  },
});
const limitPath = 'csChargingProfiles.chargingSchedule.chargingSchedulePeriod.0.limit';

describe('the CALLERROR for a payload that does not fit (OCPP-J 1.6 §4.2.3)', () => {
  it.each([
    ['an array for a payload', Authorize.req, [], 'FormationViolation', 'payload: expected an object'],
    ['a text for a payload', Authorize.req, 'ABC', 'FormationViolation', 'payload: expected an object'],
    ['null for a payload', Authorize.req, null, 'FormationViolation', 'payload: expected an object'],
    ['an unknown member', Reset.req, { type: 'Hard', how: 1 }, 'FormationViolation', 'how: no member of this message'],
    [
      'a member of every object',
      Reset.req,
      JSON.parse('{"type":"Hard","__proto__":{}}'),
      'FormationViolation',
      '__proto__: no member of this message',
    ],
    ['a missing member', Authorize.req, {}, 'OccurenceConstraintViolation', 'idTag: required'],
    [
      'a missing member within a list',
      MeterValues.req,
      { connectorId: 1, meterValue: [{ timestamp: at, sampledValue: [{}] }] },
      'OccurenceConstraintViolation',
      'meterValue.0.sampledValue.0.value: required',
    ],
    ['a number for a text', Authorize.req, { idTag: 12 }, 'TypeConstraintViolation', 'idTag: expected a string'],
    ['null for a text', Authorize.req, { idTag: null }, 'TypeConstraintViolation', 'idTag: expected a string'],
    [
      'a text for an integer',
      MeterValues.req,
      { connectorId: '1', meterValue: [] },
      'TypeConstraintViolation',
      'connectorId: expected an integer',
    ],
    [
      'a fraction for an integer',
      MeterValues.req,
      { connectorId: 1.5, meterValue: [] },
      'TypeConstraintViolation',
      'connectorId: expected an integer',
    ],
    [
      'an object for a list',
      MeterValues.req,
      { connectorId: 1, meterValue: {} },
      'TypeConstraintViolation',
      'meterValue: expected an array',
    ],
    [
      'a list for an object',
      Authorize.conf,
      { idTagInfo: [] },
      'TypeConstraintViolation',
      'idTagInfo: expected an object',
    ],
    [
      'a number for an enumeration',
      Reset.req,
      { type: 1 },
      'TypeConstraintViolation',
      'type: expected one of Hard, Soft',
    ],
    [
      'a text for a limit',
      SetChargingProfile.req,
      withLimit('16'),
      'TypeConstraintViolation',
      `${limitPath}: expected a number`,
    ],
    [
      'a word that is not in the enumeration',
      Reset.req,
      { type: 'hard' },
      'PropertyConstraintViolation',
      'type: expected one of Hard, Soft',
    ],
    [
      'too long a text',
      Authorize.req,
      { idTag: 'x'.repeat(21) },
      'PropertyConstraintViolation',
      'idTag: expected at most 20 characters',
    ],
    [
      'a limit between two steps',
      SetChargingProfile.req,
      withLimit(16.05),
      'PropertyConstraintViolation',
      `${limitPath}: expected a multiple of 0.1`,
    ],
    [
      '30 February',
      BootNotification.conf,
      { status: 'Accepted', currentTime: '2026-02-30T10:00:00Z', interval: 1 },
      'PropertyConstraintViolation',
      'currentTime: expected a date-time',
    ],
    [
      'a location that is no URI',
      GetDiagnostics.req,
      { location: 'over there' },
      'PropertyConstraintViolation',
      'location: expected a URI',
    ],
    [
      'too short a list',
      GetInstalledCertificateIds.conf,
      { status: 'Accepted', certificateHashData: [] },
      'PropertyConstraintViolation',
      'certificateHashData: expected at least 1 element',
    ],
  ] as const)('for %s', (_, shape, payload, code, description) => {
    const [place] = description.split(':');
    expect(validate(shape, payload)).toEqual({ ok: false, code, place, description });
  });

  it('names the first of several violations', () => {
    const twice = validate(BootNotification.conf, { currentTime: 3, interval: 'x' });
    expect(twice).toMatchObject({ code: 'OccurenceConstraintViolation', description: 'status: required' });
  });

  it('never repeats a value, which may be a password', () => {
    const secret = 's3cret';
    for (const value of [[secret], { secret }, secret.repeat(1000)]) {
      const result = validate(ChangeConfiguration.req, { key: 'AuthorizationKey', value });
      expect(result.ok).toBe(false);
      expect(JSON.stringify(result)).not.toContain(secret);
    }
  });

  it('keeps the description within 255 characters, however long a name is', () => {
    const result = validate(Reset.req, { type: 'Hard', ['x'.repeat(100_000)]: 1 });
    expect(!result.ok && result.description.length).toBe(255);
  });
});

describe('validate', () => {
  it('hands back an equal copy of what fits', () => {
    const payload = { idTagInfo: { status: 'Accepted', expiryDate: at } };
    const result = validate(Authorize.conf, payload);
    expect(result).toEqual({ ok: true, value: payload });
    expect(result.ok && result.value.idTagInfo).not.toBe(payload.idTagInfo);
  });

  it('counts code points, as JSON Schema does', () => {
    expect(validate(Authorize.req, { idTag: '🔌'.repeat(20) }).ok).toBe(true);
    expect(validate(Authorize.req, { idTag: '🔌'.repeat(21) }).ok).toBe(false);
  });

  it('takes every step of 0.1, written or computed', () => {
    for (let tenth = -1000; tenth <= 10_000; tenth += 1) {
      expect(validate(SetChargingProfile.req, withLimit(tenth / 10)).ok).toBe(true);
      expect(validate(SetChargingProfile.req, withLimit(tenth * 0.1)).ok).toBe(true);
      expect(validate(SetChargingProfile.req, withLimit(tenth / 10 + 0.05)).ok).toBe(false);
    }
    for (const huge of [1e307, Number.MAX_VALUE, 2 ** 53 + 2]) {
      expect(validate(SetChargingProfile.req, withLimit(huge)).ok).toBe(true);
    }
    expect(validate(SetChargingProfile.req, withLimit(Number.POSITIVE_INFINITY)).ok).toBe(false);
  });

  it('answers for any JSON at all, without throwing', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (payload) => {
        expect(typeof validate(MeterValues.req, payload).ok).toBe('boolean');
      }),
    );
  });

  it('stays calm before megabytes of hostile text', () => {
    const location = `ftp://${'%41'.repeat(1_000_000)}`;
    expect(validate(GetDiagnostics.req, { location }).ok).toBe(true);
    expect(validate(GetDiagnostics.req, { location: `${location} ` }).ok).toBe(false);
    const meterValue = Array.from({ length: 100_000 }, () => 7);
    expect(validate(MeterValues.req, { connectorId: 1, meterValue }).ok).toBe(false);
  });
});

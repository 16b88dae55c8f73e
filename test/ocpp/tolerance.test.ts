/** Every named repair, and that nothing else is touched. */
import { describe, expect, it } from 'vitest';
import { Authorize } from '../../src/ocpp/messages/core/authorize.ts';
import { BootNotification } from '../../src/ocpp/messages/core/boot-notification.ts';
import { ChangeConfiguration } from '../../src/ocpp/messages/core/change-configuration.ts';
import { ClearCache } from '../../src/ocpp/messages/core/clear-cache.ts';
import { DataTransfer } from '../../src/ocpp/messages/core/data-transfer.ts';
import { Heartbeat } from '../../src/ocpp/messages/core/heartbeat.ts';
import { SendLocalList } from '../../src/ocpp/messages/local-auth-list/send-local-list.ts';
import type { AnyOperation } from '../../src/ocpp/operation.ts';
import { REPAIRS, repair } from '../../src/ocpp/tolerance.ts';
import { validate } from '../../src/ocpp/validate.ts';

interface Case {
  readonly operation: AnyOperation;
  readonly side: 'req' | 'conf';
  readonly sent: unknown;
  readonly read: unknown;
  readonly repairs: readonly string[];
}

const currentTime = '2026-11-23T10:00:00Z';
const boot = { status: 'Accepted', currentTime };
const json = (text: string): unknown => JSON.parse(text);

const CASES: { readonly [what: string]: Case } = {
  'null for a payload': {
    operation: ClearCache,
    side: 'req',
    sent: null,
    read: {},
    repairs: ['absentPayload'],
  },
  'no payload at all': {
    operation: Heartbeat,
    side: 'req',
    sent: undefined,
    read: {},
    repairs: ['absentPayload'],
  },
  'the interval under its OCPP 1.5 name': {
    operation: BootNotification,
    side: 'conf',
    sent: { ...boot, heartbeatInterval: 300 },
    read: { ...boot, interval: 300 },
    repairs: ['heartbeatInterval'],
  },
  'the OCPP 1.5 name beside the right one': {
    operation: BootNotification,
    side: 'conf',
    sent: { ...boot, interval: 60, heartbeatInterval: 300 },
    read: { ...boot, interval: 60 },
    repairs: ['unknownMember heartbeatInterval'],
  },
  'no interval': {
    operation: BootNotification,
    side: 'conf',
    sent: boot,
    read: { ...boot, interval: 0 },
    repairs: ['missingInterval'],
  },
  'null for the interval': {
    operation: BootNotification,
    side: 'conf',
    sent: { ...boot, interval: null },
    read: { ...boot, interval: 0 },
    repairs: ['missingInterval'],
  },
  'a member that 1.6 does not know': {
    operation: Authorize,
    side: 'conf',
    sent: { idTagInfo: { status: 'Accepted', language: 'de' }, _links: {} },
    read: { idTagInfo: { status: 'Accepted' } },
    repairs: ['unknownMember idTagInfo.language', 'unknownMember _links'],
  },
  'members that every object has': {
    operation: Authorize,
    side: 'req',
    sent: json('{"idTag":"ABC","__proto__":{"idTag":"DEF"},"constructor":1,"toString":2}'),
    read: { idTag: 'ABC' },
    repairs: ['unknownMember __proto__', 'unknownMember constructor', 'unknownMember toString'],
  },
  'null for what is absent, in every entry of a list': {
    operation: SendLocalList,
    side: 'req',
    sent: {
      listVersion: 1,
      updateType: 'Full',
      localAuthorizationList: ['A', 'B'].map((idTag) => ({
        idTag,
        idTagInfo: { status: 'Accepted', parentIdTag: null },
      })),
    },
    read: {
      listVersion: 1,
      updateType: 'Full',
      localAuthorizationList: ['A', 'B'].map((idTag) => ({ idTag, idTagInfo: { status: 'Accepted' } })),
    },
    repairs: ['nullMember localAuthorizationList.idTagInfo.parentIdTag'],
  },
  'a time without offset': {
    operation: Heartbeat,
    side: 'conf',
    sent: { currentTime: '2026-11-23T10:00:00.1234567' },
    read: { currentTime: '2026-11-23T10:00:00.1234567Z' },
    repairs: ['timestampWithoutOffset currentTime'],
  },
  'a number for a configuration value': {
    operation: ChangeConfiguration,
    side: 'req',
    sent: { key: 'HeartbeatInterval', value: 300 },
    read: { key: 'HeartbeatInterval', value: '300' },
    repairs: ['configurationValue value'],
  },
  'a boolean for a configuration value': {
    operation: ChangeConfiguration,
    side: 'req',
    sent: { key: 'LocalPreAuthorize', value: true },
    read: { key: 'LocalPreAuthorize', value: 'true' },
    repairs: ['configurationValue value'],
  },
};

describe('the tolerance for inbound payloads', () => {
  it.each(Object.entries(CASES))('repairs %s', (_, { operation, side, sent, read, repairs }) => {
    const before = structuredClone(sent);
    expect(validate(operation[side], sent).ok).toBe(false);
    expect(repair(operation, side, sent)).toEqual({ payload: read, repairs });
    expect(validate(operation[side], read).ok).toBe(true);
    expect(sent).toEqual(before);
  });

  it('has a case above for every repair of the table', () => {
    const proven = Object.values(CASES).flatMap(({ repairs }) => repairs.map((line) => line.split(' ')[0]));
    expect(new Set(proven)).toEqual(new Set(REPAIRS.map(({ name }) => name)));
  });

  it.each<[string, AnyOperation, 'req' | 'conf', unknown]>([
    ['a wrong type', Authorize, 'req', { idTag: 12 }],
    ['a missing member', Authorize, 'req', {}],
    ['a number where no configuration value is meant', DataTransfer, 'req', { vendorId: 'V', data: 3 }],
    ['an impossible date', Heartbeat, 'conf', { currentTime: '2026-02-30T10:00:00' }],
    ['null in a list', SendLocalList, 'req', { listVersion: 1, updateType: 'Full', localAuthorizationList: [null] }],
    ['a list for a payload', Authorize, 'req', [1]],
    ['a text for an object', Authorize, 'conf', { idTagInfo: 'Accepted' }],
    ['a text for the interval', BootNotification, 'conf', { ...boot, interval: '300' }],
  ])('leaves %s for the shape to refuse', (_, operation, side, payload) => {
    expect(repair(operation, side, payload)).toEqual({ payload, repairs: [] });
    expect(validate(operation[side], payload).ok).toBe(false);
  });

  it('leaves times of any offset and any number of digits as they are', () => {
    for (const time of ['2026-11-23T10:00:00.123456789+01:00', '2026-11-23T10:00:00-0800']) {
      const payload = { currentTime: time };
      expect(repair(Heartbeat, 'conf', payload).payload).toBe(payload);
    }
  });

  it('drops null for a required member, which is then answered as missing', () => {
    const { payload } = repair(Authorize, 'req', { idTag: null });
    expect(validate(Authorize.req, payload)).toMatchObject({ code: 'OccurenceConstraintViolation' });
  });

  it('reports a bounded number of bounded lines, but drops everything unknown', () => {
    const flood = Object.fromEntries(Array.from({ length: 10_000 }, (_, n) => [`${'x'.repeat(500)}${n}`, n]));
    const { payload, repairs } = repair(Authorize, 'req', { ...flood, idTag: 'ABC' });
    expect(payload).toEqual({ idTag: 'ABC' });
    expect(repairs.length).toBeLessThanOrEqual(20);
    expect(Math.max(...repairs.map((line) => line.length))).toBeLessThanOrEqual(120);
  });

  it('does not descend into what it does not know, however deep that is', () => {
    const deep = json(`{"idTag":"ABC","x":${'['.repeat(100_000)}${']'.repeat(100_000)}}`);
    expect(repair(Authorize, 'req', deep).payload).toEqual({ idTag: 'ABC' });
  });
});

/** The strict shapes and the official schemas must agree on every payload, for all 78 messages. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OPERATIONS } from '../../../src/ocpp/messages/all.ts';
import { repair } from '../../../src/ocpp/tolerance.ts';
import { validate } from '../../../src/ocpp/validate.ts';
import { compiled, OFFICIAL_NAMES, officialSchema } from './official.ts';
import { changed, valid } from './payloads.ts';

const RUNS = 250;
/** Another seed may be given, to search further or to replay: OCPP_SEED=7 npx vitest run test/ocpp/messages */
const SEED = Number(process.env['OCPP_SEED'] ?? 20_161);

const MESSAGES = OPERATIONS.flatMap(({ operation }) =>
  (['req', 'conf'] as const).map((side) => ({
    name: `${operation.action}.${side}`,
    operation,
    side,
    shape: operation[side],
    schema: officialSchema(operation.action, side),
  })),
);

interface Disagreement {
  readonly reason: string;
  readonly concerns: (value: unknown) => boolean;
  readonly example: { readonly message: string; readonly payload: unknown; readonly ours: boolean };
}

/** Where we differ on purpose: everything else must agree. */
const KEPT: { readonly [name: string]: Disagreement } = {
  'a Date is no object': {
    reason:
      'ajv takes any JavaScript object without members of its own for {}; a Date of ours on its way out is a mistake',
    concerns: (value) => value instanceof Date,
    example: { message: 'Heartbeat.req', payload: new Date(0), ours: false },
  },
  'an hour ends at 59 minutes and a day at 23 hours': {
    reason:
      'ajv-formats forgets these bounds where the offset leads to 23:59 UTC, because it looks for leap seconds there',
    concerns: (value) => typeof value === 'string' && /^[\d-]+[t\s](2[4-9]|[3-9]\d|\d\d:[6-9])/i.test(value),
    example: { message: 'Heartbeat.conf', payload: { currentTime: '2026-11-23T24:00:00+00:01' }, ours: false },
  },
  'an IPv6 address is not checked': {
    reason: 'whoever connects finds out; 900 characters of grammar would only say it sooner',
    concerns: (value) => typeof value === 'string' && value.includes('/[') && !value.includes('[::1]'),
    example: { message: 'GetDiagnostics.req', payload: { location: 'ftp://[1:2]/' }, ours: true },
  },
};

function contains(payload: unknown, concerns: (value: unknown) => boolean): boolean {
  if (concerns(payload)) return true;
  return typeof payload === 'object' && payload !== null && Object.values(payload).some((v) => contains(v, concerns));
}

const isKept = (payload: unknown): boolean => Object.values(KEPT).some(({ concerns }) => contains(payload, concerns));

describe('the shapes of OCPP 1.6 and its security whitepaper', () => {
  it('are one for each official schema', () => {
    const ours = MESSAGES.map(({ operation, side }) => `${operation.action}${side === 'req' ? 'Request' : 'Response'}`);
    expect([...ours].sort()).toEqual([...OFFICIAL_NAMES].sort());
    expect(ours).toHaveLength(78);
  });

  it.each(MESSAGES)('agree with the official schema: $name', ({ operation, side, shape, schema }) => {
    const official = compiled(schema);
    const options = { numRuns: RUNS, seed: SEED };
    fc.assert(
      fc.property(valid(schema), (payload) => {
        expect(official(payload)).toBe(true);
        expect(validate(shape, payload)).toEqual({ ok: true, value: payload });
        expect(repair(operation, side, payload)).toEqual({ payload, repairs: [] });
      }),
      options,
    );
    fc.assert(
      fc.property(changed(schema), (payload) => {
        if (!isKept(payload)) expect(validate(shape, payload).ok).toBe(official(payload));
      }),
      options,
    );
  });

  it.each(Object.entries(KEPT))('differ from the official schema on purpose: %s', (_, { concerns, example }) => {
    const message = MESSAGES.find(({ name }) => name === example.message);
    expect(message && validate(message.shape, example.payload).ok).toBe(example.ours);
    expect(message && compiled(message.schema)(example.payload)).toBe(!example.ours);
    expect(contains(example.payload, concerns)).toBe(true);
  });
});

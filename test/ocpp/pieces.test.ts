/** A long list taken in piece by piece gives what the whole would have given: the same value, the same repairs, the same violation. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SendLocalList } from '../../src/ocpp/messages/local-auth-list/send-local-list.ts';
import { SetChargingProfile } from '../../src/ocpp/messages/smart-charging/set-charging-profile.ts';
import type { AnyOperation } from '../../src/ocpp/operation.ts';
import { longestList, PIECE, validateInPieces } from '../../src/ocpp/pieces.ts';
import { repair } from '../../src/ocpp/tolerance.ts';
import { validate } from '../../src/ocpp/validate.ts';

const list = SendLocalList as unknown as AnyOperation;
const profile = SetChargingProfile as unknown as AnyOperation;

const whole = ({ req }: AnyOperation, repaired: unknown) => validate(req, repaired);

async function inPieces(operation: AnyOperation, payload: unknown) {
  const path = longestList(operation.req, payload);
  if (path === undefined) throw new Error('the list fits into one piece');
  const repairs = new Set<string>();
  let turns = 0;
  const result = await validateInPieces(operation.req, payload, path, {
    repaired: (piece) => {
      const made = repair(operation, 'req', piece);
      for (const name of made.repairs) repairs.add(name);
      return made.payload;
    },
    turn: () => {
      turns++;
      return Promise.resolve();
    },
  });
  return { result, repairs: [...repairs].sort(), turns };
}

const good = { idTag: 'TAG', idTagInfo: { status: 'Accepted' } };
const entry = fc.oneof(
  { weight: 30, arbitrary: fc.constant(good) },
  {
    weight: 5,
    arbitrary: fc.constant({ ...good, idTagInfo: { status: 'Accepted', expiryDate: '2027-01-01T00:00:00' } }),
  },
  { weight: 5, arbitrary: fc.constant({ ...good, idTagInfo: null, more: 1 }) },
);
const bad = fc.constantFrom<unknown>(
  {},
  null,
  7,
  [],
  { idTag: 7 },
  { idTag: 'x'.repeat(21) },
  { ...good, idTagInfo: {} },
);
const number = fc.nat({ max: 4 * PIECE });

describe('a payload with a long list', () => {
  it('is taken in as if it had been looked at whole, whatever is wrong with one of its elements', async () => {
    const elements = fc.array(entry, { minLength: PIECE + 1, maxLength: 4 * PIECE });
    const wrong = fc.option(fc.tuple(number, bad), { nil: undefined });
    await fc.assert(
      fc.asyncProperty(elements, wrong, fc.boolean(), async (sent, spoiled, isComplete) => {
        const localAuthorizationList = sent.map((each, index) =>
          spoiled !== undefined && index === spoiled[0] % sent.length ? spoiled[1] : each,
        );
        const payload = { listVersion: 1, localAuthorizationList, ...(isComplete ? { updateType: 'Full' } : {}) };
        const { payload: repaired, repairs } = repair(list, 'req', payload);
        const { result, repairs: named } = await inPieces(list, payload);
        const expected = whole(list, repaired);
        const isSpoiledLate = spoiled !== undefined && spoiled[0] % sent.length >= PIECE;
        // Of two violations the one outside of the list comes first, because the first piece is looked at with all the rest.
        if (!isComplete && isSpoiledLate)
          expect(result).toMatchObject({ ok: false, description: 'updateType: required' });
        else {
          expect(result).toEqual(expected);
          if (result.ok) expect(named).toEqual([...repairs].sort());
        }
      }),
      { numRuns: 300 },
    );
  });

  it('has a turn after each piece, and none after the last', async () => {
    const entries = (count: number) => ({
      listVersion: 1,
      updateType: 'Full',
      localAuthorizationList: Array.from({ length: count }, () => good),
    });
    expect(longestList(list.req, entries(PIECE))).toBeUndefined();
    expect((await inPieces(list, entries(PIECE + 1))).turns).toBe(1);
    expect((await inPieces(list, entries(500))).turns).toBe(500 / PIECE - 1);
  });

  it('may have it deep inside', async () => {
    const chargingSchedulePeriod = Array.from({ length: 100 }, (_, index) => ({ startPeriod: index * 60, limit: 16 }));
    const payload = (periods: readonly unknown[]) => ({
      connectorId: 1,
      csChargingProfiles: {
        chargingProfileId: 1,
        stackLevel: 0,
        chargingProfilePurpose: 'TxProfile',
        chargingProfileKind: 'Relative',
        chargingSchedule: { chargingRateUnit: 'A', chargingSchedulePeriod: periods },
      },
    });
    expect((await inPieces(profile, payload(chargingSchedulePeriod))).result).toEqual({
      ok: true,
      value: payload(chargingSchedulePeriod),
    });
    const spoiled = chargingSchedulePeriod.with(77, { startPeriod: 1.5, limit: 16 });
    const { result } = await inPieces(profile, payload(spoiled));
    expect(result).toEqual(whole(profile, payload(spoiled)));
    expect(result).toMatchObject({ code: 'TypeConstraintViolation' });
    expect(JSON.stringify(result)).toContain('chargingSchedulePeriod.77.startPeriod');
  });
});

/** What is installed, replaced, cleared and ended (OCPP 1.6 sections 3.13.1, 3.13.2, 5.5 and 5.16). */
import { describe, expect, it } from 'vitest';
import {
  type ClearCriteria,
  type Clearing,
  clear,
  endTransaction,
  forRemoteStart,
  type Installation,
  install,
  type ProfileBook,
} from '../../../src/core/smart-charging/book.ts';
import type { ChargingProfile, ChargingProfilePurpose } from '../../../src/core/smart-charging/profile.ts';
import { DEFAULT_PROFILE_LIMITS } from '../../../src/core/smart-charging/validation.ts';
import { bookOf, MIDNIGHT, profile, schedule } from './builders.ts';

const MAX = { chargingProfilePurpose: 'ChargePointMaxProfile' } as const;
const TX = { chargingProfilePurpose: 'TxProfile' } as const;
const RUNNING = { now: MIDNIGHT, transaction: { startedAt: MIDNIGHT, transactionId: 7 } };

const idsIn = (book: ProfileBook): number[] => book.map(({ profile }) => profile.chargingProfileId);
const outcome = (installation: Installation) =>
  installation.ok
    ? { book: idsIn(installation.book), replaced: idsIn(installation.replaced) }
    : { refused: installation.reason };

describe('SetChargingProfile: where a profile belongs (3.13.1)', () => {
  it.each<[string, number, Partial<ChargingProfile>, Partial<typeof RUNNING>, string | undefined]>([
    ['ChargePointMaxProfile on 0', 0, MAX, {}, undefined],
    ['ChargePointMaxProfile on 1', 1, MAX, {}, 'a ChargePointMaxProfile belongs on connector 0'],
    ['TxDefaultProfile on 0', 0, {}, {}, undefined],
    ['TxDefaultProfile on 1', 1, {}, {}, undefined],
    ['TxProfile on 0', 0, TX, RUNNING, 'a TxProfile belongs on one connector'],
    ['TxProfile on 1 in a transaction', 1, TX, RUNNING, undefined],
    ['TxProfile with its transactionId', 1, { ...TX, transactionId: 7 }, RUNNING, undefined],
    [
      'TxProfile with another transactionId',
      1,
      { ...TX, transactionId: 8 },
      RUNNING,
      'transaction 8 does not run on connector 1',
    ],
    [
      'TxProfile with an id before the id is known',
      1,
      { ...TX, transactionId: 7 },
      { transaction: { startedAt: 0 } as typeof RUNNING.transaction },
      'transaction 7 does not run on connector 1',
    ],
    ['TxProfile without a transaction', 1, TX, {}, 'no transaction runs on connector 1'],
    ['a profile that is unsound', 1, { stackLevel: -1 }, {}, 'stackLevel is below 0'],
  ])('%s', (_what, connectorId, rest, circumstances, reason) => {
    const installed = install([], connectorId, profile(1, rest), { now: MIDNIGHT, ...circumstances });
    expect(outcome(installed)).toEqual(reason === undefined ? { book: [1], replaced: [] } : { refused: reason });
  });
});

describe('SetChargingProfile: what it replaces (3.13.2, 5.16.3)', () => {
  const book = bookOf([
    [0, profile(1, MAX)],
    [0, profile(2)],
    [1, profile(3)],
    [1, profile(4, { stackLevel: 1 })],
    [1, profile(5, TX)],
    [2, profile(6, TX)],
  ]);
  it.each<[string, number, ChargingProfile, number[], number[]]>([
    ['another level is added', 1, profile(9, { stackLevel: 2 }), [1, 2, 3, 4, 5, 6, 9], []],
    ['the same purpose and level on the connector', 1, profile(9), [1, 2, 4, 5, 6, 9], [3]],
    ['the same on connector 0 leaves the connectors', 0, profile(9), [1, 3, 4, 5, 6, 9], [2]],
    ['the same on another connector leaves connector 0', 2, profile(9), [1, 2, 3, 4, 5, 6, 9], []],
    ['the same id on the same connector, at another level', 1, profile(3, { stackLevel: 7 }), [1, 2, 4, 5, 6, 3], [3]],
    ['the same id anywhere, whatever it was', 2, profile(1), [2, 3, 4, 5, 6, 1], [1]],
    ['by id and by level, two at once', 1, profile(3, { stackLevel: 1 }), [1, 2, 5, 6, 3], [3, 4]],
    ['a TxProfile at the level of another purpose', 1, profile(9, { ...TX, stackLevel: 1 }), [1, 2, 3, 4, 5, 6, 9], []],
    ['a TxProfile of this connector only', 2, profile(9, TX), [1, 2, 3, 4, 5, 9], [6]],
    ['a ChargePointMaxProfile', 0, profile(9, MAX), [2, 3, 4, 5, 6, 9], [1]],
  ])('%s', (_what, connectorId, added, kept, replaced) => {
    expect(outcome(install(book, connectorId, added, RUNNING))).toEqual({ book: kept, replaced });
  });
  it('leaves the book that it was given as it was', () => {
    const before = JSON.stringify(book);
    install(book, 1, profile(3), RUNNING);
    clear(book, {});
    expect(JSON.stringify(book)).toBe(before);
  });
  it('is refused when MaxChargingProfilesInstalled is reached, unless it replaces one', () => {
    const full = { ...RUNNING, limits: { ...DEFAULT_PROFILE_LIMITS, maxChargingProfilesInstalled: 6 } };
    expect(outcome(install(book, 1, profile(9, { stackLevel: 2 }), full))).toEqual({
      refused: 'MaxChargingProfilesInstalled is reached',
    });
    expect(outcome(install(book, 1, profile(9), full))).toMatchObject({ replaced: [3] });
  });
});

describe('a profile in RemoteStartTransaction (5.16.2)', () => {
  it('loses its transactionId, which can mean nothing yet', () => {
    const { transactionId: _, ...bare } = profile(1, TX);
    expect(forRemoteStart(profile(1, { ...TX, transactionId: 5 }))).toStrictEqual({ ok: true, profile: bare });
  });
  it.each(['TxDefaultProfile', 'ChargePointMaxProfile'] as const)('is refused as a %s', (chargingProfilePurpose) => {
    expect(forRemoteStart(profile(1, { chargingProfilePurpose }))).toEqual({
      ok: false,
      reason: 'the profile of a remote start must be a TxProfile',
    });
  });
  it('is refused if it is unsound', () => {
    const unsound = profile(1, { ...TX, chargingSchedule: schedule([]) });
    expect(forRemoteStart(unsound)).toEqual({ ok: false, reason: 'there is no period' });
  });
  it('is replaced by one of the same stackLevel that names the transaction', () => {
    const first = forRemoteStart(profile(1, TX));
    const book = first.ok ? bookOf([[1, first.profile]]) : [];
    expect(outcome(install(book, 1, profile(2, { ...TX, transactionId: 7 }), RUNNING))).toEqual({
      book: [2],
      replaced: [1],
    });
  });
});

describe('ClearChargingProfile (5.5, errata 3.25 and 3.26)', () => {
  const book = bookOf([
    [0, profile(1, MAX)],
    [0, profile(2)],
    [1, profile(3)],
    [1, profile(4, { stackLevel: 1 })],
    [1, profile(5, TX)],
    [2, profile(6, { ...TX, stackLevel: 1 })],
  ]);
  const clearedIds = ({ cleared }: Clearing): number[] => idsIn(cleared);

  it.each<[ClearCriteria, number[]]>([
    [{}, [1, 2, 3, 4, 5, 6]],
    [{ id: 4 }, [4]],
    [{ id: 99 }, []],
    [{ id: 4, connectorId: 2, chargingProfilePurpose: 'TxProfile', stackLevel: 9 }, [4]],
    [{ connectorId: 0 }, [1, 2]],
    [{ connectorId: 1 }, [3, 4, 5]],
    [{ connectorId: 9 }, []],
    [{ chargingProfilePurpose: 'TxDefaultProfile' }, [2, 3, 4]],
    [{ stackLevel: 1 }, [4, 6]],
    [{ connectorId: 1, chargingProfilePurpose: 'TxDefaultProfile' }, [3, 4]],
    [{ connectorId: 1, stackLevel: 0 }, [3, 5]],
    [{ chargingProfilePurpose: 'TxProfile', stackLevel: 1 }, [6]],
    [{ connectorId: 1, chargingProfilePurpose: 'TxDefaultProfile', stackLevel: 1 }, [4]],
    [{ connectorId: 2, chargingProfilePurpose: 'TxDefaultProfile', stackLevel: 1 }, []],
  ])('%j clears %j', (criteria, ids) => {
    const clearing = clear(book, criteria);
    expect(clearedIds(clearing)).toEqual(ids);
    expect(idsIn(clearing.book)).toEqual([1, 2, 3, 4, 5, 6].filter((id) => !ids.includes(id)));
  });

  it('clears for every combination of criteria exactly what matches all of them', () => {
    const purposes: ChargingProfilePurpose[] = ['ChargePointMaxProfile', 'TxDefaultProfile', 'TxProfile'];
    for (const connectorId of [undefined, 0, 1, 2])
      for (const chargingProfilePurpose of [undefined, ...purposes])
        for (const stackLevel of [undefined, 0, 1]) {
          const criteria = JSON.parse(JSON.stringify({ connectorId, chargingProfilePurpose, stackLevel }));
          const matching = book.filter((each) =>
            Object.entries(criteria).every(
              ([name, value]) => ({ ...each, ...each.profile })[name as 'connectorId'] === value,
            ),
          );
          expect(clearedIds(clear(book, criteria)), JSON.stringify(criteria)).toEqual(idsIn(matching));
        }
  });

  it('removes the TxProfiles of a connector when its transaction ends, and nothing else', () => {
    expect(clearedIds(endTransaction(book, 1))).toEqual([5]);
    expect(idsIn(endTransaction(book, 2).book)).toEqual([1, 2, 3, 4, 5]);
  });
});

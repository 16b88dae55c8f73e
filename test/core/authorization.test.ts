/** Who may charge: the whole decision table of OCPP 1.6 section 3.5, row by row. */
import { describe, expect, it } from 'vitest';
import {
  type AuthorizationRules,
  type IdTagEntry,
  isSameGroup,
  isSameIdTag,
  type Known,
  offlineVerdict,
  preAuthorized,
  statusAt,
} from '../../src/core/authorization.ts';

const NOW = 1_000_000;
const good: IdTagEntry = { status: 'Accepted' };
const goodUntilNow: IdTagEntry = { status: 'Accepted', expiresAt: NOW };
const goodStill: IdTagEntry = { status: 'Accepted', expiresAt: NOW + 1 };
const blocked: IdTagEntry = { status: 'Blocked' };
const concurrent: IdTagEntry = { status: 'ConcurrentTx' };

const known = (listed?: IdTagEntry, cached?: IdTagEntry): Known => ({ listed, cached });

/** P LocalPreAuthorize, O LocalAuthorizeOffline, U AllowOfflineTxForUnknownId. */
const rules = (letters: string): AuthorizationRules => ({
  localPreAuthorize: letters.includes('P'),
  localAuthorizeOffline: letters.includes('O'),
  allowOfflineTxForUnknownId: letters.includes('U'),
});

describe('online, before the central system is asked', () => {
  it.each([
    ['nothing', known(), 'POU', undefined],
    ['an accepted entry of the list', known(good), 'P', 'localList'],
    ['an accepted entry of the cache', known(undefined, good), 'P', 'cache'],
    ['both: the list speaks', known(good, blocked), 'P', 'localList'],
    ['both: the list forbids', known(blocked, good), 'P', undefined],
    ['an entry that is valid for another millisecond', known(undefined, goodStill), 'P', 'cache'],
    ['an entry that expires now', known(undefined, goodUntilNow), 'P', undefined],
    ['an expired entry of the list over a good one of the cache', known(goodUntilNow, good), 'P', undefined],
    ['a blocked entry', known(undefined, blocked), 'P', undefined],
    ['an idTag that charges elsewhere', known(concurrent), 'P', undefined],
    ['an accepted entry without LocalPreAuthorize', known(good, good), 'OU', undefined],
  ])('%s', (_, entries, letters, by) => {
    expect(preAuthorized(entries, rules(letters), NOW)?.by).toBe(by);
  });
});

describe('offline', () => {
  it.each([
    ['unknown', known(), 'PO', false, 'Invalid', 'nobody'],
    ['unknown, but all may', known(), 'U', true, 'Accepted', 'nobody'],
    ['listed', known(good), 'O', true, 'Accepted', 'localList'],
    ['listed, LocalAuthorizeOffline off', known(good), 'P', false, 'Invalid', 'nobody'],
    ['listed, LocalAuthorizeOffline off, but all may', known(good), 'U', true, 'Accepted', 'nobody'],
    ['listed and blocked, though all may', known(blocked), 'OU', false, 'Blocked', 'localList'],
    ['listed and blocked, though cached', known(blocked, good), 'OU', false, 'Blocked', 'localList'],
    ['listed, though blocked in the cache', known(good, blocked), 'O', true, 'Accepted', 'localList'],
    ['listed and expired by now, though all may', known(goodUntilNow), 'OU', false, 'Expired', 'localList'],
    ['listed as ConcurrentTx', known(concurrent), 'OU', false, 'ConcurrentTx', 'localList'],
    ['cached', known(undefined, goodStill), 'O', true, 'Accepted', 'cache'],
    ['cached and expired by now, though all may', known(undefined, goodUntilNow), 'OU', false, 'Expired', 'cache'],
    ['cached and blocked, LocalAuthorizeOffline off', known(undefined, blocked), 'U', false, 'Blocked', 'cache'],
  ])('%s', (_, entries, letters, accepted, status, by) => {
    expect(offlineVerdict(entries, rules(letters), NOW)).toEqual({ accepted, status, by });
  });

  it('tells the group that it knows', () => {
    const entry: IdTagEntry = { status: 'Accepted', parentIdTag: 'FAMILY' };
    expect(offlineVerdict(known(entry), rules('O'), NOW).parentIdTag).toBe('FAMILY');
    expect(preAuthorized(known(undefined, entry), rules('P'), NOW)?.parentIdTag).toBe('FAMILY');
  });
});

describe('idTags', () => {
  it('are the same whatever their case (section 7.28)', () => {
    expect(isSameIdTag('aBc', 'AbC')).toBe(true);
    expect(isSameIdTag('ABC', 'ABCD')).toBe(false);
  });

  it('are of a group only if both have a parent', () => {
    expect(isSameGroup('f', 'F')).toBe(true);
    expect(isSameGroup(undefined, undefined)).toBe(false);
    expect(isSameGroup('F', undefined)).toBe(false);
  });

  it('that were not valid before do not become Expired', () => {
    expect(statusAt({ status: 'Blocked', expiresAt: 0 }, NOW)).toBe('Blocked');
  });
});

/** The authority: whom it asks, what it learns, and what it does when nobody answers properly. */
import { describe, expect, it } from 'vitest';
import type { IdTagEntry } from '../../../src/core/authorization.ts';
import { CallFailure, type CallFailureCode } from '../../../src/errors.ts';
import { CentralAuthority } from '../../../src/features/authorization/authority.ts';
import { AuthorizationCache } from '../../../src/features/authorization/cache.ts';
import type { Call, LocalAuthList, Settings } from '../../../src/features/feature.ts';
import type { AnyKey } from '../../../src/features/keys.ts';
import type { IdTagInfo } from '../../../src/ocpp/messages/types/authorization.ts';
import { MemoryDisk } from '../../sim/memory-store.ts';
import { seconds, VirtualClock } from '../../sim/virtual-clock.ts';
import { silentLog } from '../../sim/world.ts';

interface Scene {
  readonly keys?: Readonly<Record<string, boolean>>;
  readonly online?: boolean;
  readonly listed?: Readonly<Record<string, IdTagEntry>>;
  /** What each Authorize comes to, in order; the last one stays. */
  readonly answers?: readonly (IdTagInfo | CallFailureCode)[];
}

function stage({ keys = {}, online = true, listed = {}, answers = [{ status: 'Accepted' }] }: Scene) {
  const clock = new VirtualClock();
  const values = new Map<string, boolean>(Object.entries(keys));
  const onChange = new Set<(name: string) => void>();
  const onList = new Set<() => void>();
  const asked: string[] = [];
  let late: ((confirmation: never) => void) | undefined;
  const settings = {
    get: ({ name, initial }: AnyKey) => values.get(name) ?? initial,
    onChange: (listener: (name: string) => void) => {
      onChange.add(listener);
      return () => onChange.delete(listener);
    },
  } as unknown as Settings;
  const localList: LocalAuthList = {
    version: 1,
    find: (idTag) => listed[idTag.toUpperCase()],
    update: () => Promise.resolve('Failed'),
    onChange: (listener) => {
      onList.add(listener);
      return () => onList.delete(listener);
    },
  };
  const call = ((_: unknown, { idTag }: { idTag: string }, options: { onLate: typeof late }) => {
    late = options.onLate;
    const answer = answers[Math.min(asked.length, answers.length - 1)] ?? 'timeout';
    asked.push(idTag);
    return typeof answer === 'string'
      ? Promise.reject(new CallFailure(answer, answer))
      : Promise.resolve({ idTagInfo: answer });
  }) as unknown as Call;
  const cache = new AuthorizationCache({ store: new MemoryDisk().open(), clock, log: silentLog });
  const options = { clock, log: silentLog, settings, cache, localList, isOnline: () => online, call };
  const authority = new CentralAuthority(options);
  const conflicts: string[] = [];
  authority.onConflict((idTag) => conflicts.push(idTag));
  return {
    authority,
    cache,
    clock,
    asked,
    conflicts,
    listChanged: () => onList.forEach((listener) => void listener()),
    set: (name: string, value: boolean) => {
      values.set(name, value);
      for (const listener of onChange) listener(name);
    },
    answerLate: (idTagInfo: IdTagInfo) => late?.({ idTagInfo } as never),
  };
}

const PRE = { LocalPreAuthorize: true };
const good: IdTagEntry = { status: 'Accepted' };

describe('a verdict', () => {
  it.each<[string, Scene, readonly string[], object]>([
    ['comes from the central system', {}, ['abc'], { accepted: true, by: 'centralSystem' }],
    ['may be a refusal', { answers: [{ status: 'Blocked' }] }, ['abc'], { accepted: false, status: 'Blocked' }],
    [
      'tells the group',
      { answers: [{ status: 'Accepted', parentIdTag: 'F' }] },
      ['abc'],
      { accepted: true, parentIdTag: 'F' },
    ],
    ['needs no question with LocalPreAuthorize', { keys: PRE, listed: { ABC: good } }, [], { by: 'localList' }],
    ['needs one without', { listed: { ABC: good } }, ['abc'], { by: 'centralSystem' }],
    [
      'of the central system goes before a list that forbids',
      { keys: PRE, listed: { ABC: { status: 'Blocked' } } },
      ['abc'],
      { accepted: true, by: 'centralSystem' },
    ],
    ['comes from the list offline', { online: false, listed: { ABC: good } }, [], { accepted: true, by: 'localList' }],
    ['is a refusal offline for the unknown', { online: false }, [], { accepted: false, by: 'nobody' }],
    [
      'comes from the list when the link is lost meanwhile',
      { answers: ['disconnected'], listed: { ABC: good } },
      ['abc'],
      { accepted: true, by: 'localList' },
    ],
    [
      'comes from the list when nobody answers',
      { answers: ['timeout'], listed: { ABC: good } },
      ['abc'],
      { accepted: true, by: 'localList' },
    ],
    [
      'is a refusal when the answer makes no sense, whatever is known',
      { answers: ['badReply'], listed: { ABC: good } },
      ['abc'],
      { accepted: false, by: 'nobody' },
    ],
  ])('%s', async (_, scene, asked, verdict) => {
    const { authority, asked: actual } = stage(scene);
    expect(await authority.verdict('abc')).toMatchObject(verdict);
    expect(actual).toEqual(asked);
  });

  it('is asked for again after a CALLERROR, 300 ms and another second later, and then as if there were no link', async () => {
    const { authority, asked, clock } = stage({ answers: ['callError'], keys: { AllowOfflineTxForUnknownId: true } });
    const verdict = authority.verdict('abc');
    await clock.advance(299);
    expect(asked).toHaveLength(1);
    await clock.advance(1);
    expect(asked).toHaveLength(2);
    await clock.advance(999);
    expect(asked).toHaveLength(2);
    await clock.advance(1);
    expect(asked).toHaveLength(3);
    await clock.advance(seconds(60));
    expect(await verdict).toMatchObject({ accepted: true, by: 'nobody' });
    expect(asked).toHaveLength(3);
  });
});

describe('what is learnt', () => {
  const inCache = async (scene: Scene, info: IdTagInfo): Promise<IdTagEntry | undefined> => {
    const { authority, cache } = stage(scene);
    authority.learn('abc', info);
    return cache.find('ABC');
  };

  it('goes into the cache, with the moment at which it ends', async () => {
    const info = { status: 'Accepted', parentIdTag: 'F', expiryDate: '1970-01-01T00:00:01Z' } as const;
    expect(await inCache({}, info)).toMatchObject({ status: 'Accepted', parentIdTag: 'F', expiresAt: 1000 });
  });

  it('goes nowhere while the cache is disabled, or if the idTag is on the list', async () => {
    expect(await inCache({ keys: { AuthorizationCacheEnabled: false } }, { status: 'Accepted' })).toBeUndefined();
    expect(await inCache({ listed: { ABC: good } }, { status: 'Accepted' })).toBeUndefined();
  });

  it('includes an Authorize.conf, even one that comes too late', async () => {
    const { authority, cache, answerLate } = stage({ answers: [{ status: 'Accepted' }] });
    await authority.verdict('abc');
    expect(cache.find('abc')).toMatchObject({ status: 'Accepted' });
    answerLate({ status: 'Blocked' });
    expect(cache.find('abc')).toMatchObject({ status: 'Blocked' });
  });

  it('is forgotten when the cache is disabled, and for what comes onto the list', async () => {
    const listed: Record<string, IdTagEntry> = {};
    const { authority, cache, clock, set, listChanged } = stage({ listed });
    authority.learn('A', { status: 'Accepted' });
    authority.learn('B', { status: 'Accepted' });
    listed['A'] = good;
    listChanged();
    expect(cache.find('A')).toBeUndefined();
    expect(cache.find('B')).toBeDefined();
    set('AuthorizationCacheEnabled', false);
    await clock.advance(0);
    expect(cache.size).toBe(0);
  });

  it('does not count while the cache is disabled, should it still be there', async () => {
    const { authority, cache } = stage({ keys: { AuthorizationCacheEnabled: false }, online: false });
    cache.learn('abc', good);
    expect(await authority.verdict('abc')).toMatchObject({ accepted: false, by: 'nobody' });
  });

  it.each<[IdTagEntry, IdTagInfo['status'], boolean]>([
    [good, 'Accepted', false],
    [good, 'ConcurrentTx', false],
    [good, 'Invalid', true],
    [{ status: 'Accepted', expiresAt: 0 }, 'Accepted', true],
    [{ status: 'Accepted', expiresAt: 0 }, 'Expired', false],
    [{ status: 'Blocked' }, 'Invalid', false],
    [{ status: 'Blocked' }, 'Accepted', true],
  ])('%j on the list and %s of the central system: conflict %s', (entry, status, isConflict) => {
    const { authority, conflicts } = stage({ listed: { ABC: entry } });
    authority.learn('ABC', { status });
    expect(conflicts).toEqual(isConflict ? ['ABC'] : []);
  });
});

/** The authorization cache: what is kept, what goes first, what a restart finds. */
import { describe, expect, it } from 'vitest';
import { AuthorizationCache } from '../../../src/features/authorization/cache.ts';
import { MemoryDisk } from '../../sim/memory-store.ts';
import { settle, VirtualClock } from '../../sim/virtual-clock.ts';
import { silentLog } from '../../sim/world.ts';

async function opened(disk = new MemoryDisk(), capacity = 3, clock = new VirtualClock()): Promise<AuthorizationCache> {
  const cache = new AuthorizationCache({ store: disk.open(), clock, log: silentLog, capacity });
  await cache.open();
  return cache;
}

const ACCEPTED = { status: 'Accepted' } as const;
const held = (cache: AuthorizationCache, ...idTags: string[]) =>
  idTags.filter((idTag) => cache.find(idTag) !== undefined);

describe('the authorization cache (OCPP 1.6 section 3.5.1)', () => {
  it('holds the latest word, whatever the case of the idTag', async () => {
    const cache = await opened();
    cache.learn('abc', ACCEPTED);
    cache.learn('ABC', { status: 'Blocked', parentIdTag: 'F', expiresAt: 5 });
    expect(cache.find('Abc')).toMatchObject({ status: 'Blocked', parentIdTag: 'F', expiresAt: 5 });
    expect(cache.size).toBe(1);
  });

  it('makes room by forgetting the one that was not used for longest', async () => {
    const cache = await opened();
    for (const idTag of ['A', 'B', 'C']) cache.learn(idTag, ACCEPTED);
    cache.find('A');
    cache.learn('D', ACCEPTED);
    expect(held(cache, 'A', 'B', 'C', 'D')).toEqual(['A', 'C', 'D']);
  });

  it('makes room by forgetting all that is not valid before anything that is', async () => {
    const clock = new VirtualClock();
    const cache = await opened(undefined, 3, clock);
    cache.learn('OLDEST', ACCEPTED);
    cache.learn('BLOCKED', { status: 'Blocked' });
    cache.learn('EXPIRED', { status: 'Accepted', expiresAt: clock.wall(0) });
    cache.learn('NEW', ACCEPTED);
    expect(held(cache, 'OLDEST', 'BLOCKED', 'EXPIRED', 'NEW')).toEqual(['OLDEST', 'NEW']);
  });

  it('makes no room for what it holds already', async () => {
    const cache = await opened();
    for (const idTag of ['A', 'B', 'C', 'c']) cache.learn(idTag, ACCEPTED);
    expect(held(cache, 'A', 'B', 'C')).toHaveLength(3);
  });

  it('survives a restart, with the age of its entries', async () => {
    const disk = new MemoryDisk();
    const cache = await opened(disk);
    for (const idTag of ['A', 'B', 'C', 'A', 'X']) cache.learn(idTag, ACCEPTED);
    await settle();
    await disk.kill();
    const again = await opened(disk);
    expect(again.size).toBe(3);
    again.learn('Y', ACCEPTED);
    await settle();
    await disk.kill();
    const third = await opened(disk);
    third.learn('Z', ACCEPTED);
    expect(held(third, 'A', 'B', 'C', 'X', 'Y', 'Z')).toEqual(['X', 'Y', 'Z']);
  });

  it('is empty after a clear that succeeded, and as it was after one that failed', async () => {
    const disk = new MemoryDisk();
    const cache = await opened(disk);
    cache.learn('A', ACCEPTED);
    await settle();
    disk.failWrites(true);
    await expect(cache.clear()).rejects.toMatchObject({ code: 'storeBroken' });
    expect(held(cache, 'A')).toEqual(['A']);
    disk.failWrites(false);
    await cache.clear();
    expect(cache.size).toBe(0);
    await disk.powerCut();
    expect((await opened(disk)).size).toBe(0);
  });

  it('keeps what it learns while it is being cleared', async () => {
    const disk = new MemoryDisk();
    const cache = await opened(disk);
    cache.learn('A', ACCEPTED);
    const cleared = cache.clear();
    cache.learn('A', { status: 'Blocked' });
    await cleared;
    expect(cache.find('A')).toMatchObject({ status: 'Blocked' });
    await settle();
    await disk.kill();
    expect((await opened(disk)).find('A')).toMatchObject({ status: 'Blocked' });
  });

  it('goes on in memory while the store fails', async () => {
    const disk = new MemoryDisk();
    const cache = await opened(disk);
    disk.failWrites(true);
    cache.learn('A', ACCEPTED);
    await settle();
    expect(held(cache, 'A')).toEqual(['A']);
  });
});

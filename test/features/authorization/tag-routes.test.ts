/** `GET /tags` of a running agent: what was presented, what it became, and who knows it. */
import { describe, expect, it } from 'vitest';
import type { TagRead } from '../../../hal/contract.ts';
import { seconds } from '../../sim/virtual-clock.ts';
import { World } from '../../sim/world.ts';

const UNKNOWN = { localList: null, cache: null };

async function tagsOf(world: World, after?: string): Promise<unknown> {
  const route = world.agent.routes.find(({ path }) => path === '/tags');
  return route?.handle({ query: after === undefined ? {} : { after }, body: undefined });
}

async function withReader() {
  const looks = new Set<(read: TagRead) => void>();
  const reader = {
    name: 'pn532 /dev/ttyAMA0',
    connectors: [1],
    onTag: () => () => {},
    onRead: (look: (read: TagRead) => void) => {
      looks.add(look);
      return () => looks.delete(look);
    },
  };
  const world = await World.start({ furnish: (board) => Object.assign(board, { readers: [reader] }) });
  const read = (what: TagRead): void => {
    for (const look of looks) look(what);
  };
  const tags = (after?: string) => tagsOf(world, after);
  return { world, read, tags, looks };
}

describe('GET /tags', () => {
  it('shows raw and normalised, the readers, and what is newer than a number', async () => {
    const { read, tags } = await withReader();
    read({ raw: '04A1', idTag: 'X04A1' });
    read({ raw: '08A1B2C3', refused: 'this card makes up a new number each time' });
    const place = { reader: 'pn532 /dev/ttyAMA0', connectors: [1] };
    const time = expect.stringMatching(/^2026-01-05T08:00:/);
    const first = { number: 1, time, ...place, raw: '04A1', idTag: 'X04A1', ...UNKNOWN };
    const refused = 'this card makes up a new number each time';
    const second = { number: 2, time, ...place, raw: '08A1B2C3', refused, ...UNKNOWN };
    expect(await tags()).toEqual({ last: 2, readers: [place], tags: [first, second] });
    expect(await tags('1')).toMatchObject({ last: 2, tags: [second] });
    expect(await tags('2')).toMatchObject({ last: 2, tags: [] });
  });

  it('says what cache and local list hold, as of now', async () => {
    const world = await World.start({ keys: { LocalAuthListEnabled: 'true' } });
    world.plugIn();
    world.present('A');
    await world.clock.advance(seconds(5));
    expect(await tagsOf(world)).toMatchObject({ tags: [{ raw: 'A', cache: 'Accepted', localList: null }] });
    const list = [{ idTag: 'a', idTagInfo: { status: 'Blocked' } }];
    await world.central.call('SendLocalList', { listVersion: 1, updateType: 'Full', localAuthorizationList: list });
    expect(await tagsOf(world)).toMatchObject({ tags: [{ raw: 'A', cache: null, localList: 'Blocked' }] });
  });

  it('keeps the last twenty, and none of them in the log', async () => {
    const { world, read, tags } = await withReader();
    for (let number = 100; number < 130; number += 1) read({ raw: `AB${number}`, idTag: `AB${number}` });
    const { tags: kept } = (await tags()) as { tags: readonly { raw: string }[] };
    expect(kept.map(({ raw }) => raw)).toEqual(Array.from({ length: 20 }, (_, index) => `AB${110 + index}`));
    expect(JSON.stringify(world.logged)).not.toContain('AB1');
  });

  it('refuses what is no number', async () => {
    const { tags } = await withReader();
    await expect(tags('x')).rejects.toMatchObject({ code: 'badRequest' });
  });

  it('lets go of the readers when the agent ends', async () => {
    const { world, looks } = await withReader();
    const during = looks.size;
    await Promise.all([world.agent.stop('Reboot'), world.clock.advance(seconds(5))]);
    expect([during, looks.size]).toEqual([2, 0]);
  });
});

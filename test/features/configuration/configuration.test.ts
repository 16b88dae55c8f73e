/** The configuration keys on a disk: what a restart, an edited file and an order to forget make of them. */
import { beforeEach, describe, expect, it } from 'vitest';
import { ControlError } from '../../../src/errors.ts';
import { Configuration } from '../../../src/features/configuration/configuration.ts';
import { keyRoutes } from '../../../src/features/configuration/key-routes.ts';
import { type AnyKey, key, list, seconds } from '../../../src/features/keys.ts';
import { authorizationKey } from '../../../src/features/security/security.keys.ts';
import type { Log } from '../../../src/ports.ts';
import { MemoryDisk } from '../../sim/memory-store.ts';
import { VirtualClock } from '../../sim/virtual-clock.ts';

const interval = key('HeartbeatInterval', seconds(), { default: 300 });
const slow = key('SlowKey', seconds(), { default: 1, rebootRequired: true });
const measurands = key('Measurands', list(['a', 'b']), { default: ['a', 'b'] });
const KEYS: readonly AnyKey[] = [interval, slow, measurands, authorizationKey];

let disk: MemoryDisk;
let said: string[];

beforeEach(() => {
  disk = new MemoryDisk();
});

async function start(presets: Readonly<Record<string, string>> = {}): Promise<Configuration> {
  await disk.powerCut();
  said = [];
  const say = (message: string): void => void said.push(message);
  const log: Log = { debug: say, info: say, warn: say, error: say, child: () => log };
  return Configuration.open({ keys: KEYS, presets, store: disk.open(), clock: new VirtualClock(), log });
}

describe('at the start', () => {
  it('the log says who wins, each time', async () => {
    await (await start({ HeartbeatInterval: '120' })).change('HeartbeatInterval', '60');
    for (let again = 0; again < 2; again++) {
      const settings = await start({ HeartbeatInterval: '120' });
      expect(settings.get(interval)).toBe(60);
      expect(said).toEqual(['HeartbeatInterval: file 120, central system set 60 on 2026-01-05T08:00:00Z (wins)']);
    }
  });

  it('an edited file wins, is said once, and what the central system had set does not come back', async () => {
    await (await start({ HeartbeatInterval: '120' })).change('HeartbeatInterval', '60');
    expect((await start({ HeartbeatInterval: '90' })).get(interval)).toBe(90);
    expect(said).toEqual([expect.stringContaining('file 90, edited since the last start (wins)')]);
    expect((await start({ HeartbeatInterval: '90' })).get(interval)).toBe(90);
    expect(said).toEqual([]);
    expect((await start()).get(interval)).toBe(300);
  });
});

describe('a secret', () => {
  it('is not in the log when its value is of the wrong type, or refused', async () => {
    const settings = await start({ AuthorizationKey: 'canary' });
    settings.narrow(authorizationKey, () => false);
    expect(await settings.change('AuthorizationKey', 'canary-in-the-mine')).toBe('Rejected');
    expect(await settings.change('AuthorizationKey', 'canary')).toBe('Rejected');
    expect(said).toHaveLength(3);
    expect(said.join()).not.toContain('canary');
  });
});

describe('what goes along with a change', () => {
  const along = [{ type: 'put', key: 'other', value: 1 }] as const;

  it('is stored in the same batch, or not at all', async () => {
    const settings = await start();
    settings.along(interval, () => along);
    await settings.change('HeartbeatInterval', '60');
    expect(disk.durableBatches).toBe(1);
    await disk.powerCut();
    expect(await disk.open().get('other')).toBe(1);
  });

  it('goes with a value of our own, which no room has to accept and which stays', async () => {
    const settings = await start();
    settings.narrow(interval, () => false);
    await settings.put(interval, 77, along);
    expect(settings.get(interval)).toBe(77);
    const again = await start();
    expect(again.get(interval)).toBe(77);
    disk.failWrites(true);
    await expect(again.put(interval, 78, [])).rejects.toThrow();
  });
});

describe('forgetting', () => {
  it('one key takes effect at once and survives a restart; names are compared without regard to case', async () => {
    const settings = await start({ HeartbeatInterval: '120' });
    await settings.change('HeartbeatInterval', '60');
    const changed: string[] = [];
    settings.onChange((name) => void changed.push(name));
    expect(await settings.forget('heartbeatinterval')).toEqual({ names: ['HeartbeatInterval'], atNextStart: [] });
    expect(changed).toEqual(['HeartbeatInterval']);
    expect(settings.find('HeartbeatInterval')).toMatchObject({ value: '120', source: 'file' });
    expect((await start({ HeartbeatInterval: '120' })).get(interval)).toBe(120);
  });

  it('all keys leaves what the file and we ourselves say', async () => {
    const settings = await start({ HeartbeatInterval: '120' });
    await settings.change('HeartbeatInterval', '60');
    await settings.change('AuthorizationKey', 'hush-hush-hush-hush');
    settings.adopt(interval, 30);
    expect((await settings.forget()).names).toEqual(['AuthorizationKey', 'HeartbeatInterval']);
    expect(settings.get(interval)).toBe(30);
    expect(settings.find('HeartbeatInterval')?.overrides).toEqual([
      { source: 'file', value: '120' },
      { source: 'default', value: '300' },
    ]);
    expect(settings.get(authorizationKey)).toBe('');
    expect((await start({ HeartbeatInterval: '120' })).effective.map(({ source }) => source)).not.toContain(
      'centralSystem',
    );
  });

  it('waits for the next start where a change does, or where the room would refuse the value below', async () => {
    const settings = await start();
    await settings.change('SlowKey', '5');
    await settings.change('Measurands', 'a');
    settings.narrow(measurands, (items) => !items.includes('b'));
    expect((await settings.forget()).atNextStart.toSorted()).toEqual(['Measurands', 'SlowKey']);
    expect(settings.get(measurands)).toEqual(['a']);
    expect((await start()).get(measurands)).toEqual(['a', 'b']);
  });

  it('changes nothing if the store fails', async () => {
    const settings = await start();
    await settings.change('HeartbeatInterval', '60');
    disk.failWrites(true);
    await expect(settings.forget()).rejects.toMatchObject({ code: 'storeBroken' });
    expect(settings.get(interval)).toBe(60);
  });
});

describe('the routes of the keys', () => {
  const asked = async (settings: Configuration, path: string, body?: unknown): Promise<unknown> =>
    keyRoutes(settings)
      .find((route) => route.path === path)
      ?.handle({ query: {}, body });

  it('tell every key but no secret', async () => {
    const settings = await start({ AuthorizationKey: 'from-the-file-12345' });
    await settings.change('AuthorizationKey', 'hush-hush-hush-hush');
    const answer = JSON.stringify(await asked(settings, '/keys'));
    expect(answer).not.toMatch(/hush|from-the-file/);
    expect(answer).toContain('"***"');
  });

  it('forget one key or all', async () => {
    const settings = await start();
    await settings.change('HeartbeatInterval', '60');
    expect(await asked(settings, '/keys/forget', { key: 'HeartbeatInterval' })).toMatchObject({
      names: ['HeartbeatInterval'],
    });
    expect(await asked(settings, '/keys/forget', { all: true })).toMatchObject({ names: [] });
  });

  it.each([
    undefined,
    null,
    7,
    {},
    { all: false },
    { all: true, key: 'HeartbeatInterval' },
    { key: 1 },
    { key: 'Nope' },
  ])('refuse %j and forget nothing', async (body) => {
    const settings = await start();
    await settings.change('HeartbeatInterval', '60');
    await expect(asked(settings, '/keys/forget', body)).rejects.toBeInstanceOf(ControlError);
    expect(settings.get(interval)).toBe(60);
  });
});

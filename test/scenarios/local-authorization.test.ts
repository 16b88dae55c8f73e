/** What we know ourselves of who may charge, on the wire: the cache and the local list (facts/octt.md), each frame named. */
import { describe, expect, it } from 'vitest';
import {
  cached,
  coil,
  differential,
  entry,
  full,
  plug,
  says,
  send,
  start,
  startSays,
  tag,
  unplug,
  version,
} from '../sim/driver.ts';
import { asking } from '../sim/transcript.ts';
import { minutes, seconds } from '../sim/virtual-clock.ts';

describe('the authorization cache', () => {
  it('TC_007: a cached tag begins without Authorize', async () => {
    const world = await start({ LocalPreAuthorize: 'true' });
    await cached(world, 'ABC');
    expect(await tag(world, 'abc')).toEqual(['0 > StatusNotification 1 Preparing']);
    expect(await plug(world)).toEqual(['0 > StartTransaction 1 abc = Accepted', '1 > StatusNotification 1 Charging']);
  });

  it('TC_007: survives a restart', async () => {
    const world = await start({ LocalPreAuthorize: 'true' });
    await cached(world, 'ABC');
    await world.kill();
    await world.boot();
    await world.clock.advance(seconds(5));
    expect(await tag(world, 'ABC')).toEqual(['0 > StatusNotification 1 Preparing']);
  });

  it('is not believed online without LocalPreAuthorize, and not at all when it is disabled', async () => {
    const world = await start();
    await cached(world, 'ABC');
    expect(await tag(world, 'ABC')).toEqual(['0 > Authorize ABC = Accepted', '0 > StatusNotification 1 Preparing']);
    await tag(world, 'ABC');
    await asking(world, 'ChangeConfiguration', { key: 'AuthorizationCacheEnabled', value: 'false' });
    await asking(world, 'ChangeConfiguration', { key: 'LocalPreAuthorize', value: 'true' });
    expect((await tag(world, 'ABC'))[0]).toBe('0 > Authorize ABC = Accepted');
    await tag(world, 'ABC');
    await asking(world, 'ChangeConfiguration', { key: 'AuthorizationCacheEnabled', value: 'true' });
    expect((await tag(world, 'ABC'))[0]).toBe('0 > Authorize ABC = Accepted');
  });

  it('TC_061: after ClearCache the same tag needs an Authorize again', async () => {
    const world = await start({ LocalPreAuthorize: 'true' });
    await cached(world, 'ABC');
    expect(await asking(world, 'ClearCache')).toEqual(['0 < ClearCache = Accepted']);
    expect(await tag(world, 'ABC')).toEqual(['0 > Authorize ABC = Accepted', '0 > StatusNotification 1 Preparing']);
  });

  it('TC_061: what was cleared stays cleared after a loss of power', async () => {
    const world = await start({ LocalPreAuthorize: 'true' });
    await cached(world, 'ABC');
    // A durable write takes along what was only on its way to the medium.
    await asking(world, 'ChangeConfiguration', { key: 'HeartbeatInterval', value: '0' });
    await asking(world, 'ClearCache');
    await world.powerCut();
    await world.boot();
    await world.clock.advance(seconds(5));
    expect((await tag(world, 'ABC'))[0]).toBe('0 > Authorize ABC = Accepted');
  });

  it('ClearCache is Rejected where there is no cache (errata 3.23) or it cannot be cleared', async () => {
    const world = await start({ AuthorizationCacheEnabled: 'false' });
    expect(await asking(world, 'ClearCache')).toEqual(['0 < ClearCache = Rejected']);
    const broken = await start();
    broken.disk.failWrites(true);
    expect(await asking(broken, 'ClearCache')).toEqual(['0 < ClearCache = Rejected']);
  });

  it('learns from StartTransaction.conf that an idTag is blocked, and asks again for it', async () => {
    const world = await start({ LocalPreAuthorize: 'true' });
    await cached(world, 'ABC');
    startSays(world, 'Blocked');
    await plug(world);
    expect(await tag(world, 'ABC')).toEqual([
      '0 > StartTransaction 1 ABC = Blocked',
      '0 > StatusNotification 1 Finishing',
      '0 > StopTransaction 1 DeAuthorized',
    ]);
    says(world, 'Blocked');
    expect(await tag(world, 'ABC')).toEqual(['0 > Authorize ABC = Blocked']);
    world.network.cut();
    expect(await tag(world, 'ABC')).toEqual([]);
    expect(coil(world)).toBe('open');
  });

  it('learns from StopTransaction.conf', async () => {
    const world = await start({ LocalPreAuthorize: 'true' });
    world.central.answer('StopTransaction', () => ({ idTagInfo: { status: 'Expired' } }));
    await plug(world);
    await tag(world, 'ABC');
    await tag(world, 'ABC');
    await unplug(world);
    expect((await tag(world, 'ABC'))[0]).toBe('0 > Authorize ABC = Accepted');
  });

  it('an entry counts until its expiryDate and not a second longer', async () => {
    const world = await start({ LocalPreAuthorize: 'true', ConnectionTimeOut: '1' });
    const expiryDate = new Date(world.clock.wall(world.clock.now()) + minutes(1)).toISOString();
    says(world, 'Accepted', { expiryDate });
    await tag(world, 'ABC', seconds(59));
    expect((await tag(world, 'ABC', 999))[0]).toBe('0 > StatusNotification 1 Preparing');
    await world.clock.advance(1);
    expect((await tag(world, 'ABC'))[0]).toBe('0 > Authorize ABC = Accepted');
  });
});

describe('the local authorization list', () => {
  it('TC_008: a listed tag begins without Authorize', async () => {
    const world = await start({ LocalPreAuthorize: 'true', AuthorizationCacheEnabled: 'false' });
    expect(await send(world, full(1, entry('ABC')))).toEqual({ status: 'Accepted' });
    expect(await tag(world, 'abc')).toEqual(['0 > StatusNotification 1 Preparing']);
    expect(await plug(world)).toEqual(['0 > StartTransaction 1 abc = Accepted', '1 > StatusNotification 1 Charging']);
  });

  it('TC_042_1: with LocalAuthListEnabled=false there is no version and no update', async () => {
    const world = await start({ LocalAuthListEnabled: 'false' });
    expect(await asking(world, 'GetLocalListVersion')).toEqual(['0 < GetLocalListVersion = -1']);
    expect(await asking(world, 'SendLocalList', full(1, entry('ABC')))).toEqual([
      '0 < SendLocalList Full 1 = NotSupported',
    ]);
  });

  it('TC_042_1, TC_043_1: with the profile off there is none either, and its keys are unknown', async () => {
    const world = await start({ SupportedFeatureProfiles: 'Core' });
    expect(await asking(world, 'GetLocalListVersion')).toEqual(['0 < GetLocalListVersion = -1']);
    expect(await asking(world, 'SendLocalList', full(1, entry('ABC')))).toEqual([
      '0 < SendLocalList Full 1 = NotSupported',
    ]);
    expect(await world.central.call('GetConfiguration', { key: ['LocalAuthListEnabled'] })).toEqual({
      configurationKey: [],
      unknownKey: ['LocalAuthListEnabled'],
    });
  });

  it('TC_042_2: an empty list has version 0, whatever version emptied it', async () => {
    const world = await start();
    expect(await asking(world, 'GetLocalListVersion')).toEqual(['0 < GetLocalListVersion = 0']);
    await send(world, full(3, entry('ABC')));
    expect(await version(world)).toEqual({ listVersion: 3 });
    expect(await send(world, full(7))).toEqual({ status: 'Accepted' });
    expect(await version(world)).toEqual({ listVersion: 0 });
    expect(await send(world, { listVersion: 8, updateType: 'Full' })).toEqual({ status: 'Accepted' });
    expect(await version(world)).toEqual({ listVersion: 0 });
  });

  it('TC_043: a full list, then changes to it: added, changed, removed', async () => {
    const world = await start({
      LocalPreAuthorize: 'true',
      AuthorizationCacheEnabled: 'false',
      ConnectionTimeOut: '1',
    });
    says(world, 'Invalid');
    await send(world, full(1, entry('KEPT'), entry('CHANGED'), entry('REMOVED')));
    const update = differential(2, entry('ADDED'), entry('changed', 'Blocked'), { idTag: 'Removed' });
    expect(await asking(world, 'SendLocalList', update)).toEqual(['0 < SendLocalList Differential 2 = Accepted']);
    expect(await version(world)).toEqual({ listVersion: 2 });
    const begins = ['0 > StatusNotification 1 Preparing', '1 > StatusNotification 1 Available'];
    expect(await tag(world, 'KEPT')).toEqual(begins);
    expect(await tag(world, 'ADDED')).toEqual(begins);
    expect(await tag(world, 'CHANGED')).toEqual(['0 > Authorize CHANGED = Invalid']);
    expect(await tag(world, 'REMOVED')).toEqual(['0 > Authorize REMOVED = Invalid']);
  });

  it('TC_043_2: a differential update must be newer than the list', async () => {
    const world = await start();
    expect(await send(world, full(2, entry('A')))).toEqual({ status: 'Accepted' });
    expect(await version(world)).toEqual({ listVersion: 2 });
    expect(await send(world, full(5, entry('A')))).toEqual({ status: 'Accepted' });
    expect(await version(world)).toEqual({ listVersion: 5 });
    for (const old of [4, 5]) {
      expect(await send(world, differential(old, entry('B')))).toEqual({ status: 'VersionMismatch' });
      expect(await version(world)).toEqual({ listVersion: 5 });
    }
  });

  it('TC_043_3: what cannot be stored is Failed, and the list stays as it was', async () => {
    const world = await start({ LocalPreAuthorize: 'true' });
    await send(world, full(1, entry('ABC')));
    world.disk.failWrites(true);
    expect(await asking(world, 'SendLocalList', full(2, entry('XYZ')))).toEqual(['0 < SendLocalList Full 2 = Failed']);
    world.disk.failWrites(false);
    expect(await version(world)).toEqual({ listVersion: 1 });
    // The first write that succeeds says that the store is well again.
    await asking(world, 'ChangeConfiguration', { key: 'HeartbeatInterval', value: '0' });
    expect(await tag(world, 'ABC')).toEqual(['0 > StatusNotification 1 Preparing']);
  });

  it('is on the disk before it is confirmed', async () => {
    const world = await start({ LocalPreAuthorize: 'true' });
    await send(world, full(1, entry('OLD')));
    await send(world, differential(2, entry('ABC', 'Accepted', { parentIdTag: 'FAMILY' })));
    await world.powerCut();
    await world.boot();
    await world.clock.advance(seconds(5));
    expect(await version(world)).toEqual({ listVersion: 2 });
    expect(await tag(world, 'ABC')).toEqual(['0 > StatusNotification 1 Preparing']);
  });

  it('goes before the cache (section 3.5.3)', async () => {
    const world = await start({ LocalPreAuthorize: 'true' });
    await cached(world, 'ABC');
    await send(world, full(1, entry('ABC', 'Blocked')));
    says(world, 'Blocked');
    expect(await tag(world, 'ABC')).toEqual(['0 > Authorize ABC = Blocked']);
    await send(world, full(2, entry('OTHER')));
    says(world, 'Accepted');
    expect((await tag(world, 'ABC'))[0]).toBe('0 > Authorize ABC = Accepted');
  });

  it('that says the opposite of the central system is reported once as LocalListConflict (section 3.5.2)', async () => {
    const world = await start({ LocalPreAuthorize: 'true', StopTransactionOnInvalidId: 'false' });
    await send(world, full(1, entry('ABC')));
    startSays(world, 'Blocked');
    await plug(world);
    expect(await tag(world, 'ABC')).toEqual([
      '0 > StartTransaction 1 ABC = Blocked',
      '0 > StatusNotification 0 Available LocalListConflict',
      '0 > StatusNotification 1 SuspendedEVSE',
    ]);
    await tag(world, 'ABC');
    await unplug(world);
    await plug(world);
    expect(await tag(world, 'ABC')).toEqual([
      '0 > StartTransaction 1 ABC = Blocked',
      '0 > StatusNotification 1 SuspendedEVSE',
    ]);
    await tag(world, 'ABC');
    await unplug(world);
    await send(world, full(2, entry('ABC')));
    await plug(world);
    expect(await tag(world, 'ABC')).toContain('0 > StatusNotification 0 Available LocalListConflict');
  });
});

/** What a dial shows: mutual TLS (TC_087), and what a trial becomes when a technician or a broken disk come in between. */
import { beforeEach, describe, expect, it } from 'vitest';
import { Configuration } from '../../../src/features/configuration/configuration.ts';
import type { Trust } from '../../../src/features/feature.ts';
import { Credentials } from '../../../src/features/security/credentials.ts';
import { authorizationKey, presetsOf, securityProfile } from '../../../src/features/security/security.keys.ts';
import { MemoryDisk } from '../../sim/memory-store.ts';
import { minutes, seconds, VirtualClock } from '../../sim/virtual-clock.ts';
import { silentLog } from '../../sim/world.ts';

const OWN = { chain: 'CHAIN', key: 'KEY' };
const KEY = 'sixteen-and-more';

let disk: MemoryDisk;
let clock: VirtualClock;
let redials: string[];
let own: Trust['own'];
let changed: (what: 'roots' | 'own') => void;

beforeEach(() => {
  disk = new MemoryDisk();
  clock = new VirtualClock();
  redials = [];
  own = OWN;
});

async function start(presets: Readonly<Record<string, string>> = { AuthorizationKey: KEY }) {
  await disk.powerCut();
  const store = disk.open();
  const keys = [authorizationKey, securityProfile];
  const settings = await Configuration.open({ keys, presets, store, clock, log: silentLog });
  const credentials = new Credentials({
    address: () => ({ url: 'ws://host/path', identity: 'cp001', verifyHostname: true }),
    switchWithinS: 60,
    settings,
    trust: {
      roots: () => ['ROOT'],
      get own() {
        return own;
      },
      onChange: (listener) => {
        changed = listener;
        return () => {};
      },
    },
    securityEvents: { report: () => {} },
    store,
    clock,
    log: silentLog,
    redial: (reason) => void redials.push(reason),
    probe: () => {},
  });
  await credentials.open();
  return { settings, credentials };
}

describe('TC_087: security profile 3', () => {
  it('shows the certificate of the charge point, and no password', async () => {
    const { settings, credentials } = await start();
    expect(credentials.current).toMatchObject({ url: 'ws://host/path/cp001', basicAuth: { user: 'cp001' } });
    expect(credentials.current.clientCertificate).toBeUndefined();
    expect(await settings.change('SecurityProfile', '3')).toBe('Accepted');
    expect(credentials.current).toEqual({
      url: 'wss://host/path/cp001',
      clientCertificate: OWN,
      certificateAuthorities: ['ROOT'],
      verifyHostname: true,
    });
  });

  it('is refused without a certificate', async () => {
    own = undefined;
    const { settings } = await start();
    expect(await settings.change('SecurityProfile', '3')).toBe('Rejected');
    expect(await settings.change('SecurityProfile', '2')).toBe('Accepted');
  });

  it('dials anew with a new certificate, in profile 3 only', async () => {
    await start({ SecurityProfile: '2', AuthorizationKey: KEY });
    changed('own');
    await clock.advance(seconds(5));
    expect(redials).toEqual([]);
    await start({ SecurityProfile: '3' });
    changed('roots');
    changed('own');
    await clock.advance(seconds(5));
    expect(redials).toEqual(['our certificate has changed']);
  });
});

describe('a new AuthorizationKey', () => {
  it('is dialled with at once, but not in profile 3, where no dial shows it', async () => {
    const { settings } = await start();
    await settings.change('AuthorizationKey', 'another-one-of-16');
    await clock.advance(1);
    expect(redials).toEqual(['AuthorizationKey has changed']);
    const { settings: mutual } = await start({ SecurityProfile: '3' });
    await mutual.change('AuthorizationKey', 'another-one-of-16');
    await clock.advance(seconds(5));
    expect(redials).toHaveLength(1);
  });

  it('that is the former one again needs no proof', async () => {
    const { settings, credentials } = await start();
    await settings.change('AuthorizationKey', 'another-one-of-16');
    await settings.change('AuthorizationKey', KEY);
    redials = [];
    credentials.dialling();
    credentials.failed({ failure: 'httpStatus', httpStatus: 401, code: 1006, reason: '' });
    expect(redials).toEqual([]);
  });
});

describe('a profile on trial', () => {
  it('goes back for this process when going back cannot be stored, and is on trial again after the next start', async () => {
    const { settings, credentials } = await start();
    await settings.change('SecurityProfile', '2');
    credentials.dialling();
    disk.failWrites(true);
    await clock.advance(minutes(2));
    expect(settings.get(securityProfile)).toBe(0);
    expect(redials.at(-1)).toBe('back to the old security profile');
    disk.failWrites(false);
    const again = await start();
    expect(again.settings.get(securityProfile)).toBe(2);
    again.credentials.dialling();
    await clock.advance(minutes(2));
    expect(again.settings.get(securityProfile)).toBe(0);
  });

  it('that a technician has set otherwise is none any more', async () => {
    const { settings } = await start();
    await settings.change('SecurityProfile', '2');
    const { settings: edited, credentials } = await start({ AuthorizationKey: KEY, SecurityProfile: '1' });
    credentials.dialling();
    await clock.advance(minutes(2));
    expect(edited.get(securityProfile)).toBe(1);
  });

  it('has not proved itself by what is heard on the connection of before', async () => {
    const { settings, credentials } = await start();
    credentials.dialling();
    credentials.opened();
    await settings.change('SecurityProfile', '1');
    credentials.heard();
    credentials.closed();
    credentials.dialling();
    await clock.advance(minutes(2));
    expect(settings.get(securityProfile)).toBe(0);
  });

  it('goes back to the one before, whichever that was', async () => {
    const { settings, credentials } = await start({ AuthorizationKey: KEY, SecurityProfile: '1' });
    await settings.change('SecurityProfile', '2');
    credentials.dialling();
    await clock.advance(minutes(2));
    expect(settings.get(securityProfile)).toBe(1);
  });

  it('that is raised twice goes back to where it was', async () => {
    const { settings, credentials } = await start();
    await settings.change('SecurityProfile', '1');
    await settings.change('SecurityProfile', '2');
    credentials.dialling();
    await clock.advance(minutes(2));
    expect(settings.get(securityProfile)).toBe(0);
  });
});

describe('presets', () => {
  const config = { url: 'ws://host', certificateAuthorities: [], verifyHostname: true };
  const CentralSystemUrl = 'ws://host';

  it('have centralSystem.securityProfile, unless the key is given', () => {
    expect(presetsOf({ centralSystem: { ...config, securityProfile: 2 }, keys: {} })).toEqual({
      SecurityProfile: '2',
      CentralSystemUrl,
    });
    const keys = { SecurityProfile: '1' };
    expect(presetsOf({ centralSystem: { ...config, securityProfile: 2 }, keys })).toEqual({
      ...keys,
      CentralSystemUrl,
    });
    expect(presetsOf({ centralSystem: { ...config, securityProfile: 0 }, keys: {} })).toEqual({ CentralSystemUrl });
  });

  it('have centralSystem.url, whatever the keys of the file say', () => {
    const keys = { CentralSystemUrl: 'ws://other' };
    expect(presetsOf({ centralSystem: { ...config, securityProfile: 0 }, keys })).toEqual({ CentralSystemUrl });
  });
});

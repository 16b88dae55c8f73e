/** What the trust store takes from caFile and firmware.rootFile, and when it may know what a certificate is. */
import { describe, expect, it } from 'vitest';
import type { Certificates } from '../../../src/ports.ts';
import { Authority } from '../../sim/authority.ts';
import { MemoryKeyStore } from '../../sim/memory-key-store.ts';
import { MemoryDisk } from '../../sim/memory-store.ts';
import { openTrust } from '../../sim/trust.ts';

const [first, second, third] = ['First', 'Second', 'Third'].map((name) => Authority.root(name).pem) as [
  string,
  string,
  string,
];
const USE = 'CentralSystemRootCertificate';
const packed = (pems: readonly string[]): readonly string[] => pems.map((pem) => pem.replace(/\s/g, ''));

/** A start that must not load X.509: it costs memory and time for good. */
const untouched = new Proxy({} as Certificates, {
  get: (_, method) => () => {
    throw new Error(`${String(method)} was asked of X.509`);
  },
});

/** Opens again after the end of the process. */
function restarting(disk = new MemoryDisk()) {
  return async (caFile: readonly string[], more: { readonly certificates?: Certificates } = {}) => {
    await disk.kill();
    return openTrust({ caFile, store: disk.open(), ...more });
  };
}

describe('caFile', () => {
  it('is installed on a first start, durably', async () => {
    const start = restarting();
    await start([first, second]);
    const trust = await start([first, second], { certificates: untouched });
    expect(packed(trust.roots(USE)).toSorted()).toEqual(packed([first, second]).toSorted());
    expect(trust.installed(USE)).toHaveLength(2);
  });

  it('does not bring back what was deleted, even when its text is laid out anew or another one is added', async () => {
    const start = restarting();
    const trust = await start([first]);
    const [hash] = trust.installed(USE);
    if (hash === undefined) throw new Error('nothing is installed');
    expect(await trust.remove(hash)).toBe('Accepted');
    expect((await start([first], { certificates: untouched })).roots(USE)).toEqual([]);
    expect((await start([first.replaceAll('\n', '\r\n')], { certificates: untouched })).roots(USE)).toEqual([]);
    expect(packed((await start([first, second])).roots(USE))).toEqual(packed([second]));
  });

  it('that a technician edits has its new certificates installed; those that have gone from it stay', async () => {
    const start = restarting();
    await start([first]);
    expect((await start([second])).roots(USE)).toHaveLength(2);
    expect((await start([])).roots(USE)).toHaveLength(2);
    expect((await start([third])).roots(USE)).toHaveLength(3);
  });

  it('may be put in after the first start', async () => {
    const start = restarting();
    await start([]);
    expect((await start([first])).roots(USE)).toHaveLength(1);
  });

  it('with something that is no certificate is taken for the rest', async () => {
    const broken = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----';
    const start = restarting();
    expect((await start([broken, first])).roots(USE)).toHaveLength(1);
  });

  it('is in force on a disk that fails, and stored by a later start', async () => {
    const disk = new MemoryDisk();
    const start = restarting(disk);
    await start([]);
    disk.failWrites(true);
    expect((await start([first])).roots(USE)).toHaveLength(1);
    disk.failWrites(false);
    expect((await start([first])).roots(USE)).toHaveLength(1);
    expect((await start([first], { certificates: untouched })).roots(USE)).toHaveLength(1);
  });
});

describe('firmware.rootFile', () => {
  const MANUFACTURER = 'ManufacturerRootCertificate';

  it('is installed on a first start for firmware only, and what was deleted does not come back', async () => {
    const disk = new MemoryDisk();
    const start = async (rootFile: readonly string[], more: { readonly certificates?: Certificates } = {}) => {
      await disk.kill();
      return openTrust({ caFile: [first], rootFile, store: disk.open(), ...more });
    };
    const trust = await start([first, second]);
    expect(packed(trust.roots(USE))).toEqual(packed([first]));
    expect(packed(trust.roots(MANUFACTURER)).toSorted()).toEqual(packed([first, second]).toSorted());
    for (const hash of trust.installed(MANUFACTURER)) expect(await trust.remove(hash)).toBe('Accepted');
    const again = await start([first, second], { certificates: untouched });
    expect(again.roots(MANUFACTURER)).toEqual([]);
    expect(packed((await start([first, second, third])).roots(MANUFACTURER))).toEqual(packed([third]));
  });
});

describe('a start', () => {
  it.each([[[]], [[first]]])('without news does not load X.509', async (caFile) => {
    const start = restarting();
    await start(caFile);
    await expect(start(caFile, { certificates: untouched })).resolves.toBeDefined();
  });

  it('with a certificate of its own has it ready for the dial without loading X.509', async () => {
    const disk = new MemoryDisk();
    const keyStore = new MemoryKeyStore();
    const root = Authority.root('CPO');
    const trust = await openTrust({ caFile: [root.pem], store: disk.open(), keyStore });
    await trust.ownCertificates.want('centralSystem');
    expect(await trust.ownCertificates.accept(root.sign(await trust.ownCertificates.signingRequest()))).toBeUndefined();
    await disk.powerCut();
    const again = await openTrust({ caFile: [root.pem], store: disk.open(), keyStore, certificates: untouched });
    expect(again.own).toEqual(trust.own);
    expect(again.own?.key).toContain('PRIVATE KEY');
  });

  it('whose private key is gone shows no certificate', async () => {
    const disk = new MemoryDisk();
    const root = Authority.root('CPO');
    const trust = await openTrust({ caFile: [root.pem], store: disk.open() });
    await trust.ownCertificates.want('centralSystem');
    await trust.ownCertificates.accept(root.sign(await trust.ownCertificates.signingRequest()));
    await disk.kill();
    const again = await openTrust({ caFile: [root.pem], store: disk.open(), keyStore: new MemoryKeyStore() });
    expect(again.own).toBeUndefined();
    expect(again.ownCertificates.validity).toBeUndefined();
  });
});

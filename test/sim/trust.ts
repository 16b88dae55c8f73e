/** A trust store on its own, over any ports: for what a whole charge point would only hide. */
import type { AgentConfig } from '../../src/config.ts';
import * as keys from '../../src/features/certificates/certificates.keys.ts';
import { TrustStore } from '../../src/features/certificates/trust-store.ts';
import { Configuration } from '../../src/features/configuration/configuration.ts';
import { certificates } from '../../src/platform/x509/certificates.ts';
import type { Certificates, Clock, KeyStore, Store } from '../../src/ports.ts';
import { MemoryKeyStore } from './memory-key-store.ts';
import { MemoryDisk } from './memory-store.ts';
import { VirtualClock } from './virtual-clock.ts';
import { silentLog } from './world.ts';

export interface TrustOptions {
  readonly caFile?: readonly string[];
  readonly rootFile?: readonly string[];
  readonly presets?: Readonly<Record<string, string>>;
  readonly certificates?: Certificates;
  readonly keyStore?: KeyStore;
  readonly store?: Store;
  readonly clock?: Clock;
  readonly keyType?: 'ecP256' | 'rsa2048';
}

export async function openTrust({
  caFile = [],
  rootFile,
  presets = {},
  store = new MemoryDisk().open(),
  clock = new VirtualClock(),
  keyType = 'ecP256',
  ...ports
}: TrustOptions): Promise<TrustStore> {
  const settings = await Configuration.open({
    keys: Object.values(keys),
    presets: { CpoName: 'Test CPO', ...presets },
    store,
    clock,
    log: silentLog,
  });
  const config: Pick<AgentConfig, 'chargePoint' | 'centralSystem' | 'certificates' | 'firmware'> = {
    chargePoint: { identity: 'cp001', vendor: 'Acme', model: 'Pi', serialNumber: 'SN-0001' },
    centralSystem: { url: 'wss://central', securityProfile: 3, certificateAuthorities: caFile, verifyHostname: true },
    certificates: { keyType },
    ...(rootFile === undefined ? {} : { firmware: { allowUnsigned: false, manufacturerRoots: rootFile } }),
  };
  const trust = new TrustStore({
    certificates,
    keyStore: new MemoryKeyStore(),
    ...ports,
    config,
    settings,
    securityEvents: { report: () => {} },
    store,
    clock,
    log: silentLog,
  });
  await trust.open();
  return trust;
}

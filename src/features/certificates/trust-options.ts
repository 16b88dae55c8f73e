/** What the trust store is made of. */
import type { AgentConfig } from '../../config.ts';
import type { Certificates, Clock, KeyStore, Log, Store } from '../../ports.ts';
import type { SecurityEvents, Settings } from '../feature.ts';

export interface TrustStoreOptions {
  readonly config: Pick<AgentConfig, 'chargePoint' | 'centralSystem' | 'certificates' | 'firmware'>;
  readonly settings: Settings;
  readonly securityEvents: Pick<SecurityEvents, 'report'>;
  readonly certificates: Certificates;
  readonly keyStore: KeyStore;
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
}

/** The rules of a session as the configuration keys have them. */
import type { AgentConfig } from '../../config.ts';
import type { Rules } from '../../core/connector/state.ts';
import type { Settings } from '../feature.ts';
import {
  connectionTimeOut,
  maxEnergyOnInvalidId,
  stopTransactionOnEVSideDisconnect,
  stopTransactionOnInvalidId,
  unlockConnectorOnEVSideDisconnect,
} from './transactions.keys.ts';

export const RULE_KEYS: ReadonlySet<string> = new Set(
  [
    connectionTimeOut,
    maxEnergyOnInvalidId,
    stopTransactionOnEVSideDisconnect,
    stopTransactionOnInvalidId,
    unlockConnectorOnEVSideDisconnect,
  ].map(({ name }) => name),
);

export const rulesFrom = (settings: Settings, { faultGraceS, connectors, wakeUps }: AgentConfig): Rules => ({
  stopOnEvSideDisconnect: settings.get(stopTransactionOnEVSideDisconnect),
  unlockOnEvSideDisconnect: settings.get(unlockConnectorOnEVSideDisconnect),
  stopOnInvalidId: settings.get(stopTransactionOnInvalidId),
  maxEnergyOnInvalidIdWh: settings.get(maxEnergyOnInvalidId),
  connectionTimeoutMs: settings.get(connectionTimeOut) * 1000,
  plugTimesOut: connectors.length > 1,
  faultGraceMs: faultGraceS * 1000,
  ...(wakeUps === undefined ? {} : { wakeUps }),
});

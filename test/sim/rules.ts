/** What a connector does by itself, as most tests want it. */
import type { Rules } from '../../src/core/connector/state.ts';

export const RULES: Rules = {
  stopOnEvSideDisconnect: true,
  unlockOnEvSideDisconnect: true,
  stopOnInvalidId: true,
  maxEnergyOnInvalidIdWh: 0,
  connectionTimeoutMs: 60_000,
  plugTimesOut: false,
  faultGraceMs: 300_000,
};

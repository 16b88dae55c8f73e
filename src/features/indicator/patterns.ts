/** The usual patterns: green is free, blue is charging, red is wrong; what blinks waits for somebody. Milliseconds on, off, on, ... */
import type { IndicatorPattern } from '../../../hal/contract.ts';
import type { ConnectorStatus } from '../../core/connector/state.ts';

/** `offline`: instead of Available while there is no link. The last two are played once. */
export type Signal = ConnectorStatus | 'offline' | 'accepted' | 'refused';

export const USUAL_PATTERNS: { readonly [signal in Signal]: IndicatorPattern } = {
  Available: { green: 'on' },
  offline: { green: [2800, 200] },
  Preparing: { green: [500, 500] },
  Charging: { blue: 'on' },
  SuspendedEV: { blue: [1000, 1000] },
  SuspendedEVSE: { blue: [200, 1800] },
  Finishing: { green: [200, 800] },
  Reserved: { red: 'on', green: 'on' },
  Unavailable: { red: [200, 1800] },
  Faulted: { red: 'on' },
  accepted: { green: [150, 100, 150, 100], buzzer: [150] },
  refused: { red: [150, 100, 150, 100, 150, 100], buzzer: [100, 100, 100, 100, 100] },
};

/** Which status may follow which (OCPP 1.6 section 4.9, errata 3.20), and what to say in between where a step is missing. Pure. */
import type { ConnectorStatus } from './state.ts';

/** Rows A to I of the table; the columns that may follow. A status may always be repeated with another error or info. */
const FOLLOWERS: { readonly [status in ConnectorStatus]: readonly ConnectorStatus[] } = {
  Available: ['Preparing', 'Charging', 'SuspendedEV', 'SuspendedEVSE', 'Reserved', 'Unavailable', 'Faulted'],
  Preparing: ['Available', 'Charging', 'SuspendedEV', 'SuspendedEVSE', 'Finishing', 'Faulted'],
  Charging: ['Available', 'SuspendedEV', 'SuspendedEVSE', 'Finishing', 'Unavailable', 'Faulted'],
  SuspendedEV: ['Available', 'Charging', 'SuspendedEVSE', 'Finishing', 'Unavailable', 'Faulted'],
  SuspendedEVSE: ['Available', 'Charging', 'SuspendedEV', 'Finishing', 'Unavailable', 'Faulted'],
  Finishing: ['Available', 'Preparing', 'Unavailable', 'Faulted'],
  Reserved: ['Available', 'Preparing', 'Unavailable', 'Faulted'],
  Unavailable: ['Available', 'Preparing', 'Charging', 'SuspendedEV', 'SuspendedEVSE', 'Faulted'],
  Faulted: [
    'Available',
    'Preparing',
    'Charging',
    'SuspendedEV',
    'SuspendedEVSE',
    'Finishing',
    'Reserved',
    'Unavailable',
  ],
};

export const mayFollow = (from: ConnectorStatus, to: ConnectorStatus): boolean =>
  from === to || FOLLOWERS[from].includes(to);

/** What may be said on the way, in this order of preference. */
const STEPPING_STONES: readonly ConnectorStatus[] = ['Preparing', 'Available', 'Finishing'];

/** The statuses to report between two that may not follow each other; empty where they may. */
export function between(from: ConnectorStatus, to: ConnectorStatus): readonly ConnectorStatus[] {
  if (mayFollow(from, to)) return [];
  const stone = STEPPING_STONES.find((status) => mayFollow(from, status) && mayFollow(status, to));
  return stone === undefined ? ['Available', ...between('Available', to)] : [stone];
}

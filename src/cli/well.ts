/** When a release on trial is well enough to ask for its confirmation (docs/release.md). */
import type { Fault, FaultCode } from '../../hal/contract.ts';
import type { AgentView } from '../agent.ts';

/** Faults that a release with a broken driver would show. The others are the car's, the cable's or the installation's: no release cures them. */
const OURS: readonly FaultCode[] = ['controllerSilent', 'internalFault', 'meterSilent', 'pilotSilent'];

/** The central system has accepted it, and none of `faults`, which are raised now, is of its own kind. */
export const isWell = ({ boot }: Pick<AgentView, 'boot'>, faults: readonly Pick<Fault, 'code'>[]): boolean =>
  boot === 'Accepted' && !faults.some(({ code }) => OURS.includes(code));

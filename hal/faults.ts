/** The catalogue of hardware faults: what each one blocks and how it goes away. */
import type { Protection } from './board-description.ts';
import type { FaultCode } from './contract.ts';

/**
 * `charging`: trips the interlock, the connector is faulted. `offer`: trips the interlock and withdraws the offer, but is no
 * fault of the charge point (the EV does not answer on the pilot). `moment`: the same for a few seconds, and nothing is wrong: a
 * session may begin meanwhile. `nothing`: a warning.
 */
export type Blocks = 'charging' | 'offer' | 'moment' | 'nothing';

/** `itself`: gone when its cause is. `unplug`: when the EV has left. `reset`: by a local reset command or by Reset. */
export type Clears = 'itself' | 'unplug' | 'reset';

export interface FaultSpecification {
  readonly blocks: Blocks;
  readonly clears: Clears;
}

export const FAULTS: { readonly [code in FaultCode]: FaultSpecification } = {
  contactorStuckOpen: { blocks: 'charging', clears: 'reset' },
  contactorWelded: { blocks: 'charging', clears: 'reset' },
  contactorWorn: { blocks: 'nothing', clears: 'itself' },
  controllerSilent: { blocks: 'charging', clears: 'itself' },
  derated: { blocks: 'nothing', clears: 'itself' },
  diodeFault: { blocks: 'charging', clears: 'unplug' },
  emergencyStop: { blocks: 'charging', clears: 'itself' },
  evCommunication: { blocks: 'offer', clears: 'itself' },
  groundFault: { blocks: 'charging', clears: 'reset' },
  internalFault: { blocks: 'charging', clears: 'itself' },
  lockFailed: { blocks: 'charging', clears: 'unplug' },
  meterLost: { blocks: 'nothing', clears: 'itself' },
  meterSilent: { blocks: 'charging', clears: 'itself' },
  openPen: { blocks: 'charging', clears: 'reset' },
  otherFault: { blocks: 'charging', clears: 'itself' },
  overCurrent: { blocks: 'charging', clears: 'unplug' },
  overTemperature: { blocks: 'charging', clears: 'itself' },
  overVoltage: { blocks: 'charging', clears: 'itself' },
  peFault: { blocks: 'charging', clears: 'unplug' },
  pilotSilent: { blocks: 'charging', clears: 'itself' },
  proximityFault: { blocks: 'charging', clears: 'itself' },
  rcdTestFailed: { blocks: 'charging', clears: 'reset' },
  rcdTesting: { blocks: 'moment', clears: 'itself' },
  readerSilent: { blocks: 'nothing', clears: 'itself' },
  resetFailed: { blocks: 'charging', clears: 'itself' },
  underVoltage: { blocks: 'charging', clears: 'itself' },
  unlockFailed: { blocks: 'nothing', clears: 'itself' },
  ventilationRequired: { blocks: 'charging', clears: 'itself' },
  weakSignal: { blocks: 'nothing', clears: 'itself' },
};

/** Where nobody is billed by the meter, charging may go on without it. */
export const faultOfSilentMeter = ({ meterSilent = 'fault' }: Pick<Protection, 'meterSilent'>): FaultCode =>
  meterSilent === 'warn' ? 'meterLost' : 'meterSilent';

export const trips = (code: FaultCode): boolean => FAULTS[code].blocks !== 'nothing';

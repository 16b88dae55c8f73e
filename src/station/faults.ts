/** How a hardware fault is called in OCPP 1.6 (section 7.6). */
import type { Fault, FaultCode } from '../../hal/contract.ts';
import { FAULTS } from '../../hal/faults.ts';
import type { ConnectorFault, ErrorCode } from '../core/connector/state.ts';

interface Naming {
  readonly errorCode: ErrorCode;
  readonly vendorErrorCode?: string;
  readonly info?: string;
}

const NAMES: { readonly [code in FaultCode]: Naming } = {
  contactorStuckOpen: { errorCode: 'PowerSwitchFailure', info: 'Contactor does not close' },
  contactorWelded: { errorCode: 'PowerSwitchFailure', info: 'Contactor does not open' },
  controllerSilent: { errorCode: 'InternalError', info: 'EVSE controller does not answer' },
  derated: { errorCode: 'HighTemperature', info: 'Less current, the enclosure is hot' },
  diodeFault: { errorCode: 'GroundFailure', vendorErrorCode: 'DiodeFault', info: 'Diode check failed' },
  emergencyStop: { errorCode: 'OtherError', vendorErrorCode: 'EmergencyStop', info: 'Emergency stop' },
  evCommunication: { errorCode: 'EVCommunicationError', info: 'Control pilot out of range' },
  groundFault: { errorCode: 'GroundFailure' },
  internalFault: { errorCode: 'InternalError' },
  lockFailed: { errorCode: 'ConnectorLockFailure', info: 'Plug could not be locked' },
  meterSilent: { errorCode: 'PowerMeterFailure', info: 'Meter does not answer' },
  otherFault: { errorCode: 'OtherError' },
  overCurrent: { errorCode: 'OverCurrentFailure' },
  overTemperature: { errorCode: 'HighTemperature' },
  overVoltage: { errorCode: 'OverVoltage' },
  readerSilent: { errorCode: 'ReaderFailure' },
  resetFailed: { errorCode: 'ResetFailure' },
  underVoltage: { errorCode: 'UnderVoltage' },
  unlockFailed: { errorCode: 'ConnectorLockFailure', info: 'Plug could not be unlocked' },
  ventilationRequired: { errorCode: 'OtherError', vendorErrorCode: 'VentilationRequired' },
  weakSignal: { errorCode: 'WeakSignal' },
};

/** What the hardware says of the fault wins over our general text. */
export function nameFault({ code, connectorId: _, ...said }: Fault): ConnectorFault {
  return { code, blocks: FAULTS[code].blocks, ...NAMES[code], ...said };
}

/** The faults that concern a connector: its own and those of the whole charge point. */
export const faultsOf = (connectorId: number, faults: readonly Fault[]): readonly ConnectorFault[] =>
  faults.filter((fault) => fault.connectorId === 0 || fault.connectorId === connectorId).map(nameFault);

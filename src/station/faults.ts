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
  contactorWelded: {
    errorCode: 'PowerSwitchFailure',
    vendorErrorCode: 'ContactorWelded',
    info: 'Contactor does not open',
  },
  contactorWorn: { errorCode: 'OtherError', vendorErrorCode: 'ContactorCycles', info: 'Contactor is worn out' },
  controllerSilent: {
    errorCode: 'InternalError',
    vendorErrorCode: 'ControllerSilent',
    info: 'EVSE controller does not answer',
  },
  derated: { errorCode: 'HighTemperature', vendorErrorCode: 'Derated', info: 'Less current, the enclosure is hot' },
  diodeFault: { errorCode: 'GroundFailure', vendorErrorCode: 'DiodeFault', info: 'Diode check failed' },
  emergencyStop: { errorCode: 'OtherError', vendorErrorCode: 'EmergencyStop', info: 'Emergency stop' },
  evCommunication: { errorCode: 'EVCommunicationError', info: 'Control pilot out of range' },
  groundFault: { errorCode: 'GroundFailure' },
  internalFault: { errorCode: 'InternalError' },
  lockFailed: { errorCode: 'ConnectorLockFailure', info: 'Plug could not be locked' },
  meterSilent: { errorCode: 'PowerMeterFailure', info: 'Meter does not answer' },
  meterLost: { errorCode: 'PowerMeterFailure', vendorErrorCode: 'MeterLost', info: 'Charging without the meter' },
  openPen: { errorCode: 'GroundFailure', vendorErrorCode: 'OpenPEN', info: 'Open PEN conductor' },
  otherFault: { errorCode: 'OtherError' },
  overCurrent: { errorCode: 'OverCurrentFailure' },
  overTemperature: { errorCode: 'HighTemperature' },
  overVoltage: { errorCode: 'OverVoltage' },
  peFault: { errorCode: 'GroundFailure', vendorErrorCode: 'PeFault', info: 'Protective earth is missing' },
  pilotSilent: { errorCode: 'InternalError', vendorErrorCode: 'PilotSilent', info: 'Control pilot cannot be read' },
  proximityFault: { errorCode: 'OtherError', vendorErrorCode: 'ProximityFault', info: 'Proximity pilot out of range' },
  rcdTestFailed: { errorCode: 'GroundFailure', vendorErrorCode: 'RcdSelfTest', info: 'RCD self test failed' },
  rcdTesting: { errorCode: 'NoError', info: 'RCD self test' },
  readerSilent: { errorCode: 'ReaderFailure' },
  resetFailed: { errorCode: 'ResetFailure' },
  underVoltage: { errorCode: 'UnderVoltage' },
  unlockFailed: {
    errorCode: 'ConnectorLockFailure',
    vendorErrorCode: 'UnlockFailed',
    info: 'Plug could not be unlocked',
  },
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

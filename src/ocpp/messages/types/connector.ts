/** OCPP 1.6 edition 2, sections 3.8, 7.4, 7.6 and 7.7: connectors, their availability, statuses and errors. */
import { integer } from '../../vocabulary.ts';

/** 0 is the whole charge point. The official schemas set no bounds; the rooms know which connectors exist. */
export const connectorId = integer;

export const AVAILABILITY_TYPES = ['Inoperative', 'Operative'] as const;

export const CHARGE_POINT_STATUSES = [
  'Available',
  'Preparing',
  'Charging',
  'SuspendedEVSE',
  'SuspendedEV',
  'Finishing',
  'Reserved',
  'Unavailable',
  'Faulted',
] as const;

export const CHARGE_POINT_ERROR_CODES = [
  'ConnectorLockFailure',
  'EVCommunicationError',
  'GroundFailure',
  'HighTemperature',
  'InternalError',
  'LocalListConflict',
  'NoError',
  'OtherError',
  'OverCurrentFailure',
  'OverVoltage',
  'PowerMeterFailure',
  'PowerSwitchFailure',
  'ReaderFailure',
  'ResetFailure',
  'UnderVoltage',
  'WeakSignal',
] as const;

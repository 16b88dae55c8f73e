/** What the central system hears of each fault, letter by letter: docs/protection.md and facts/evse.md 2, never our own table of names. */
import { describe, expect, it } from 'vitest';
import type { FaultCode } from '../../hal/contract.ts';
import { FAULTS } from '../../hal/faults.ts';
import type { Payload } from '../sim/network.ts';
import { seconds } from '../sim/virtual-clock.ts';
import { World } from '../sim/world.ts';

type Said = readonly [status: string, errorCode: string, vendorErrorCode?: string];

/** With an EV that charges. */
const SAID: { readonly [code in FaultCode]: Said } = {
  contactorStuckOpen: ['Faulted', 'PowerSwitchFailure'],
  contactorWelded: ['Faulted', 'PowerSwitchFailure', 'ContactorWelded'],
  contactorWorn: ['Charging', 'OtherError', 'ContactorCycles'],
  controllerSilent: ['Faulted', 'InternalError', 'ControllerSilent'],
  derated: ['Charging', 'HighTemperature', 'Derated'],
  diodeFault: ['Faulted', 'GroundFailure', 'DiodeFault'],
  emergencyStop: ['Faulted', 'OtherError', 'EmergencyStop'],
  evCommunication: ['SuspendedEVSE', 'EVCommunicationError'],
  groundFault: ['Faulted', 'GroundFailure'],
  internalFault: ['Faulted', 'InternalError'],
  lockFailed: ['Faulted', 'ConnectorLockFailure'],
  meterLost: ['Charging', 'PowerMeterFailure', 'MeterLost'],
  meterSilent: ['Faulted', 'PowerMeterFailure'],
  openPen: ['Faulted', 'GroundFailure', 'OpenPEN'],
  otherFault: ['Faulted', 'OtherError'],
  overCurrent: ['Faulted', 'OverCurrentFailure'],
  overTemperature: ['Faulted', 'HighTemperature'],
  overVoltage: ['Faulted', 'OverVoltage'],
  peFault: ['Faulted', 'GroundFailure', 'PeFault'],
  pilotSilent: ['Faulted', 'InternalError', 'PilotSilent'],
  proximityFault: ['Faulted', 'OtherError', 'ProximityFault'],
  rcdTestFailed: ['Faulted', 'GroundFailure', 'RcdSelfTest'],
  rcdTesting: ['SuspendedEVSE', 'NoError'],
  readerSilent: ['Charging', 'ReaderFailure'],
  resetFailed: ['Faulted', 'ResetFailure'],
  underVoltage: ['Faulted', 'UnderVoltage'],
  unlockFailed: ['Charging', 'ConnectorLockFailure', 'UnlockFailed'],
  ventilationRequired: ['Faulted', 'OtherError', 'VentilationRequired'],
  weakSignal: ['Charging', 'WeakSignal'],
};

/** OCPP 1.6 section 7.6. */
const ERROR_CODES = [
  ...['ConnectorLockFailure', 'EVCommunicationError', 'GroundFailure', 'HighTemperature', 'InternalError'],
  ...['LocalListConflict', 'NoError', 'OtherError', 'OverCurrentFailure', 'OverVoltage', 'PowerMeterFailure'],
  ...['PowerSwitchFailure', 'ReaderFailure', 'ResetFailure', 'UnderVoltage', 'WeakSignal'],
];

/** The StatusNotification that follows on this fault, as it stands on the wire. */
async function told(code: FaultCode): Promise<Payload | undefined> {
  const world = await World.start({ keys: { MeterValueSampleInterval: '0' } });
  await world.clock.advance(seconds(2));
  world.plugIn();
  world.present('ABC');
  await world.clock.advance(seconds(5));
  expect(world.central.received('StatusNotification').at(-1)).toMatchObject({ status: 'Charging' });
  const before = world.central.received('StatusNotification').length;
  world.board.inputs.setFault(1, code, {});
  await world.clock.advance(100);
  return world.central.received('StatusNotification').at(before);
}

describe('the names of a fault on the wire', () => {
  it.each(Object.entries(SAID) as [FaultCode, Said][])('of %s are %s', async (code, [status, errorCode, vendor]) => {
    const said = await told(code);
    expect(said).toMatchObject({ connectorId: 1, status, errorCode });
    expect(said?.['vendorErrorCode']).toBe(vendor);
  });

  it('are known for every fault, and are words of OCPP 1.6', () => {
    expect(Object.keys(SAID).toSorted()).toEqual(Object.keys(FAULTS).toSorted());
    for (const [, errorCode] of Object.values(SAID)) expect(ERROR_CODES).toContain(errorCode);
  });
});

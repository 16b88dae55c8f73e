/** External EVSE controllers as pages of data. */
import type { EvseDescription } from '../board-description.ts';
import type { FaultCode, PilotState } from '../contract.ts';
import type { SerialSettings } from './register-map.ts';

/** A controller as a page of data. Every address is a holding register; the current is the first of the block that is polled. */
export interface ControllerMap {
  readonly model: string;
  readonly source: string;
  readonly serial: SerialSettings;
  readonly silenceMs: number;
  readonly timeoutMs: number;
  /** One read: current, then state, cable limit, firmware and flags as offsets into it. */
  readonly block: { readonly address: number; readonly count: number };
  readonly offsets: {
    readonly vehicle: number;
    readonly cable: number;
    readonly firmware: number;
    readonly flags: number;
  };
  readonly vehicle: { readonly [code: number]: PilotState };
  /** Bit of the flags that says that the contactor is closed. */
  readonly closedBit: number;
  readonly faults: readonly { readonly bit: number; readonly code: FaultCode; readonly vendorErrorCode?: string }[];
  /** The current is in hundredths of an ampere if this bit is set and the firmware is new enough. */
  readonly hundredths: { readonly address: number; readonly bit: number; readonly sinceFirmware: number };
}

/** EV Racing EVSE-WB and EVSE-DIN, SimpleEVSE-WB: facts/evse.md 5.1. */
const EVSE_WB: ControllerMap = {
  model: 'EVSE-WB / EVSE-DIN',
  source: 'openWB common/evse.py and evcc evsedin.go',
  serial: { baudRate: 9600, parity: 'none', stopBits: 1 },
  silenceMs: 100,
  timeoutMs: 300,
  block: { address: 1000, count: 8 },
  offsets: { vehicle: 2, cable: 3, firmware: 5, flags: 7 },
  vehicle: { 1: 'A', 2: 'B', 3: 'C', 4: 'D', 5: 'E' },
  closedBit: 0,
  faults: [
    { bit: 1, code: 'diodeFault', vendorErrorCode: 'DiodeFault' },
    { bit: 2, code: 'ventilationRequired' },
    { bit: 4, code: 'groundFault' },
  ],
  hundredths: { address: 2005, bit: 7, sinceFirmware: 17 },
};

export const CONTROLLERS: {
  readonly [model in Extract<EvseDescription, { driver: 'controller' }>['model']]: ControllerMap;
} = {
  'evse-wb': EVSE_WB,
};

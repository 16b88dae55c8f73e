/** An external EVSE controller as a page of data (`config/controllers/*.yaml`), and what its registers mean. Pure. */
import type { ContactorState, FaultCode, PilotState } from '../contract.ts';
import type { SerialSettings } from './register-map.ts';

/** `holding` is Modbus function 3, `input` 4, `coils` 1. Addresses as on the wire; none stands for two things. */
export interface ControllerRead {
  readonly function: 'holding' | 'input' | 'coils';
  readonly address: number;
  readonly count: number;
}

/** Where a controller's own settings decide whether it obeys: read at first and after every silence, written only if they differ. */
export interface ControllerSetting {
  /** A holding register. */
  readonly address: number;
  readonly value: number;
  /** In a few words, for a person. */
  readonly what: string;
}

export interface ControllerMap {
  readonly model: string;
  readonly source: string;
  readonly verified: 'onDevice' | 'onPaper' | false;
  /** What is doubted, where something is. */
  readonly because?: string;
  readonly serial: SerialSettings;
  readonly silenceMs: number;
  readonly timeoutMs: number;
  /** Registers are written one at a time (function 6) or as a block (function 16). */
  readonly write: 'single' | 'block';
  /** `keepsCurrent`: while nobody speaks to it, it goes on charging with what it was told last. */
  readonly whenSilent: 'keepsCurrent' | 'withdraws';
  readonly settings?: readonly ControllerSetting[];
  /** One request each, in this order, every half second. */
  readonly poll: readonly ControllerRead[];
  readonly current: {
    /** A holding register, polled, in ampere. */
    readonly address: number;
    readonly mostA: number;
    /** A coil, polled: without it no current is signalled, whatever the register says. Absent: a current of 0 does it. */
    readonly enable?: number;
    /** In hundredths of an ampere if this bit of a holding register is set and the firmware is new enough. */
    readonly hundredths?: {
      readonly address: number;
      readonly bit: number;
      readonly firmware: number;
      readonly sinceFirmware: number;
    };
  };
  /** `text`: two letters in a register, of which a code may be the first only. What is no code is E. */
  readonly vehicle: {
    readonly address: number;
    readonly as: 'number' | 'text';
    readonly codes: { readonly [code: string]: PilotState };
  };
  /** Its contactor is closed: a bit, or these codes of the vehicle. */
  readonly closed: { readonly address: number; readonly bit: number } | { readonly codes: readonly string[] };
  /** Ampere that the plug codes; `none` are the numbers that are none. */
  readonly cable?: { readonly address: number; readonly none: readonly number[] };
  readonly faults: readonly {
    readonly address: number;
    readonly bit: number;
    readonly code: FaultCode;
    readonly vendorErrorCode?: string;
  }[];
}

/** What one poll has brought, by address. */
export type Registers = ReadonlyMap<number, number>;

export const isBitSet = (word: number, index: number): boolean => ((word >> index) & 1) === 1;

const registerAt = (registers: Registers, address: number): number => registers.get(address) ?? 0;

/** What the controller is set to, in the unit of its register; 0: no current. */
export function currentIn({ current: { address, enable } }: ControllerMap, registers: Registers): number {
  if (enable !== undefined && registerAt(registers, enable) === 0) return 0;
  return registerAt(registers, address);
}

function codeIn({ vehicle: { address, as } }: ControllerMap, registers: Registers): string {
  const value = registerAt(registers, address);
  if (as === 'number') return String(value);
  return String.fromCharCode(value >> 8, value & 0xff).replace(/[^A-Z0-9]/g, '');
}

export function vehicleIn(map: ControllerMap, registers: Registers): PilotState {
  const code = codeIn(map, registers);
  const { as, codes } = map.vehicle;
  return codes[code] ?? (as === 'text' ? codes[code.slice(0, 1)] : undefined) ?? 'E';
}

export function contactorIn(map: ControllerMap, registers: Registers): ContactorState {
  const { closed } = map;
  const is =
    'codes' in closed
      ? closed.codes.includes(codeIn(map, registers))
      : isBitSet(registerAt(registers, closed.address), closed.bit);
  return is ? 'closed' : 'open';
}

export function cableIn({ cable }: ControllerMap, registers: Registers): number | undefined {
  if (cable === undefined) return undefined;
  const amps = registerAt(registers, cable.address);
  return cable.none.includes(amps) ? undefined : amps;
}

export interface FlaggedFault {
  readonly code: FaultCode;
  readonly vendorErrorCode?: string;
  readonly flagged: boolean;
}

/** Each fault once, in the order of the page, although several bits may mean it. */
export function faultsIn({ faults }: ControllerMap, registers: Registers): readonly FlaggedFault[] {
  const found = new Map<FaultCode, FlaggedFault>();
  for (const { address, bit, code, vendorErrorCode } of faults) {
    if (found.get(code)?.flagged === true) continue;
    const flagged = isBitSet(registerAt(registers, address), bit);
    found.set(code, { code, flagged, ...(vendorErrorCode === undefined ? {} : { vendorErrorCode }) });
  }
  return [...found.values()];
}

/** What a page of config/boards says: which line, channel or register does what. Types only; `open-board.ts` turns it into a Board. */
import type { FaultCode } from './contract.ts';

/** One digital line of the chip named in `gpio`. */
export interface LineDescription {
  /** Offset on the chip, as printed on the header: GPIO17 is 17. */
  readonly line: number;
  /** The thing is on, pressed or present while the line is low. Default false. */
  readonly activeLow?: boolean;
}

/** Lines are found by the label of their chip, because numbers change between kernels (facts/libraries.md, surprise 3). */
export interface GpioDescription {
  readonly backend: 'onoff';
  /** `pinctrl-bcm2835` (Pi 3, Zero 2 W), `pinctrl-bcm2711` (Pi 4), `pinctrl-rp1` (Pi 5). */
  readonly chip: string;
}

/** A hardware PWM channel, found by what its chip's `device` link ends in. */
export interface PwmDescription {
  /** `1f00098000.pwm` on a Pi 5; `*` stands for any characters: `*.pwm`. Must fit exactly one chip. */
  readonly device: string;
  readonly channel: number;
  /** An inverting driver stage: the pin is low while the pilot is high. Default false. */
  readonly inverted?: boolean;
}

/**
 * Comparators on the positive peak of the control pilot, each active above its threshold, with peak hold, so that they do not
 * follow the 1 kHz. `belowMinus10V5` looks at the negative half and makes the diode check possible.
 */
export interface ComparatorLines {
  readonly above10V5: LineDescription;
  readonly above7V5: LineDescription;
  readonly above4V5: LineDescription;
  readonly above1V5: LineDescription;
  readonly belowMinus10V5?: LineDescription;
}

export interface ContactorDescription {
  /** Drives the coil. Take a pin that is pulled down at reset (GPIO9..27), never GPIO14. */
  readonly coil: LineDescription;
  /** The mirror contact: active while the main contacts are closed. */
  readonly mirror: LineDescription;
  /** From the coil being off to the main contacts being open, in ms; part of the budget of 100 ms. */
  readonly releaseMs: number;
  /** How long the mirror contact may differ from the command before it is a fault, in ms (100..2000, default 500). */
  readonly mirrorWithinMs?: number;
}

/** Our own pilot: PWM out, comparators in, one contactor. */
export interface ComparatorPilotEvseDescription {
  readonly driver: 'comparatorPilot';
  readonly pwm: PwmDescription;
  readonly comparators: ComparatorLines;
  readonly contactor: ContactorDescription;
  /** Comparator levels have to be equal for this long before the state leaves C or D, in ms (0..40, default 20). */
  readonly filterMs?: number;
}

/** A serial line. Settings that are absent come from the register map. */
export interface BusDescription {
  readonly port: string;
  readonly baudRate?: number;
  readonly parity?: 'none' | 'even' | 'odd';
  readonly stopBits?: 1 | 2;
}

/** An external EVSE controller with its own pilot, contactor and safety, spoken to over Modbus RTU. */
export interface ControllerEvseDescription {
  readonly driver: 'controller';
  readonly model: 'evse-wb';
  readonly bus: BusDescription;
  /** Modbus unit, 1..247. */
  readonly unit: number;
}

export type EvseDescription = ComparatorPilotEvseDescription | ControllerEvseDescription;

/** A motor that locks the plug: one pulse on either line; `locked` is its position switch. Socket outlets only. */
export interface LockDescription {
  readonly lock: LineDescription;
  readonly unlock: LineDescription;
  readonly locked: LineDescription;
  /** Length of a motor pulse in ms (50..3000, default 600). */
  readonly pulseMs?: number;
}

/**
 * Comparators on the proximity pilot, each active while its condition holds: a plug is present, and the resistor is below the
 * midpoint between two ratings (1000, 330 and 150 ohm: at least 20, 32 and 63 A).
 */
export interface ProximityDescription {
  readonly present: LineDescription;
  readonly atLeast20A: LineDescription;
  readonly atLeast32A: LineDescription;
  readonly atLeast63A: LineDescription;
}

/** A relay behind the contactor that takes L2 and L3 away. Only with our own pilot, and where three phases are installed. */
export interface PhaseSwitchDescription {
  /** Active: the contactor connects L1 only. Off, as at power-up: all three. */
  readonly onePhase: LineDescription;
  /** Active while L1 only is connected. */
  readonly feedback?: LineDescription;
}

/** From `fromC` on the enclosure leaves this share of `maxA`. */
export interface DeratingStep {
  readonly fromC: number;
  /** 0..1. */
  readonly factor: number;
}

/** A thermometer in the enclosure that the kernel shows as a file. */
export interface ThermometerDescription {
  /** In thousandths of a degree Celsius: `temperature` of a 1-wire sensor (its path never changes), or `tempN_input` of hwmon. */
  readonly file: string;
  /** From the coolest to the hottest. Default: 65 C half, 68 C a quarter. */
  readonly steps?: readonly DeratingStep[];
  /** From here on nothing is charged, until it is 10 K cooler. Above the hottest step. Default 70. */
  readonly stopC?: number;
}

export interface ConnectorDescription {
  /** 1, 2, ... */
  readonly id: number;
  /** The most that wiring, contactor and board may carry, in ampere (6..80). */
  readonly maxA: number;
  /** How many phases the contactor connects. */
  readonly phases: 1 | 3;
  readonly evse: EvseDescription;
  readonly lock?: LockDescription;
  readonly proximity?: ProximityDescription;
  readonly phaseSwitch?: PhaseSwitchDescription;
  readonly thermometer?: ThermometerDescription;
}

/** A line that is active while something is wrong; write a normally closed contact so that a broken wire is active too. */
export interface FaultInputDescription extends LineDescription {
  readonly fault: FaultCode;
  /** 0 is the whole charge point. */
  readonly connector: number;
  /** How long the line has to stay before the fault clears, in ms (default 1000). Raising is never delayed. */
  readonly clearsAfterMs?: number;
  readonly info?: string;
  readonly vendorErrorCode?: string;
}

export interface BoardDescription {
  readonly name: string;
  /** Absent where every connector has an external controller and there is no input. */
  readonly gpio?: GpioDescription;
  /** Where the kernel shows PWM chips and GPIO labels. Default `/sys`. */
  readonly sysfsRoot?: string;
  readonly connectors: readonly ConnectorDescription[];
  readonly inputs?: readonly FaultInputDescription[];
  /** Active while the mains supply is failing and a back-up still runs. */
  readonly mains?: LineDescription;
  /** Active while the grid operator asks for less power. */
  readonly dimming?: LineDescription;
}

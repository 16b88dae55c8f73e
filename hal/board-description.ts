/** What a page of config/boards says: which line, channel or register does what. Types and words; `open-board.ts` turns it into a Board. */
import type { FaultCode, IndicatorLine, IndicatorPattern } from './contract.ts';
import type { ControllerMap } from './modbus/controller-map.ts';

/** One digital line of the chip named in `gpio`. */
export interface LineDescription {
  /** Offset on the chip, as printed on the header: GPIO17 is 17. */
  readonly line: number;
  /** The thing is on, pressed or present while the line is low. Default false. */
  readonly activeLow?: boolean;
}

/** A line that is read. What the chip does about it needs the character device. */
export interface InputDescription extends LineDescription {
  /** Resistor of the chip. Default: as the pin has it after the boot. */
  readonly pull?: 'up' | 'down' | 'none';
}

/** An input that may be late: never a comparator of the control pilot, which has a filter of its own. */
export interface DebouncedInputDescription extends InputDescription {
  /** The chip passes over shorter pulses, in ms (0..20, default 0). */
  readonly debounceMs?: number;
}

/** The chip behind the 40 pins: Pi 3 and Zero 2 W, Pi 4, Pi 5. */
const PI_CHIPS: readonly string[] = ['pinctrl-bcm2835', 'pinctrl-bcm2711', 'pinctrl-rp1'];

export type GpioBackend = 'auto' | 'character-device' | 'sysfs' | 'onoff';

/** Lines are found by the label of their chip, because numbers change between kernels (facts/libraries.md, surprise 3). */
export interface GpioDescription {
  /** `auto` (default): the character device where the kernel has one, else sysfs. `onoff` is the older word for `sysfs`. */
  readonly backend?: GpioBackend;
  /** One label, or several of which one is there; `auto` (default) is every Raspberry Pi. */
  readonly chip?: string | readonly string[];
}

export const chipLabels = ({ chip = 'auto' }: GpioDescription): readonly string[] =>
  chip === 'auto' ? PI_CHIPS : [chip].flat();

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
  readonly above10V5: InputDescription;
  readonly above7V5: InputDescription;
  readonly above4V5: InputDescription;
  readonly above1V5: InputDescription;
  readonly belowMinus10V5?: InputDescription;
}

export interface ContactorDescription {
  /** Drives the coil. Take a pin that is pulled down at reset (GPIO9..27), never GPIO14. */
  readonly coil: LineDescription;
  /** The mirror contact: active while the main contacts are closed. */
  readonly mirror: DebouncedInputDescription;
  /** From the coil being off to the main contacts being open, in ms; part of the budget of 100 ms. */
  readonly releaseMs: number;
  /** How long the mirror contact may differ from the command before it is a fault, in ms (100..2000, default 500). */
  readonly mirrorWithinMs?: number;
  /** How long the coil stays off before it may close again, in ms (0..600000, default 5000). */
  readonly pauseMs?: number;
  /** The same after a fault, in ms (0..600000, default 30000). */
  readonly pauseAfterErrorMs?: number;
}

interface OwnPilotDescription {
  readonly pwm: PwmDescription;
  readonly contactor: ContactorDescription;
  /** What is seen has to be the same for this long before the state leaves C or D, in ms (0..40, default 20). */
  readonly filterMs?: number;
}

/** Our own pilot: PWM out, comparators in, one contactor. */
export interface ComparatorPilotEvseDescription extends OwnPilotDescription {
  readonly driver: 'comparatorPilot';
  readonly comparators: ComparatorLines;
}

/** What the pilot is, in volt, when the converter sees so much. */
export interface CalibrationPoint {
  readonly adcV: number;
  readonly pilotV: number;
}

/** An input of an IIO device, and what its voltages mean: at least two points, in between and beyond them straight lines. */
export interface PeakChannel {
  /** `in_voltage0_raw` is 0. */
  readonly channel: number;
  readonly calibration: readonly CalibrationPoint[];
}

/** Peak detectors on both halves of the pilot, read by a converter that has a driver in the kernel (IIO). */
export interface PeakHoldPilotEvseDescription extends OwnPilotDescription {
  readonly driver: 'peakHoldPilot';
  readonly adc: {
    /** What the kernel calls it (`name` in iio:deviceN): `ads1015`, an ADS1115 as well. */
    readonly device: string;
    /** Where there are several of that name: what it hangs on, `1-0048` or `spi0.0`. */
    readonly at?: string;
  };
  readonly positive: PeakChannel;
  /** Absent: this board cannot check the diode. */
  readonly negative?: PeakChannel;
  /** How long the detector takes from 6 V to 0 V, in ms (0..30); part of the budget of 100 ms. */
  readonly settleMs: number;
}

/** The pilot itself, sampled through more than a period of its PWM by a fast converter on SPI. */
export interface BurstPilotEvseDescription extends OwnPilotDescription {
  readonly driver: 'burstPilot';
  readonly adc: {
    readonly model: 'mcp3008' | 'mcp3208';
    /** `/dev/spidev0.0`: the bus and the chip select on the header. */
    readonly spi: string;
    /** 0..7, against ground. */
    readonly channel: number;
    /** Clock of SPI in Hz; 1.6 MHz is what these chips allow at 3.3 V. */
    readonly speedHz: number;
    /** Reference voltage of the converter. */
    readonly referenceV: number;
  };
  readonly calibration: readonly CalibrationPoint[];
}

/** The pilot is looked at by a converter. */
export type ConverterEvseDescription = PeakHoldPilotEvseDescription | BurstPilotEvseDescription;

/** A Linux process drives the pilot and the contactor. */
export type OwnPilotEvseDescription = ComparatorPilotEvseDescription | ConverterEvseDescription;

/** The longest that a converter may take for one look at the pilot, in ms; a slower one is refused when the board is opened. */
export const LOOK_MOST_MS = 5;

/** How old what is seen may be by the time it is seen, in ms: a converter takes its time, and a peak detector forgets slowly. */
export function lookingMs(evse: OwnPilotEvseDescription): number {
  switch (evse.driver) {
    case 'comparatorPilot':
      return 0;
    case 'peakHoldPilot':
      return LOOK_MOST_MS + evse.settleMs;
    case 'burstPilot':
      return LOOK_MOST_MS;
  }
}

/** A serial line. Settings that are absent come from the register map. */
export interface BusDescription {
  readonly port: string;
  readonly baudRate?: number;
  readonly parity?: 'none' | 'even' | 'odd';
  readonly stopBits?: 1 | 2;
}

/** An external EVSE controller as a board file names it. */
export interface NamedController {
  readonly driver: 'controller';
  /** A file of `config/controllers`, or a path. */
  readonly model: string;
  readonly bus: BusDescription;
  /** Modbus unit, 1..247. */
  readonly unit: number;
}

/** An external EVSE controller with its own pilot, contactor and safety, spoken to over Modbus RTU. */
export interface ControllerEvseDescription extends NamedController {
  readonly map: ControllerMap;
}

export type EvseDescription = OwnPilotEvseDescription | ControllerEvseDescription;

export const isOwnPilot = (evse: { readonly driver: string }): evse is OwnPilotEvseDescription =>
  evse.driver !== 'controller';

/** A motor that locks the plug: one pulse on either line; `locked` is its position switch. Socket outlets only. */
export interface LockDescription {
  readonly lock: LineDescription;
  readonly unlock: LineDescription;
  readonly locked: DebouncedInputDescription;
  /** Length of a motor pulse in ms (50..3000, default 600). */
  readonly pulseMs?: number;
}

/**
 * Comparators on the proximity pilot, each active while its condition holds: a plug is present, and the resistor is below the
 * midpoint between two ratings (1000, 330 and 150 ohm: at least 20, 32 and 63 A).
 */
export interface ProximityDescription {
  readonly present: DebouncedInputDescription;
  readonly atLeast20A: DebouncedInputDescription;
  readonly atLeast32A: DebouncedInputDescription;
  readonly atLeast63A: DebouncedInputDescription;
  /** Below 75 ohm: a short circuit, nothing is charged. Without it that reads as 63 A. */
  readonly short?: DebouncedInputDescription;
}

/** A second contactor behind the first that takes L2 and L3 away. Only with our own pilot, and where three phases are installed. */
export interface PhaseSwitchDescription {
  /** Active: the contactor connects L1 only. Off, as at power-up: all three. */
  readonly onePhase: LineDescription;
  /** Active while L1 only is connected. */
  readonly feedback?: DebouncedInputDescription;
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

/** The residual current device of a connector as a Pi sees it: it breaks the coil by itself, whatever software does. */
export interface RcdDescription {
  /** Active while it has tripped. */
  readonly tripped: DebouncedInputDescription;
  /** Lets it make a residual current of its own, as its test button does. */
  readonly test?: RcdTestDescription;
}

export interface RcdTestDescription extends LineDescription {
  /** From the output to the trip, in ms (20..5000, default 1000). */
  readonly tripsWithinMs?: number;
  /** From the end of the output to the device being ready again, in ms (20..10000, default 3000). */
  readonly recoversWithinMs?: number;
}

/** More than `factor` times what is signalled plus `marginA`, at every look for `forS`, is an over-current. */
export interface OverCurrentLimits {
  readonly factor: number;
  /** In ampere: what a meter may be wrong by. */
  readonly marginA: number;
  /** In seconds: more than the 5 s that IEC 61851-1 gives an EV to follow. */
  readonly forS: number;
}

/** Per phase, in volt. Outside for `forS`: open; within the narrower window, and within that of the frequency, for `reconnectAfterS`: the fault is over. */
export interface VoltageLimits {
  readonly leastV: number;
  readonly mostV: number;
  readonly forS: number;
  readonly reconnectLeastV: number;
  readonly reconnectMostV: number;
  /** In hertz; absent: whatever the frequency is. It opens no contactor. */
  readonly reconnectLeastHz?: number;
  readonly reconnectMostHz?: number;
  readonly reconnectAfterS: number;
}

/** What is watched beyond what the lines of the board say. What is absent is not watched. */
export interface Protection {
  readonly overCurrent?: OverCurrentLimits;
  readonly voltage?: VoltageLimits;
  /** Where the board can test its RCD. `session`: after each EV that leaves, and after 24 h; `day`: after 24 h. At power-up in any case. */
  readonly rcdTest?: 'session' | 'day';
  /** An RCD that is no longer tripped may be forgotten when the EV has left; without it somebody has to reset the fault. */
  readonly rcdReclosesOnUnplug?: boolean;
  /** A meter that does not answer: nothing is charged (default), or only a warning. */
  readonly meterSilent?: 'fault' | 'warn';
  /** Openings of a contactor, in all and under load, after which it should be exchanged. */
  readonly contactorLife?: { readonly operations: number; readonly underLoad: number };
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
  readonly rcd?: RcdDescription;
}

/**
 * An output that goes back and forth as long as the loops of the hardware make progress; a retriggerable monostable behind it holds the
 * supply of the coils. Give that less than 300 ms and more than `periodMs`, and couple it so that neither level holds it.
 */
export interface DeadManDescription extends LineDescription {
  /** One cycle, in ms (20..200, default 100). */
  readonly periodMs?: number;
}

/** A line that is active while something is wrong; write a normally closed contact so that a broken wire is active too. */
export interface FaultInputDescription extends DebouncedInputDescription {
  readonly fault: FaultCode;
  /** 0 is the whole charge point. */
  readonly connector: number;
  /** How long the line has to stay before the fault clears, in ms (default 1000). Raising is never delayed. */
  readonly clearsAfterMs?: number;
  readonly info?: string;
  readonly vendorErrorCode?: string;
}

/** What a tag becomes. */
export interface NormaliseDescription {
  /** What a keyboard reader types: digits of a number, or (default) a text that stays what it is. */
  readonly typed?: 'text' | 'hex' | 'decimal';
  /** How many bytes a typed decimal number has (1..10, default 4). */
  readonly bytes?: number;
  /** The last byte first. Default false. */
  readonly reverse?: boolean;
  /** How the bytes are written. Default `hex`. */
  readonly as?: 'hex' | 'decimal';
  /** Filled up with zeros in front to so many digits. */
  readonly digits?: number;
  /** Default: hexadecimal digits upper case. */
  readonly case?: 'upper' | 'lower';
  /** Stands before it, as it is. */
  readonly prefix?: string;
}

interface AnyReaderDescription {
  /** Default: all. */
  readonly connectors?: readonly number[];
  readonly normalise?: NormaliseDescription;
}

/** A PN532 on a serial line (its switches at HSU). */
export interface Pn532Description extends AnyReaderDescription {
  readonly driver: 'pn532';
  readonly port: string;
  /** Default 115200. */
  readonly baudRate?: number;
}

/** A USB reader that plays a keyboard and ends each number with Enter. */
export interface KeyboardReaderDescription extends AnyReaderDescription {
  readonly driver: 'keyboard';
  /** A path in /dev/input/by-id or by-path, or the name or the place that the kernel gives the device. */
  readonly device: { readonly path: string } | { readonly name: string } | { readonly phys: string };
}

export type ReaderDescription = Pn532Description | KeyboardReaderDescription;

/** Lamps and a buzzer. What is shown when is no matter of the hardware: `patterns` are for whoever decides that, by their names there. */
export interface IndicatorDescription {
  /** 0 is the whole charge point. */
  readonly connector: number;
  readonly lines: { readonly [line in IndicatorLine]?: LineDescription };
  readonly patterns?: { readonly [name: string]: IndicatorPattern };
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
  readonly mains?: DebouncedInputDescription;
  /** Active while the grid operator asks for less power. */
  readonly dimming?: DebouncedInputDescription;
  readonly deadMan?: DeadManDescription;
  readonly readers?: readonly ReaderDescription[];
  readonly indicators?: readonly IndicatorDescription[];
}

/** The shape of config/boards/*.yaml; yields exactly a BoardDescription. */
import * as v from 'valibot';
import type {
  BoardDescription,
  ConnectorDescription,
  NamedController,
  OwnPilotEvseDescription,
} from '../../../hal/board-description.ts';
import type { FaultCode } from '../../../hal/contract.ts';
import { FAULTS } from '../../../hal/faults.ts';
import { decimal, described, listOf, object, oneOf, optional, path, text, whole, word, yesNo } from '../vocabulary.ts';

const line = { line: whole(0, 1023), activeLow: optional(yesNo()) };
const lineShape = () => object(line);

const input = {
  ...line,
  pull: described(
    optional(oneOf('up', 'down', 'none')),
    'the resistor of the chip; default: as the pin has it after the boot. Needs the character device',
  ),
};
const inputShape = () => object(input);

const debounced = {
  ...input,
  debounceMs: described(
    optional(decimal(0, 20, 'ms')),
    'the kernel passes over shorter pulses; a fault is seen so much later. Needs the character device',
  ),
};
const debouncedShape = () => object(debounced);

export const busEntries = {
  port: path(),
  baudRate: optional(whole(300, 1_000_000)),
  parity: optional(oneOf('none', 'even', 'odd')),
  stopBits: optional(oneOf(1, 2)),
};

const contactor = object({
  coil: lineShape(),
  mirror: debouncedShape(),
  releaseMs: described(
    decimal(0, 100, 'ms'),
    'from the coil being off to the main contacts being open; see its datasheet',
  ),
  mirrorWithinMs: optional(decimal(100, 2_000, 'ms')),
  pauseMs: described(
    optional(decimal(0, 600_000, 'ms')),
    'how long the coil stays off before it may close again; default 5000, less only where its datasheet allows it',
  ),
  pauseAfterErrorMs: described(optional(decimal(0, 600_000, 'ms')), 'the same after a fault; default 30000'),
});

/** A Linux process drives pilot and contactor. */
const ownPilot = {
  pwm: object({ device: word(200), channel: whole(0, 31), inverted: optional(yesNo()) }),
  contactor,
  filterMs: optional(decimal(0, 40, 'ms')),
};

const comparatorPilot = object({
  driver: v.literal('comparatorPilot'),
  ...ownPilot,
  comparators: object({
    above10V5: inputShape(),
    above7V5: inputShape(),
    above4V5: inputShape(),
    above1V5: inputShape(),
    belowMinus10V5: optional(inputShape()),
  }),
});

const calibration = () =>
  described(
    listOf(object({ adcV: decimal(-100, 100, 'V'), pilotV: decimal(-20, 20, 'V') }), 2),
    'what the pilot is when the converter sees so much: two points or more, measured; straight lines in between',
  );

const peakChannel = object({ channel: whole(0, 31), calibration: calibration() });

const peakHoldPilot = object({
  driver: v.literal('peakHoldPilot'),
  ...ownPilot,
  adc: object({
    device: described(word(80), 'its name in /sys/bus/iio/devices/*/name'),
    at: described(optional(word(80)), 'where several have that name: what it hangs on, 1-0048 or spi0.0'),
  }),
  positive: peakChannel,
  negative: described(optional(peakChannel), 'absent: this board cannot check the diode'),
  settleMs: described(
    decimal(0, 30, 'ms'),
    'how long the peak detector takes from 6 V to 0 V; part of the opening time',
  ),
});

const burstPilot = object({
  driver: v.literal('burstPilot'),
  ...ownPilot,
  adc: object({
    model: oneOf('mcp3008', 'mcp3208'),
    spi: described(path(), '/dev/spidev0.0: bus and chip select'),
    channel: whole(0, 7),
    speedHz: described(whole(1_000_000, 4_000_000, 'Hz'), '1600000 at 3.3 V'),
    referenceV: decimal(1, 6, 'V'),
  }),
  calibration: calibration(),
});

const controller = object({
  driver: v.literal('controller'),
  model: described(word(200), 'a file of config/controllers, or a path'),
  bus: object(busEntries),
  unit: whole(1, 247),
});

const phaseSwitch = object({
  onePhase: described(lineShape(), 'active: the contactor connects L1 only; off: all three phases'),
  feedback: described(optional(debouncedShape()), 'active while L1 only is connected'),
});

const thermometer = object({
  file: described(path(), 'in thousandths of a degree Celsius, as the kernel shows hwmon and 1-wire sensors'),
  steps: described(
    optional(listOf(object({ fromC: decimal(0, 150, 'C'), factor: decimal(0, 1) }), 1)),
    'from each temperature on, the share of maxA that is left; default: 65 C half, 68 C a quarter',
  ),
  stopC: described(
    optional(decimal(0, 150, 'C')),
    'from here on nothing is charged, until it is 10 K cooler; default 70',
  ),
});

const rcd = object({
  tripped: described(debouncedShape(), 'active while the RCD has tripped; the RCD itself has to break the coil'),
  test: described(
    optional(
      object({
        ...line,
        tripsWithinMs: described(optional(decimal(20, 5_000, 'ms')), 'from the output to the trip; default 1000'),
        recoversWithinMs: described(
          optional(decimal(20, 10_000, 'ms')),
          'from the end of the output to the RCD being ready again; default 3000',
        ),
      }),
    ),
    'an output that works its test button',
  ),
});

const connector = object({
  id: whole(1, 64),
  maxA: decimal(6, 80, 'A'),
  phases: oneOf(1, 3),
  evse: v.variant(
    'driver',
    [comparatorPilot, peakHoldPilot, burstPilot, controller],
    'an object whose driver is comparatorPilot, peakHoldPilot, burstPilot or controller',
  ),
  lock: optional(
    object({
      lock: lineShape(),
      unlock: lineShape(),
      locked: debouncedShape(),
      pulseMs: optional(decimal(50, 3_000, 'ms')),
    }),
  ),
  proximity: optional(
    object({
      present: debouncedShape(),
      atLeast20A: debouncedShape(),
      atLeast32A: debouncedShape(),
      atLeast63A: debouncedShape(),
      short: described(
        optional(debouncedShape()),
        'below 75 ohm: a short circuit, nothing is charged; absent: that reads as 63 A',
      ),
    }),
  ),
  phaseSwitch: optional(phaseSwitch),
  thermometer: optional(thermometer),
  rcd: described(optional(rcd), 'the residual current device of this connector'),
});

const label = () => v.pipe(word(80), v.regex(/^[^,]+$/, 'a label without commas'));

const gpio = object({
  backend: described(
    optional(oneOf('auto', 'character-device', 'sysfs', 'onoff')),
    'auto (default): /dev/gpiochipN where the kernel has it, else sysfs by the optional package onoff; onoff is the older word for sysfs',
  ),
  chip: described(
    optional(v.union([label(), listOf(label(), 1)], 'a label, a list of labels, or auto')),
    'as gpioinfo shows it: pinctrl-bcm2835 (Pi 3, Zero 2 W), pinctrl-bcm2711 (Pi 4), pinctrl-rp1 (Pi 5); auto (default): any of them',
  ),
});

/** The name of a thing stands for one thing: a member is there, or another. */
const device = v.union(
  [object({ path: path() }), object({ name: text(200) }), object({ phys: text(200) })],
  'one of path, name and phys',
);

const normalise = object({
  typed: described(
    optional(oneOf('text', 'hex', 'decimal')),
    'what a keyboard reader types; default text: kept as it is',
  ),
  bytes: described(optional(whole(1, 10)), 'of a typed decimal number; default 4'),
  reverse: described(optional(yesNo()), 'the last byte first'),
  as: described(optional(oneOf('hex', 'decimal')), 'how the bytes are written; default hex'),
  digits: described(optional(whole(1, 20)), 'filled up with zeros in front to so many'),
  case: described(optional(oneOf('upper', 'lower')), 'default: hexadecimal digits upper case, typed text as it is'),
  prefix: described(optional(word(16)), 'stands before it'),
});

const anyReader = {
  connectors: described(optional(listOf(whole(1, 64), 1)), 'those that it serves; default: all'),
  normalise: optional(normalise),
};

const reader = v.variant(
  'driver',
  [
    object({
      driver: v.literal('pn532'),
      port: path(),
      baudRate: optional(whole(9600, 1_288_000)),
      ...anyReader,
    }),
    object({ driver: v.literal('keyboard'), device, ...anyReader }),
  ],
  'an object whose driver is pn532 or keyboard',
);

const turns = v.union(
  [oneOf('on'), listOf(whole(20, 60_000, 'ms'), 1)],
  'on, or a list of milliseconds: on, off, on, ...',
);
/** What the lines of an indicator do while one thing is shown. */
export const patternShape = object({
  red: optional(turns),
  green: optional(turns),
  blue: optional(turns),
  buzzer: described(optional(turns), 'sounds once'),
});

const indicator = object({
  connector: described(whole(0, 64), '0 is the whole charge point'),
  lines: object({
    red: optional(lineShape()),
    green: optional(lineShape()),
    blue: optional(lineShape()),
    buzzer: optional(lineShape()),
  }),
  patterns: described(
    optional(
      object({
        Available: optional(patternShape),
        Preparing: optional(patternShape),
        Charging: optional(patternShape),
        SuspendedEV: optional(patternShape),
        SuspendedEVSE: optional(patternShape),
        Finishing: optional(patternShape),
        Reserved: optional(patternShape),
        Unavailable: optional(patternShape),
        Faulted: optional(patternShape),
        offline: optional(patternShape),
        accepted: optional(patternShape),
        refused: optional(patternShape),
      }),
    ),
    'in place of the usual ones; offline: instead of Available while there is no link; accepted, refused: once, for a tag',
  ),
});

const faultCodes = Object.keys(FAULTS) as FaultCode[];

/** A board as its file has it: an EVSE controller is named there, and described in a file of its own. */
export type BoardPage = Omit<BoardDescription, 'connectors'> & {
  readonly connectors: readonly (Omit<ConnectorDescription, 'evse'> & {
    readonly evse: OwnPilotEvseDescription | NamedController;
  })[];
};

export const boardShape: v.GenericSchema<unknown, BoardPage> = object({
  name: text(80),
  gpio: optional(gpio),
  sysfsRoot: optional(path()),
  connectors: listOf(connector, 1),
  inputs: optional(
    listOf(
      object({
        ...debounced,
        fault: oneOf(...faultCodes),
        connector: whole(0, 64),
        clearsAfterMs: optional(decimal(0, 600_000, 'ms')),
        info: optional(text(50)),
        vendorErrorCode: optional(text(50)),
      }),
    ),
  ),
  mains: optional(debouncedShape()),
  dimming: described(optional(debouncedShape()), 'active while the grid operator asks for less power'),
  deadMan: described(
    optional(object({ ...line, periodMs: optional(decimal(20, 200, 'ms')) })),
    'goes back and forth while the pilots are watched; a monostable behind it (< 300 ms) holds the supply of the coils',
  ),
  readers: described(optional(listOf(reader)), 'what reads the tags of drivers'),
  indicators: described(optional(listOf(indicator)), 'lamps and buzzers'),
});

/** The shape of config/boards/*.yaml; yields exactly a BoardDescription. */
import * as v from 'valibot';
import type { BoardDescription } from '../../../hal/board-description.ts';
import type { FaultCode } from '../../../hal/contract.ts';
import { FAULTS } from '../../../hal/faults.ts';
import { decimal, described, listOf, object, oneOf, optional, path, text, whole, word, yesNo } from '../vocabulary.ts';

const line = { line: whole(0, 1023), activeLow: optional(yesNo()) };
const lineShape = () => object(line);

export const busEntries = {
  port: path(),
  baudRate: optional(whole(300, 1_000_000)),
  parity: optional(oneOf('none', 'even', 'odd')),
  stopBits: optional(oneOf(1, 2)),
};

const contactor = object({
  coil: lineShape(),
  mirror: lineShape(),
  releaseMs: described(
    decimal(0, 100, 'ms'),
    'from the coil being off to the main contacts being open; see its datasheet',
  ),
  mirrorWithinMs: optional(decimal(100, 2_000, 'ms')),
});

const comparatorPilot = object({
  driver: v.literal('comparatorPilot'),
  pwm: object({ device: word(200), channel: whole(0, 31), inverted: optional(yesNo()) }),
  comparators: object({
    above10V5: lineShape(),
    above7V5: lineShape(),
    above4V5: lineShape(),
    above1V5: lineShape(),
    belowMinus10V5: optional(lineShape()),
  }),
  contactor,
  filterMs: optional(decimal(0, 40, 'ms')),
});

const controller = object({
  driver: v.literal('controller'),
  model: oneOf('evse-wb'),
  bus: object(busEntries),
  unit: whole(1, 247),
});

const phaseSwitch = object({
  onePhase: described(lineShape(), 'active: the contactor connects L1 only; off: all three phases'),
  feedback: described(optional(lineShape()), 'active while L1 only is connected'),
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

const connector = object({
  id: whole(1, 64),
  maxA: decimal(6, 80, 'A'),
  phases: oneOf(1, 3),
  evse: v.variant('driver', [comparatorPilot, controller], 'an object whose driver is comparatorPilot or controller'),
  lock: optional(
    object({
      lock: lineShape(),
      unlock: lineShape(),
      locked: lineShape(),
      pulseMs: optional(decimal(50, 3_000, 'ms')),
    }),
  ),
  proximity: optional(
    object({ present: lineShape(), atLeast20A: lineShape(), atLeast32A: lineShape(), atLeast63A: lineShape() }),
  ),
  phaseSwitch: optional(phaseSwitch),
  thermometer: optional(thermometer),
});

const faultCodes = Object.keys(FAULTS) as FaultCode[];

export const boardShape: v.GenericSchema<unknown, BoardDescription> = object({
  name: text(80),
  gpio: optional(object({ backend: oneOf('onoff'), chip: word(80) })),
  sysfsRoot: optional(path()),
  connectors: listOf(connector, 1),
  inputs: optional(
    listOf(
      object({
        ...line,
        fault: oneOf(...faultCodes),
        connector: whole(0, 64),
        clearsAfterMs: optional(decimal(0, 600_000, 'ms')),
        info: optional(text(50)),
        vendorErrorCode: optional(text(50)),
      }),
    ),
  ),
  mains: optional(lineShape()),
  dimming: described(optional(lineShape()), 'active while the grid operator asks for less power'),
});

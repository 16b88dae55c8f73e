/** The shape of config/controllers/*.yaml; yields exactly a ControllerMap. */
import * as v from 'valibot';
import type { FaultCode, PilotState } from '../../../hal/contract.ts';
import { FAULTS } from '../../../hal/faults.ts';
import type { ControllerMap } from '../../../hal/modbus/controller-map.ts';
import { decimal, described, listOf, object, oneOf, optional, text, whole } from '../vocabulary.ts';

const address = () => whole(0, 0xffff);
const bit = () => whole(0, 15);

const code = () => v.pipe(v.string(), v.regex(/^(\d{1,5}|[A-Z]\d?)$/, 'a number, or a letter and a digit'));
const state = () => oneOf<PilotState[]>('A', 'B', 'C', 'D', 'E', 'F');

export const controllerShape: v.GenericSchema<unknown, ControllerMap> = object({
  model: text(80),
  source: text(400),
  verified: v.union([oneOf('onDevice', 'onPaper'), v.literal(false)], 'one of onDevice, onPaper, false'),
  because: described(optional(text(400)), 'what is doubted'),
  serial: object({
    baudRate: whole(300, 1_000_000),
    parity: oneOf('none', 'even', 'odd'),
    stopBits: oneOf(1, 2),
  }),
  silenceMs: decimal(0, 1_000, 'ms'),
  timeoutMs: decimal(10, 5_000, 'ms'),
  write: described(oneOf('single', 'block'), 'function 6, or function 16'),
  whenSilent: described(
    oneOf('keepsCurrent', 'withdraws'),
    'what it does while nobody speaks to it: goes on as it was told last, or takes the current away',
  ),
  settings: described(
    optional(listOf(object({ address: address(), value: whole(0, 0xffff), what: text(200) }), 1)),
    'holding registers that decide whether it obeys; written only where they differ',
  ),
  poll: described(
    listOf(object({ function: oneOf('holding', 'input', 'coils'), address: address(), count: whole(1, 64) }), 1),
    'one request each, every half second',
  ),
  current: object({
    address: address(),
    mostA: whole(6, 80, 'A'),
    enable: described(optional(address()), 'a coil without which nothing is offered'),
    hundredths: optional(
      object({ address: address(), bit: bit(), firmware: address(), sinceFirmware: whole(0, 0xffff) }),
    ),
  }),
  vehicle: object({
    address: address(),
    as: oneOf('number', 'text'),
    codes: v.record(code(), state(), 'an object: code to state'),
  }),
  closed: v.union(
    [object({ address: address(), bit: bit() }), object({ codes: listOf(code(), 1) })],
    'a bit, or codes',
  ),
  cable: optional(object({ address: address(), none: listOf(whole(0, 0xffff)) })),
  faults: listOf(
    object({
      address: address(),
      bit: bit(),
      code: oneOf(...(Object.keys(FAULTS) as FaultCode[])),
      vendorErrorCode: optional(text(50)),
    }),
  ),
});

/** What the registers of a controller mean, by its page of data. */
import { describe, expect, it } from 'vitest';
import {
  cableIn,
  contactorIn,
  currentIn,
  faultsIn,
  type Registers,
  vehicleIn,
} from '../../../hal/modbus/controller-map.ts';
import { controllerFile } from './controller-maps.ts';

const registers = (values: { readonly [address: number]: number }): Registers =>
  new Map(Object.entries(values).map(([address, value]) => [Number(address), value]));
const text = (letters: string): number => letters.charCodeAt(0) * 256 + (letters.charCodeAt(1) || 0);

describe('EVSE-WB / EVSE-DIN', () => {
  const map = controllerFile('evse-wb-din');

  it.each([
    [1, 'A'],
    [2, 'B'],
    [3, 'C'],
    [4, 'D'],
    [5, 'E'],
    [0, 'E'],
    [6, 'E'],
  ] as const)('vehicle state %d is %s', (code, state) => {
    expect(vehicleIn(map, registers({ 1002: code }))).toBe(state);
  });

  it('has its contactor in bit 0, its current in 1000, its cable in 1003', () => {
    const closed = registers({ 1000: 16, 1003: 20, 1007: 1 });
    expect([contactorIn(map, closed), currentIn(map, closed), cableIn(map, closed)]).toEqual(['closed', 16, 20]);
    expect([contactorIn(map, registers({ 1007: 0xfffe })), cableIn(map, registers({ 1003: 0 }))]).toEqual([
      'open',
      undefined,
    ]);
  });
});

describe('Phoenix Contact EV-CC', () => {
  const map = controllerFile('phoenix-ev-cc');

  it.each([
    ['A1', 'A', 'open'],
    ['B1', 'B', 'open'],
    ['B2', 'B', 'open'],
    ['C1', 'C', 'open'],
    ['C2', 'C', 'closed'],
    ['D2', 'D', 'closed'],
    ['E', 'E', 'open'],
    ['E0', 'E', 'open'],
    ['F0', 'F', 'open'],
    ['??', 'E', 'open'],
  ] as const)('status %s is %s with the contactor %s', (status, state, contactor) => {
    const seen = registers({ 24000: text(status) });
    expect([vehicleIn(map, seen), contactorIn(map, seen)]).toEqual([state, contactor]);
  });

  it('has a current only with its coil', () => {
    expect(currentIn(map, registers({ 20000: 0, 22000: 16 }))).toBe(0);
    expect(currentIn(map, registers({ 20000: 1, 22000: 16 }))).toBe(16);
  });

  it('has no cable rating while PP is open or shorted', () => {
    expect([0, 0xffff, 32].map((amps) => cableIn(map, registers({ 24001: amps })))).toEqual([undefined, undefined, 32]);
  });
});

it('a fault that several bits mean is flagged by any of them, once', () => {
  const map = {
    ...controllerFile('evse-wb-din'),
    faults: [
      { address: 1007, bit: 1, code: 'groundFault' },
      { address: 1007, bit: 2, code: 'groundFault' },
    ] as const,
  };
  expect([0, 2, 4, 6].map((flags) => faultsIn(map, registers({ 1007: flags })))).toEqual(
    [false, true, true, true].map((flagged) => [{ code: 'groundFault', flagged }]),
  );
});

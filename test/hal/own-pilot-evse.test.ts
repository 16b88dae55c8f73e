/** An EVSE made of a pilot and a contactor of our own: which of the two is told first. */
import { describe, expect, it } from 'vitest';
import type { PilotState } from '../../hal/contract.ts';
import { type OwnPilotEvse, ownPilotEvse } from '../../hal/own-pilot-evse.ts';
import { tryAll } from '../../hal/try-all.ts';
import { VirtualClock } from '../sim/virtual-clock.ts';

const EIO = new Error('EIO');

/** Charges at 16 A, and notes from then on what it tells the coil and the EV. */
function charging() {
  const coil = { isBroken: false };
  const told: string[] = [];
  const listeners: ((state: PilotState) => void)[] = [];
  const evse = ownPilotEvse({
    pilot: {
      state: 'C',
      lookedAt: 0,
      signal: (offer) => told.push(`${offer}`),
      onState: (listener) => {
        listeners.push(listener);
        return () => {};
      },
    },
    contactor: {
      feedback: 'closed',
      open: () => {
        if (coil.isBroken) throw EIO;
        told.push('open');
      },
      close: () => told.push('close'),
      onFeedback: () => () => {},
    },
    ventilated: false,
    clock: new VirtualClock(),
  });
  evse.offer(16);
  evse.permit(true);
  expect(told.splice(0)).toContain('close');
  const become = (state: PilotState) => {
    for (const listener of listeners) listener(state);
  };
  return { evse, become, told, coil };
}

type Happening = [string, (parts: { evse: OwnPilotEvse; become: (state: PilotState) => void }) => void];
const AT_ONCE: Happening[] = [
  ['a trip', ({ evse }) => evse.trip('test')],
  ['a pilot of E', ({ become }) => become('E')],
  ['a pilot of F that nobody signals', ({ become }) => become('F')],
  ['an EV that is gone', ({ become }) => become('A')],
];

describe('an EVSE with a pilot of its own', () => {
  it.each(AT_ONCE)('opens the contactor, and only then takes the offer back: %s', (_, happen) => {
    const parts = charging();
    happen(parts);
    expect(parts.told).toEqual(['open', 'x1']);
    expect(parts.evse.signalled).toBe('x1');
  });

  it.each<Happening>([
    ...AT_ONCE,
    [
      'a permit that ends, and the offer with it',
      ({ evse }) => tryAll([() => evse.permit(false), () => evse.offer('x1')]),
    ],
  ])('takes the offer back although the coil cannot be told to open, and keeps that from nobody: %s', (_, happen) => {
    const parts = charging();
    parts.coil.isBroken = true;
    expect(() => happen(parts)).toThrow(EIO);
    expect(parts.told).toEqual(['x1']);
    expect([parts.evse.signalled, parts.evse.commanded]).toEqual(['x1', 'closed']);
  });

  it('signals F although the coil cannot be told to open', () => {
    const { evse, told, coil } = charging();
    coil.isBroken = true;
    expect(() => evse.offer('F')).toThrow(EIO);
    expect(told).toEqual(['F']);
  });

  it('leaves it to the EV to let go where the offer is withdrawn', () => {
    const { evse, become, told } = charging();
    evse.offer('x1');
    expect(told).toEqual(['x1']);
    become('B');
    expect(told).toEqual(['x1', 'open']);
  });
});

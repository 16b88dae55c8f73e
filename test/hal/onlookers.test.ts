/** Who looks on at a contactor: told what the coil was told, after it was, and no hindrance to anything. */
import { describe, expect, it } from 'vitest';
import type { Contactor } from '../../hal/contract.ts';
import { relayContactor } from '../../hal/gpio/relay-contactor.ts';
import { Interlock } from '../../hal/interlock.ts';
import { MockContactor } from '../../hal/mock/mock-contactor.ts';
import { VirtualClock } from '../sim/virtual-clock.ts';
import { FakeInput, FakeOutput } from './gpio/fake-lines.ts';

const DRIVERS: readonly (readonly [
  string,
  () => { contactor: Contactor; coil: () => 'open' | 'closed' | undefined },
])[] = [
  [
    'relay',
    () => {
      const [coil, mirror] = [new FakeOutput(), new FakeInput()];
      coil.onWrite = (on) => mirror.set(on);
      return { contactor: relayContactor(coil, mirror), coil: () => (coil.on ? 'closed' : 'open') };
    },
  ],
  [
    'mock',
    () => {
      const contactor = new MockContactor();
      return { contactor, coil: () => contactor.history.at(-1) };
    },
  ],
];

function charging(contactor: Contactor): Interlock {
  const interlock = new Interlock(contactor, { ventilated: false, clock: new VirtualClock() });
  interlock.pilot('C');
  interlock.offered(16);
  interlock.permit(true);
  return interlock;
}

describe.each(DRIVERS)('who looks on at a contactor (%s)', (_, make) => {
  it('hears what the coil was told, by whomever, once it was', () => {
    const { contactor, coil } = make();
    const seen: unknown[] = [];
    contactor.onCommand?.((command) => seen.push([command, coil()]));
    const interlock = charging(contactor);
    interlock.pilot('B');
    expect(seen).toEqual([
      ['open', 'open'],
      ['close', 'closed'],
      ['open', 'open'],
    ]);
  });

  it('throws in vain: the contactor opens all the same, and the others hear of it', () => {
    const { contactor, coil } = make();
    const interlock = charging(contactor);
    const heard: string[] = [];
    contactor.onCommand?.(() => {
      throw new Error('no more paper');
    });
    contactor.onCommand?.((command) => heard.push(command));
    interlock.trip('test');
    expect([coil(), contactor.feedback, heard]).toEqual(['open', 'open', ['open']]);
  });

  it('hears nothing any more once it has left', () => {
    const { contactor } = make();
    const heard: string[] = [];
    contactor.onCommand?.((command) => heard.push(command))();
    charging(contactor);
    expect(heard).toEqual([]);
  });
});

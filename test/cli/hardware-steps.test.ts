/** The steps of `chargepoint doctor` on a board, where the typed command has no such hardware. */
import { expect, it } from 'vitest';
import type { ContactorState } from '../../hal/contract.ts';
import { FaultBook } from '../../hal/fault-book.ts';
import { watchRcd } from '../../hal/rcd.ts';
import { HARDWARE_STEPS, type HardwareContext } from '../../src/cli/hardware-steps.ts';
import { seconds, VirtualClock } from '../sim/virtual-clock.ts';

interface Rcd {
  readonly contactor: ContactorState;
  readonly trips: boolean;
}

async function rcdStep({ contactor, trips }: Rcd): Promise<{ readonly outcome: string; readonly detail: string }> {
  const clock = new VirtualClock();
  const book = new FaultBook();
  const evse = { state: { pilot: 'A', contactor } as const, onState: () => () => {}, trip() {}, release() {} };
  book.attach(1, evse);
  let tell = (_tripped: boolean): void => {};
  const device = {
    tripped: false,
    onTripped: (listener: typeof tell) => {
      tell = listener;
      return () => {};
    },
    test(on: boolean) {
      if (!trips) return;
      device.tripped = on;
      tell(on);
    },
  };
  watchRcd({ connectorId: 1, device, evse, book, clock, every: 'session' });
  const access = {
    board: {
      connectors: [{ id: 1, evse }],
      get faults() {
        return book.current;
      },
      onFault: book.onChange.bind(book),
    },
    clock,
    ended: new AbortController().signal,
  };
  const board = { connectors: [{ id: 1, rcd: { tripped: { line: 1 }, test: { line: 2 } } }] };
  const context = { config: { board }, board: async () => access } as unknown as HardwareContext;
  const result = HARDWARE_STEPS.find(({ id }) => id === 'rcd')?.run(context);
  await clock.advance(seconds(10));
  return (await result) as Awaited<ReturnType<typeof rcdStep>>;
}

it.each<[string, Rcd, string, RegExp]>([
  ['passes one that trips and recovers', { contactor: 'open', trips: true }, 'PASS', /it trips, and recovers/],
  ['fails one that does not trip', { contactor: 'open', trips: false }, 'FAIL', /does not trip/],
  ['fails one that a closed contactor keeps from its test', { contactor: 'closed', trips: true }, 'FAIL', /not tested/],
])('the RCD self-test %s', async (_, rcd, outcome, detail) => {
  const result = await rcdStep(rcd);
  expect(result.outcome).toBe(outcome);
  expect(result.detail).toMatch(detail);
});

/** What happens to the installed profiles while one of them is on its way to the disk. */
import { expect, it } from 'vitest';
import type { ChargingProfile } from '../../../src/core/smart-charging/profile.ts';
import { ProfileShelf, type ShelfOptions } from '../../../src/features/smart-charging/shelf.ts';
import type { Change } from '../../../src/station/station.ts';
import { VirtualClock } from '../../sim/virtual-clock.ts';
import { silentLog } from '../../sim/world.ts';

const profile = (chargingProfileId: number, more: Partial<ChargingProfile> = {}): ChargingProfile => ({
  chargingProfileId,
  stackLevel: 0,
  chargingProfilePurpose: 'TxProfile',
  chargingProfileKind: 'Relative',
  chargingSchedule: { chargingRateUnit: 'A', chargingSchedulePeriod: [{ startPeriod: 0, limit: 10 }] },
  ...more,
});
const TX = { name: 'transaction', transaction: { id: 'tx', idTag: 'ABC' } };
const KEYS: Readonly<Record<string, unknown>> = {
  ChargingScheduleAllowedChargingRateUnit: ['Current', 'Power'],
  ChargeProfileMaxStackLevel: 100,
  ChargingScheduleMaxPeriods: 500,
  MaxChargingProfilesInstalled: 100,
};

/** Two connectors with a transaction each; `slow` writes wait for the call of what it returns. */
async function twoTransactions() {
  const phases = new Map<number, object>([1, 2].map((id) => [id, TX]));
  let follow = (_: Change): void => {};
  let gate: Promise<void> = Promise.resolve();
  const shelf = new ProfileShelf({
    station: {
      connector: (id: number) => ({ id, phase: phases.get(id) }),
      onChange: (listener: typeof follow) => {
        follow = listener;
        return () => {};
      },
    },
    board: { connectors: [] },
    limits: { bound: () => {} },
    transactions: { interrupted: [], transactionId: () => undefined, beganAt: () => 0 },
    settings: { get: ({ name }: { name: string }) => KEYS[name] },
    config: { installation: { nominalV: 230, phases: 3 }, options: {} },
    store: { list: async () => [], batch: () => gate },
    clock: new VirtualClock(),
    log: silentLog,
  } as unknown as ShelfOptions);
  await shelf.open();
  for (const id of [1, 2]) expect(await shelf.set(id, profile(id))).toBeUndefined();
  const slow = (): (() => void) => {
    let go = (): void => {};
    gate = new Promise((resolve) => {
      go = resolve;
    });
    return go;
  };
  const end = (id: number): void => {
    phases.set(id, { name: 'idle' });
    follow({ before: { id, phase: TX }, after: { id, phase: { name: 'idle' } }, at: 0 } as unknown as Change);
  };
  return { shelf, slow, end };
}

it.each([
  [
    'another one is set',
    (shelf: ProfileShelf) => shelf.set(1, profile(7, { chargingProfilePurpose: 'TxDefaultProfile' })),
  ],
  ['another one is cleared', (shelf: ProfileShelf) => shelf.clear({ id: 1 })],
] as const)('a TxProfile whose transaction ends while %s does not come back', async (_, change) => {
  const { shelf, slow, end } = await twoTransactions();
  const go = slow();
  const changed = change(shelf);
  await new Promise((resolve) => setImmediate(resolve));
  end(2);
  go();
  await changed;
  expect(await shelf.clear({ id: 2 })).toBe(false);
});

/** Values on the grid of the UTC day, with and without a transaction (OCPP 1.6 sections 3.16.2 and 9.1.5, errata 3.16). */
import { nextOnGrid } from '../../core/metering/schedule.ts';
import type { Cancel } from '../../ports.ts';
import { type Context, isOnline } from '../feature.ts';
import type { Metered } from './metered.ts';
import { clockAlignedDataInterval, meterValuesAlignedData, stopTxnAlignedData } from './metering.keys.ts';
import { reportNotQueued } from './report.ts';

/** Wall times of fractions of a millisecond are cut off on the wire: 11:59:59.9999 must not become 11:59:59.999. */
const GRAIN_MS = 0.001;

export class ClockAligned {
  readonly #places: readonly Metered[];
  readonly #context: Context;
  #timer: Cancel | undefined;

  constructor(places: readonly Metered[], context: Context) {
    this.#places = places;
    this.#context = context;
  }

  /** Anew after a change of the interval and after a jump of wall time. */
  rearm(): void {
    this.#arm(this.#context.clock.wall(this.#context.clock.now()));
  }

  stop(): void {
    this.#timer?.();
    this.#timer = undefined;
  }

  #arm(after: number): void {
    const { clock, settings } = this.#context;
    this.stop();
    const intervalMs = settings.get(clockAlignedDataInterval) * 1000;
    if (intervalMs === 0) return;
    const now = clock.now();
    const due = nextOnGrid(after, intervalMs);
    this.#timer = clock.after(due - clock.wall(now), () => {
      const late = clock.wall(clock.now()) - due;
      const at = clock.now() - late;
      for (const place of this.#places) void this.#sample(place, clock.wall(at) < due ? at + GRAIN_MS : at);
      this.#arm(Math.max(due, clock.wall(clock.now())));
    });
  }

  async #sample(place: Metered, at: number): Promise<void> {
    const { settings, transactions } = this.#context;
    // Errata 3.16: the transaction is the one at the moment of the sample, not at that of a slow answer.
    const { id, transaction } = place;
    const items = settings.get(meterValuesAlignedData);
    // Without a transaction values are not queued: offline nothing would come of a reading.
    if (transaction === undefined && (items.length === 0 || !isOnline(this.#context))) return;
    const look = await place.look();
    if (look === undefined) return;
    const values = look.values(items, 'Sample.Clock');
    if (transaction === undefined) return reportNotQueued(this.#context, id, { values, at });
    const kept = look.values(settings.get(stopTxnAlignedData), 'Sample.Clock');
    await transactions.sample({ connectorId: id, transaction, series: 'clock', at, values, kept });
  }
}

/** Sampled values of a running transaction: at its start plus exact multiples of the interval (OCPP 1.6 section 3.16.1). */
import { nextPeriodic } from '../../core/metering/schedule.ts';
import type { Cancel } from '../../ports.ts';
import type { Context } from '../feature.ts';
import type { Metered } from './metered.ts';
import { meterValueSampleInterval, meterValuesSampledData, stopTxnSampledData } from './metering.keys.ts';

export class Periodic {
  readonly #metered: Metered;
  readonly #context: Context;
  #timer: Cancel | undefined;
  /** Monotonic start of the transaction; undefined while none runs. */
  #origin: number | undefined;

  constructor(metered: Metered, context: Context) {
    this.#metered = metered;
    this.#context = context;
  }

  begin(origin: number): void {
    this.#origin = origin;
    this.rearm();
  }

  end(): void {
    this.#origin = undefined;
    this.#timer?.();
    this.#timer = undefined;
  }

  /** The interval has changed: the next sample is due at a multiple of the new one, still from the start of the transaction. */
  rearm(): void {
    if (this.#origin !== undefined) this.#arm(this.#origin, this.#context.clock.now());
  }

  /** The next sample after `after`; what is due meanwhile is not made up for. */
  #arm(origin: number, after: number): void {
    const { clock, settings } = this.#context;
    this.#timer?.();
    this.#timer = undefined;
    const intervalMs = settings.get(meterValueSampleInterval) * 1000;
    if (intervalMs === 0) return;
    const due = nextPeriodic(origin, after, intervalMs);
    this.#timer = clock.after(due - clock.now(), () => {
      void this.#sample(due);
      this.#arm(origin, Math.max(due, clock.now()));
    });
  }

  /** What a slow meter says after the transaction has ended is not taken by the journal any more. */
  async #sample(at: number): Promise<void> {
    const { settings, transactions } = this.#context;
    const { id, transaction } = this.#metered;
    const look = await this.#metered.look();
    if (look === undefined || transaction === undefined) return;
    await transactions.sample({
      connectorId: id,
      transaction,
      series: 'periodic',
      at,
      values: look.values(settings.get(meterValuesSampledData), 'Sample.Periodic'),
      kept: look.values(settings.get(stopTxnSampledData), 'Sample.Periodic'),
    });
  }
}

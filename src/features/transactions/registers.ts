/** Looks at the import registers of the connectors' meters, in bounded time. */
import type { EnergyMeter, Reading } from '../../../hal/contract.ts';
import { figuresOf } from '../../core/metering/figures.ts';
import { wholeUnits } from '../../core/metering/sampled-value.ts';
import type { Clock, Log } from '../../ports.ts';

/** How long a stop waits for the current to be gone and the register to answer. */
const WITHIN_MS = 2000;
const AGAIN_MS = 100;
/** Less than this on every line is no current. */
const NO_CURRENT_A = 0.25;

export interface RegistersOptions {
  readonly meters: ReadonlyMap<number, EnergyMeter>;
  readonly clock: Clock;
  readonly log: Log;
}

export class Registers {
  readonly #options: RegistersOptions;

  constructor(options: RegistersOptions) {
    this.#options = options;
  }

  /** Whole Wh of the meter's own import register, if this reading has it. */
  wholeWh(connectorId: number, { values }: Reading): number | undefined {
    const register = figuresOf(values, this.#options.meters.get(connectorId)?.offers ?? {}).energyImport?.sum;
    return register === undefined ? undefined : wholeUnits(register);
  }

  /**
   * The register as it is now: a reading that was under way already, and may show what was before a contactor opened, is followed by
   * another one. Undefined if the meter does not answer in time. Never rejects.
   */
  async once(connectorId: number): Promise<Reading | undefined> {
    const { meters, clock, log } = this.#options;
    const meter = meters.get(connectorId);
    if (meter === undefined) return undefined;
    const asked = clock.now();
    const look = (): Promise<Reading | undefined> => within(asked + WITHIN_MS - clock.now(), meter.read(), clock);
    try {
      const first = await look();
      return first === undefined || first.at >= asked ? first : ((await look()) ?? first);
    } catch (cause) {
      log.warn('the register cannot be read: the last journalled value counts', { connectorId, cause });
      return undefined;
    }
  }

  /** The contactor is open, but a register that still runs would show more later than was reported. */
  async withoutCurrent(connectorId: number): Promise<Reading | undefined> {
    const { clock } = this.#options;
    const until = clock.now() + WITHIN_MS;
    for (;;) {
      const reading = await this.once(connectorId);
      if (reading === undefined || !hasCurrent(reading) || clock.now() >= until) return reading;
      await new Promise<void>((resolve) => void clock.after(AGAIN_MS, resolve));
    }
  }
}

const hasCurrent = ({ values }: Reading): boolean =>
  [values.current?.L1, values.current?.L2, values.current?.L3].some((current) => (current ?? 0) > NO_CURRENT_A);

/** Resolves to undefined if `promise` takes longer. */
const within = <T>(ms: number, promise: Promise<T>, clock: Clock): Promise<T | undefined> =>
  new Promise((resolve, reject) => {
    const cancel = clock.after(ms, () => resolve(undefined));
    promise.then(resolve, reject).finally(cancel);
  });

/** InvalidMessages (security whitepaper, section 8): at most one a minute, however many come. */
import type { Clock } from '../../ports.ts';
import type { SecurityEvents } from '../feature.ts';

const ONCE_IN_MS = 60_000;

export class InvalidMessages {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #events: Pick<SecurityEvents, 'report'>;
  #notBefore = Number.NEGATIVE_INFINITY;
  #unsaid = 0;

  constructor(clock: Pick<Clock, 'now'>, events: Pick<SecurityEvents, 'report'>) {
    this.#clock = clock;
    this.#events = events;
  }

  /** `what` says what is wrong, without a value of the message. */
  notice(what: string): void {
    const now = this.#clock.now();
    if (now < this.#notBefore) {
      this.#unsaid++;
      return;
    }
    this.#events.report('InvalidMessages', this.#unsaid === 0 ? what : `${what}; ${this.#unsaid} more before`);
    this.#notBefore = now + ONCE_IN_MS;
    this.#unsaid = 0;
  }
}

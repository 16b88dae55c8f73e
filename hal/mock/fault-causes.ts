/** Tells the fault book what the mock hardware sees and what a person declares: two sources, so that neither takes the other's fault away. */
import type { FaultCode } from '../contract.ts';
import type { FaultBook } from '../fault-book.ts';

export interface FaultDetails {
  readonly info?: string;
  readonly vendorErrorCode?: string;
  readonly vendorId?: string;
}

export class FaultCauses {
  readonly #book: FaultBook;
  readonly #connectorId: number;
  readonly #declared = new Set<FaultCode>();
  readonly #observed = new Set<FaultCode>();

  constructor(book: FaultBook, connectorId: number) {
    this.#book = book;
    this.#connectorId = connectorId;
  }

  /** Null: repaired and reset, whatever the latch rule; a reset takes every repaired fault of this connector along. */
  declare(code: FaultCode, details: FaultDetails | null): void {
    if (details !== null) {
      this.#declared.add(code);
      this.#book.raise({ code, connectorId: this.#connectorId, ...details }, 'declared');
    } else if (this.#declared.delete(code)) {
      this.#book.clear(code, this.#connectorId, 'declared');
      this.#book.reset(this.#connectorId);
    }
  }

  /** The cause is, or is not, there. The latch rules decide what becomes of the fault. */
  observe(code: FaultCode, present: boolean): void {
    if (present === this.#observed.has(code)) return;
    if (present) {
      this.#observed.add(code);
      this.#book.raise({ code, connectorId: this.#connectorId }, 'observed');
    } else {
      this.#observed.delete(code);
      this.#book.clear(code, this.#connectorId, 'observed');
    }
  }
}

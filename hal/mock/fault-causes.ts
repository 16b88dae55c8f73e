/** Joins what the mock hardware sees with what a person declares, so that neither takes the other's fault away. */
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
  readonly #declared = new Map<FaultCode, FaultDetails>();
  readonly #observed = new Set<FaultCode>();

  constructor(book: FaultBook, connectorId: number) {
    this.#book = book;
    this.#connectorId = connectorId;
  }

  /** Null: repaired and reset, whatever the latch rule; a reset takes every repaired fault of this connector along. */
  declare(code: FaultCode, details: FaultDetails | null): void {
    if (details !== null) {
      this.#declared.set(code, details);
      this.#book.raise({ code, connectorId: this.#connectorId, ...details });
    } else if (this.#declared.delete(code)) {
      if (this.#observed.has(code)) this.#raise(code);
      else {
        this.#book.clear(code, this.#connectorId);
        this.#book.reset(this.#connectorId);
      }
    }
  }

  /** The cause is, or is not, there. The latch rules decide what becomes of the fault. */
  observe(code: FaultCode, present: boolean): void {
    if (present === this.#observed.has(code)) return;
    if (present) this.#observed.add(code);
    else this.#observed.delete(code);
    if (this.#declared.has(code)) return;
    if (present) this.#raise(code);
    else this.#book.clear(code, this.#connectorId);
  }

  #raise(code: FaultCode): void {
    this.#book.raise({ code, connectorId: this.#connectorId });
  }
}

/** What the station needs to have written down before it goes on; the transactions room implements it. */
import type { Stop, Transaction } from '../core/connector/state.ts';

export interface Begin {
  readonly connectorId: number;
  readonly idTag: string;
  readonly parentIdTag?: string;
  readonly reservationId?: number;
  /** Monotonic time of the authorisation that has a plug. */
  readonly at: number;
}

export interface End {
  readonly connectorId: number;
  readonly transaction: Transaction;
  readonly stop: Stop;
}

export interface Journal {
  /** Resolves once the start is durable. Rejects with a StoreError: then nothing begins. */
  begin(begin: Begin): Promise<Transaction>;
  /** Resolves once the stop is durable, or is at least held in memory while the store is in trouble. Never rejects. */
  end(end: End): Promise<void>;
}

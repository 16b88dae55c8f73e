/** What bounds the offer of a connector, or of all of them together. Types only. */
import type { PerPhase } from './grid.ts';

export type BoundSource =
  | 'asymmetry'
  | 'cable'
  | 'chargingProfile'
  | 'dimming'
  | 'energyManager'
  | 'fuse'
  | 'gridConnection'
  | 'installation'
  | 'temperature';

export interface Bound {
  readonly source: BoundSource;
  /** 0: all connectors together. */
  readonly connectorId: number;
  /** Ampere per phase; the least, where phases differ. */
  readonly limitA: number;
  /** Of connector 0 only: on R, S and T. */
  readonly perPhase?: PerPhase;
  /** One clause of at most 50 characters. The same text for all limits below 6 A, unless each change of it is worth a message. */
  readonly reason: string;
  /** Safety: a decrease does not wait for the pace of changes. */
  readonly urgent?: true;
  /** It is meant for one phase; three where it does not say. */
  readonly phases?: 1;
  /** Charging below this is inefficient, in ampere per phase. */
  readonly leastA?: number;
}

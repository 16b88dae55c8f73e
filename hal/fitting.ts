/** What the configuration says about what hangs on a board: connectors, their meters, the connection of the house. Types only. */
import type { BusDescription } from './board-description.ts';
import type { RegisterMap } from './modbus/register-map.ts';

export interface MeterFitting {
  readonly map: RegisterMap;
  readonly bus: BusDescription;
  readonly unit: number;
}

/** What the configuration says about a connector; `ConnectorConfig` fits. */
export interface Fitting {
  readonly id: number;
  readonly cable: 'socket' | 'attached';
  readonly maxA: number;
  readonly phases: 1 | 3;
  readonly ventilated: boolean;
  readonly meter?: MeterFitting;
}

/** What the configuration says about the house that the charge point shares a connection with; `GridConnectionConfig` fits. */
export interface GridFitting {
  /** In ampere per phase. */
  readonly fuseA: number;
  readonly meter?: MeterFitting;
}

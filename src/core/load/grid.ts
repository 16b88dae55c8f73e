/** The three phases of the grid, and which of them a connector is wired to (OCPP 1.6 section 9.1.7). Pure. */

/** R, S and T. */
export type GridPhase = 0 | 1 | 2;
/** Ampere on R, S and T. */
export type PerPhase = readonly [number, number, number];
/** Ampere on L1, L2 and L3 of a connector. */
export type PerLine = readonly [number, number, number];

/** The values of ConnectorPhaseRotation. */
export type Rotation = 'NotApplicable' | 'Unknown' | 'RST' | 'RTS' | 'SRT' | 'STR' | 'TRS' | 'TSR';

const ALL: readonly GridPhase[] = [0, 1, 2];
export const NO_CURRENT: PerPhase = [0, 0, 0];

/** The grid phases of L1, L2 and L3; undefined: nobody has said, and it may be any of them. */
function orderOf(rotation: Rotation): readonly GridPhase[] | undefined {
  if (rotation === 'NotApplicable' || rotation === 'Unknown') return undefined;
  return [...rotation].map((letter) => 'RST'.indexOf(letter) as GridPhase);
}

export interface Wiring {
  /** What a current of this connector may flow on; all where it is not known on which. */
  readonly phases: readonly GridPhase[];
  /** What was measured at the connector, as the grid sees it. */
  onGrid(draw: PerLine): PerPhase;
}

/** `connected`: how many phases the contactor connects; `supply`: how many there are. */
export function wiringOf(rotation: Rotation, connected: 1 | 3, supply: 1 | 3): Wiring {
  if (supply === 1) return { phases: [0], onGrid: (draw) => [Math.max(...draw), 0, 0] };
  const order = orderOf(rotation);
  if (order === undefined)
    return {
      phases: ALL,
      onGrid: (draw) => {
        const most = Math.max(...draw);
        return [most, most, most];
      },
    };
  return {
    phases: order.slice(0, connected),
    onGrid: (draw) => {
      const amps: [number, number, number] = [0, 0, 0];
      for (const [line, phase] of order.entries()) amps[phase] = draw[line as GridPhase];
      return amps;
    },
  };
}

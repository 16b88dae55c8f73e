/** What the board sees at this moment, each with what it stands for. */
import type { Board, BoardInput, ConnectorHardware, Fault, PilotState } from '../../../hal/contract.ts';
import { FAULTS } from '../../../hal/faults.ts';

export const PILOT_MEANS: { readonly [state in PilotState]: string } = {
  A: 'no EV',
  B: 'EV connected, asks for no power',
  C: 'EV asks for power',
  D: 'EV asks for power and ventilation',
  E: 'no pilot or shorted, or a level outside every window',
  F: 'not available',
};

export interface ConnectorInputs {
  readonly id: number;
  readonly pilot: PilotState;
  readonly pilotMeans: string;
  /** Mirror contact. */
  readonly contactor: 'open' | 'closed';
  /** An external controller closes the contactor itself, as soon as a current is offered to an EV that asks. */
  readonly externalController: boolean;
  /** Absent with an attached cable. */
  readonly locked?: boolean;
  /** Null: no plug in the socket. Absent with an attached cable. */
  readonly cableA?: number | null;
  readonly phases: 1 | 3;
  /** Null: the thermometer does not answer. */
  readonly celsius?: number | null;
  readonly operations?: { readonly all: number; readonly underLoad: number; readonly life?: number };
}

export interface FaultView extends Fault {
  readonly stops: string;
  readonly clears: string;
}

export interface InputsView {
  readonly connectors: readonly ConnectorInputs[];
  /** Every wire that is read; `null`: it cannot be read now. */
  readonly wires: readonly {
    readonly name: string;
    readonly line: number;
    readonly on: boolean | null;
    /** While it is on. */
    readonly means: string;
  }[];
  readonly mains: 'on' | 'failing';
  readonly dimming?: boolean;
  /** The loops that open the contactors make progress. */
  readonly watched: boolean;
  readonly faults: readonly FaultView[];
}

export const inputsOf = (board: Board): InputsView => ({
  connectors: board.connectors.map(connectorInputs),
  wires: (board.wires ?? []).map((wire) => ({
    name: wire.name,
    line: wire.line,
    on: levelOf(wire),
    means: meaningOf(wire),
  })),
  mains: board.mains,
  ...(board.dimming === undefined ? {} : { dimming: board.dimming.active }),
  watched: board.watched,
  faults: faultsOf(board),
});

const STOPS = {
  charging: 'charging',
  offer: 'the offer',
  moment: 'the offer for a moment',
  nothing: 'nothing',
} as const;
const CLEARS = {
  itself: 'by itself when its cause is gone',
  unplug: 'when the EV is unplugged, or by a reset',
  reset: 'by a reset, once its cause is gone',
} as const;

export const faultsOf = (board: Pick<Board, 'faults'>): readonly FaultView[] =>
  board.faults.map((fault) => ({
    ...fault,
    stops: STOPS[FAULTS[fault.code].blocks],
    clears: CLEARS[FAULTS[fault.code].clears],
  }));

/** By the end of the name; the first that fits. */
const MEANINGS: readonly (readonly [end: RegExp, means: string])[] = [
  [/\.mirror$/, 'the contactor is closed'],
  [/\.locked$/, 'the plug is locked'],
  [/\.present$/, 'a plug is in the socket'],
  [/\.atLeast(\d+)A$/, 'cable for $1 A or more'],
  [/\.above(\d+)V(\d+)$/, 'pilot above $1.$2 V'],
  [/\.belowMinus(\d+)V(\d+)$/, 'pilot below -$1.$2 V'],
  [/\.tripped$/, 'the RCD has tripped'],
  [/\.feedback$/, 'only L1 is connected'],
  [/^mains$/, 'the mains are failing'],
  [/^dimming$/, 'the grid operator asks for less'],
];

function meaningOf({ name, fault }: BoardInput): string {
  if (fault !== undefined) return `fault ${fault}`;
  for (const [end, means] of MEANINGS) {
    const found = end.exec(name);
    if (found !== null) return found[0].replace(end, means);
  }
  return '-';
}

/** A wire that is lost must not hide the others. */
function levelOf(input: { readonly on: boolean }): boolean | null {
  try {
    return input.on;
  } catch {
    return null;
  }
}

function connectorInputs({ id, evse, lock, proximity, phases, phaseSwitch, derating, wear }: ConnectorHardware) {
  const { pilot, contactor } = evse.state;
  const life = wear?.life === undefined ? {} : { life: wear.life.operations };
  return {
    id,
    pilot,
    pilotMeans: PILOT_MEANS[pilot],
    contactor,
    externalController: evse.exercise === undefined,
    ...(lock === undefined ? {} : { locked: lock.locked }),
    ...(proximity === undefined ? {} : { cableA: proximity.cableA ?? null }),
    phases: phaseSwitch?.phases ?? phases,
    ...(derating === undefined ? {} : { celsius: derating.celsius ?? null }),
    ...(wear === undefined
      ? {}
      : { operations: { all: wear.counts.operations, underLoad: wear.counts.underLoad, ...life } }),
  };
}

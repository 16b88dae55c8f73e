/** The measurands that we give, as one table, and the items of the lists that choose them (OCPP 1.6 sections 7.31, 7.34 and 9.1.17). Pure. */
import type { Line } from '../../../hal/contract.ts';
import type { Figure, Figures } from './figures.ts';

export type Measurand =
  | 'Current.Import'
  | 'Current.Offered'
  | 'Energy.Active.Export.Register'
  | 'Energy.Active.Import.Register'
  | 'Energy.Reactive.Export.Register'
  | 'Energy.Reactive.Import.Register'
  | 'Frequency'
  | 'Power.Active.Export'
  | 'Power.Active.Import'
  | 'Power.Factor'
  | 'Power.Offered'
  | 'Power.Reactive.Export'
  | 'Power.Reactive.Import'
  | 'SoC'
  | 'Temperature'
  | 'Voltage';

type PhaseLine = Exclude<Line, 'sum'>;
export type Phase = PhaseLine | `${Exclude<PhaseLine, 'N'>}-N`;
export type Location = 'Body' | 'EV' | 'Inlet' | 'Outlet';
/** `Celcius` so spelt is in every edition of the schemas (OCPP-J errata 2.1). */
type Unit = 'A' | 'Celcius' | 'Percent' | 'V' | 'W' | 'Wh' | 'var' | 'varh';

export interface Mapping {
  readonly figure: Figure;
  /** Frequency has no unit in OCPP 1.6: it is in hertz. Power.Factor has none at all. */
  readonly unit?: Unit;
  readonly decimals: number;
  /** Where it is measured, if not at the connector. */
  readonly location?: Location;
  /** The phase of each line that has one; `sum` is the value of all phases together and has none. */
  readonly phases?: { readonly [line in PhaseLine]?: Phase };
  /** Counts up for ever. Its total goes alone: who takes the last register of a message as the register must not find that of a phase. */
  readonly isRegister?: true;
}

const PHASES = { L1: 'L1', L2: 'L2', L3: 'L3' } as const;
const PHASES_AND_NEUTRAL = { ...PHASES, N: 'N' } as const;
/** Section 7.34: a voltage is between a phase and neutral. */
const TO_NEUTRAL = { L1: 'L1-N', L2: 'L2-N', L3: 'L3-N' } as const;
const REGISTER = { decimals: 0, phases: PHASES, isRegister: true } as const;

export const MAPPINGS: { readonly [measurand in Measurand]: Mapping } = {
  'Current.Import': { figure: 'current', unit: 'A', decimals: 3, phases: PHASES_AND_NEUTRAL },
  'Current.Offered': { figure: 'offeredCurrent', unit: 'A', decimals: 1 },
  'Energy.Active.Export.Register': { ...REGISTER, figure: 'energyExport', unit: 'Wh' },
  'Energy.Active.Import.Register': { ...REGISTER, figure: 'energyImport', unit: 'Wh' },
  'Energy.Reactive.Export.Register': { ...REGISTER, figure: 'reactiveEnergyExport', unit: 'varh' },
  'Energy.Reactive.Import.Register': { ...REGISTER, figure: 'reactiveEnergyImport', unit: 'varh' },
  Frequency: { figure: 'frequency', decimals: 2 },
  'Power.Active.Export': { figure: 'activePowerExport', unit: 'W', decimals: 1, phases: PHASES },
  'Power.Active.Import': { figure: 'activePower', unit: 'W', decimals: 1, phases: PHASES },
  'Power.Factor': { figure: 'powerFactor', decimals: 3, phases: PHASES },
  'Power.Offered': { figure: 'offeredPower', unit: 'W', decimals: 0 },
  'Power.Reactive.Export': { figure: 'reactivePowerExport', unit: 'var', decimals: 1, phases: PHASES },
  'Power.Reactive.Import': { figure: 'reactivePower', unit: 'var', decimals: 1, phases: PHASES },
  SoC: { figure: 'stateOfCharge', unit: 'Percent', decimals: 0, location: 'EV' },
  Temperature: { figure: 'temperature', unit: 'Celcius', decimals: 1, location: 'Body' },
  Voltage: { figure: 'voltage', unit: 'V', decimals: 1, phases: TO_NEUTRAL },
};

export const MEASURANDS = Object.keys(MAPPINGS) as readonly Measurand[];

/** An item of a list: a measurand with all that the meter has of it, or one phase of it (`Voltage.L1`, the same as `Voltage.L1-N`). */
export type Item = Measurand | `${Measurand}.${Phase}`;

export interface Selection {
  readonly measurand: Measurand;
  /** Absent: the total, and except for registers every phase. */
  readonly line?: PhaseLine;
}

const SELECTIONS: ReadonlyMap<Item, Selection> = new Map(MEASURANDS.flatMap(entriesOf));

function entriesOf(measurand: Measurand): readonly [Item, Selection][] {
  const phases = Object.entries(MAPPINGS[measurand].phases ?? {}) as [PhaseLine, Phase][];
  const ofPhases = phases.flatMap(([line, phase]): [Item, Selection][] =>
    [...new Set<Phase>([line, phase])].map((name) => [`${measurand}.${name}`, { measurand, line }]),
  );
  return [[measurand, { measurand }], ...ofPhases];
}

/** Every item that a list may hold, whatever the meter. */
export const ITEMS: readonly Item[] = [...SELECTIONS.keys()];

/** What an item chooses. Throws for what is no item: lists have been parsed. */
export function selectionOf(item: Item): Selection {
  const selection = SELECTIONS.get(item);
  if (selection === undefined) throw new Error(`${item} is no measurand`);
  return selection;
}

/** Whether figures of this kind hold what an item asks for. */
export function offers(available: Figures, item: Item): boolean {
  const { measurand, line } = selectionOf(item);
  const lines = available[MAPPINGS[measurand].figure];
  return line === undefined ? lines !== undefined : lines?.[line] !== undefined;
}

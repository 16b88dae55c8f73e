/** From a reading of the meter to sampled values (OCPP 1.6 sections 7.31 to 7.45). Pure. */
import type { Line, Quantity, Reading } from '../../../hal/contract.ts';

/** OCPP 1.6 section 7.43, as far as we give it. */
export interface SampledValue {
  readonly value: string;
  readonly context: ReadingContext;
  readonly measurand: Measurand;
  readonly phase?: Phase;
  readonly location: Location;
  readonly unit?: Unit;
}

export type ReadingContext = 'Sample.Clock' | 'Sample.Periodic' | 'Transaction.Begin' | 'Transaction.End' | 'Trigger';
type PhaseLine = Exclude<Line, 'sum'>;
type Phase = PhaseLine | `${Exclude<PhaseLine, 'N'>}-N`;
type Location = 'Body' | 'EV' | 'Outlet';
type Unit = 'A' | 'Celsius' | 'Percent' | 'V' | 'W' | 'Wh' | 'var' | 'varh';

export type Measurand =
  | 'Current.Import'
  | 'Energy.Active.Export.Register'
  | 'Energy.Active.Import.Register'
  | 'Energy.Reactive.Export.Register'
  | 'Energy.Reactive.Import.Register'
  | 'Frequency'
  | 'Power.Active.Import'
  | 'Power.Factor'
  | 'Power.Reactive.Import'
  | 'SoC'
  | 'Temperature'
  | 'Voltage';

interface Mapping {
  readonly quantity: Quantity;
  readonly unit?: Unit;
  readonly decimals: number;
  readonly location: Location;
  /** Phase of a line, or undefined for a value of all phases together. */
  readonly phaseOf: (line: Line) => Phase | undefined;
  /** Registers are counted down to whole units, as meterStart and meterStop are. */
  readonly isRegister?: boolean;
}

const ofLine = (line: Line): Phase | undefined => (line === 'sum' ? undefined : line);
/** Section 7.34: voltages are between a phase and neutral. */
const toNeutral = (line: Line): Phase | undefined => (line === 'sum' || line === 'N' ? undefined : `${line}-N`);

const outlet = { location: 'Outlet', phaseOf: ofLine } as const;

const MAPPINGS: { readonly [measurand in Measurand]: Mapping } = {
  'Current.Import': { ...outlet, quantity: 'current', unit: 'A', decimals: 3 },
  'Energy.Active.Export.Register': { ...outlet, quantity: 'energyExport', unit: 'Wh', decimals: 0, isRegister: true },
  'Energy.Active.Import.Register': { ...outlet, quantity: 'energyImport', unit: 'Wh', decimals: 0, isRegister: true },
  'Energy.Reactive.Export.Register': {
    ...outlet,
    quantity: 'reactiveEnergyExport',
    unit: 'varh',
    decimals: 0,
    isRegister: true,
  },
  'Energy.Reactive.Import.Register': {
    ...outlet,
    quantity: 'reactiveEnergyImport',
    unit: 'varh',
    decimals: 0,
    isRegister: true,
  },
  Frequency: { ...outlet, quantity: 'frequency', decimals: 2 },
  'Power.Active.Import': { ...outlet, quantity: 'activePower', unit: 'W', decimals: 1 },
  'Power.Factor': { ...outlet, quantity: 'powerFactor', decimals: 3 },
  'Power.Reactive.Import': { ...outlet, quantity: 'reactivePower', unit: 'var', decimals: 1 },
  SoC: { ...outlet, location: 'EV', quantity: 'stateOfCharge', unit: 'Percent', decimals: 0 },
  Temperature: { ...outlet, location: 'Body', quantity: 'temperature', unit: 'Celsius', decimals: 1 },
  Voltage: { ...outlet, quantity: 'voltage', unit: 'V', decimals: 1, phaseOf: toNeutral },
};

export const MEASURANDS = Object.keys(MAPPINGS) as readonly Measurand[];

/** The measurands that a meter with these quantities can give. */
export const measurandsOf = (offered: Partial<Record<Quantity, unknown>>): readonly Measurand[] =>
  MEASURANDS.filter((measurand) => offered[MAPPINGS[measurand].quantity] !== undefined);

const LINES: readonly Line[] = ['sum', 'L1', 'L2', 'L3', 'N'];

/** Registers have one value for all phases; everything else is given for each line that the meter has. */
export function sampledValues(
  reading: Reading,
  measurands: readonly Measurand[],
  context: ReadingContext,
): readonly SampledValue[] {
  return measurands.flatMap((measurand) => {
    const { quantity, unit, decimals, location, phaseOf, isRegister } = MAPPINGS[measurand];
    const lines = reading.values[quantity] ?? {};
    const wanted = isRegister === true && lines.sum !== undefined ? (['sum'] as const) : LINES;
    return wanted.flatMap((line) => {
      const value = lines[line];
      if (value === undefined) return [];
      const phase = phaseOf(line);
      return [
        {
          value: isRegister === true ? wholeUnits(value).toFixed(0) : value.toFixed(decimals),
          context,
          measurand,
          ...(phase === undefined ? {} : { phase }),
          location,
          ...(unit === undefined ? {} : { unit }),
        },
      ];
    });
  });
}

/** A register in whole Wh, never more than it shows; a millionth forgives the arithmetic of the decoding. */
export const wholeUnits = (register: number): number => Math.floor(register + 1e-6);

/** From one look at the meter to sampled values (OCPP 1.6 sections 7.31 to 7.45). Pure. */
import type { Line } from '../../../hal/contract.ts';
import type { Figures } from './figures.ts';
import { type Location, MAPPINGS, type Mapping, type Measurand, type Phase, type Selection } from './measurands.ts';

/** OCPP 1.6 section 7.43, as far as we give it. */
export interface SampledValue {
  readonly value: string;
  readonly context: ReadingContext;
  readonly measurand: Measurand;
  readonly phase?: Phase;
  readonly location: Location;
  readonly unit?: NonNullable<Mapping['unit']>;
}

export type ReadingContext = 'Sample.Clock' | 'Sample.Periodic' | 'Transaction.Begin' | 'Transaction.End' | 'Trigger';

/** Where a meter sits: at a connector, or at the inlet of the whole charge point (its main meter). */
export type MeterLocation = Extract<Location, 'Inlet' | 'Outlet'>;

/** In the order of the selections, each value once. What the look does not hold, or holds as no number, is left out. */
export function sampledValues(
  figures: Figures,
  selections: readonly Selection[],
  context: ReadingContext,
  meterLocation: MeterLocation = 'Outlet',
): readonly SampledValue[] {
  const values = new Map<string, SampledValue>();
  for (const { measurand, line: chosen } of selections) {
    const { figure, unit, location = meterLocation, phases } = MAPPINGS[measurand];
    for (const line of chosen === undefined ? linesOf(MAPPINGS[measurand]) : [chosen]) {
      const value = figures[figure]?.[line];
      if (value === undefined || !Number.isFinite(value)) continue;
      const phase = line === 'sum' ? undefined : phases?.[line];
      values.set(`${measurand}.${line}`, {
        value: textOf(value, MAPPINGS[measurand]),
        context,
        measurand,
        ...(phase === undefined ? {} : { phase }),
        location,
        ...(unit === undefined ? {} : { unit }),
      });
    }
  }
  return [...values.values()];
}

const linesOf = ({ phases, isRegister }: Mapping): readonly Line[] =>
  isRegister ? ['sum'] : ['sum', ...(Object.keys(phases ?? {}) as Line[])];

/** Rounding may leave a minus before nothing but zeros. */
const textOf = (value: number, { decimals, isRegister }: Mapping): string =>
  (isRegister ? wholeUnits(value) : value).toFixed(decimals).replace(/^-(?=[0.]+$)/, '');

/** A register in whole Wh, never more than it shows; a millionth forgives the arithmetic of the decoding. */
export const wholeUnits = (register: number): number => Math.floor(register + 1e-6);

/** What one look gives: the meter's own values, what follows from them, and the connector's offer. Pure. */
import type { EnergyMeter, Line, Lines, Offer, Quantity, Values } from '../../../hal/contract.ts';

/** A quantity of the meter, or a figure that follows from other ones. */
export type Figure = Quantity | 'activePowerExport' | 'reactivePowerExport' | 'offeredCurrent' | 'offeredPower';
export type Figures = { readonly [figure in Figure]?: Lines };
type Offers = EnergyMeter['offers'];

/** What the connector tells the EV at this moment, on how many phases. */
export interface Offered {
  readonly offer: Offer;
  readonly phases: 1 | 3;
  /** Volt, as configured: an offer is a promise and no measurement, the power it stands for does not move with the mains. */
  readonly nominalV: number;
}

const PHASES = ['L1', 'L2', 'L3'] as const;
/** Quantities whose phases add up to the total. */
const ADDITIVE: readonly Quantity[] = [
  'activePower',
  'reactivePower',
  'energyImport',
  'energyExport',
  'reactiveEnergyImport',
  'reactiveEnergyExport',
];

/**
 * The values of a meter that offers `offered`, completed: a missing total is the sum of all its phases; active power is V x A x power
 * factor where the meter has none of its own; power is exported where the meter has an export register and the power is negative.
 * What cannot be known stays absent.
 */
export function figuresOf(values: Values, offered: Offers, connector?: Offered): Figures {
  const known = withTotals(withActivePower(values, offered), offered);
  return {
    ...known,
    ...(known.energyExport === undefined ? {} : exported('activePowerExport', known.activePower)),
    ...(known.reactiveEnergyExport === undefined ? {} : exported('reactivePowerExport', known.reactivePower)),
    ...(connector === undefined ? {} : offeredFigures(connector)),
  };
}

/** What looks at a meter with these quantities can hold; the numbers mean nothing. */
export function figuresOfferedBy(offered: Offers, hasConnector: boolean): Figures {
  const values = Object.entries(offered).map(([quantity, lines]) => [
    quantity,
    Object.fromEntries(lines.map((line) => [line, 1])),
  ]);
  return figuresOf(
    Object.fromEntries(values),
    offered,
    hasConnector ? { offer: 'x1', phases: 1, nominalV: 0 } : undefined,
  );
}

function withActivePower(values: Values, offered: Offers): Values {
  const { voltage, current, powerFactor } = values;
  if (offered.activePower !== undefined || powerFactor === undefined) return values;
  const lines = PHASES.flatMap((line) => {
    const [volt, ampere, factor] = [voltage?.[line], current?.[line], powerFactor[line] ?? powerFactor.sum];
    // Some meters give the factor a sign for inductive and capacitive: it is not the direction of the energy.
    return volt === undefined || ampere === undefined || factor === undefined
      ? []
      : [[line, volt * ampere * Math.abs(factor)] as const];
  });
  const isWhole = lines.length > 0 && lines.length === PHASES.filter((line) => offered.current?.includes(line)).length;
  return isWhole ? { ...values, activePower: { ...Object.fromEntries(lines), sum: total(lines) } } : values;
}

const total = (lines: readonly (readonly [Line, number])[]): number => lines.reduce((sum, [, value]) => sum + value, 0);

function withTotals(values: Values, offered: Offers): Values {
  const totals = ADDITIVE.flatMap((quantity) => {
    const lines = values[quantity];
    const wanted = PHASES.filter((line) => offered[quantity]?.includes(line) ?? false);
    if (lines === undefined || lines.sum !== undefined || wanted.length === 0) return [];
    const present = wanted.flatMap((line) => (lines[line] === undefined ? [] : [[line, lines[line]] as const]));
    return present.length === wanted.length ? [[quantity, { ...lines, sum: total(present) }] as const] : [];
  });
  return { ...values, ...Object.fromEntries(totals) };
}

function exported(figure: 'activePowerExport' | 'reactivePowerExport', power: Lines | undefined): Figures {
  if (power === undefined) return {};
  const lines = Object.entries(power) as [Line, number][];
  return { [figure]: Object.fromEntries(lines.map(([line, value]) => [line, Math.max(0, -value)])) };
}

/** `x1` and `F` offer nothing. */
function offeredFigures({ offer, phases, nominalV }: Offered): Figures {
  const amps = typeof offer === 'number' ? offer : 0;
  return { offeredCurrent: { sum: amps }, offeredPower: { sum: amps * nominalV * phases } };
}

/** One reading as `chargepoint meter` gets it, from the agent or from the bus, and what it looks like in 80 columns. */
import { columns, listOf, recordOf, textOf, wrapped } from './format.ts';

export interface MeterIdentity {
  readonly model: string;
  /** In `config/meters`, or a path; absent on the mock board. */
  readonly name?: string;
  readonly port?: string;
  readonly unit?: number;
  /** What of its map nothing but memory says. */
  readonly doubts: readonly string[];
}

export interface MeterAnswer extends MeterIdentity {
  /** Absent where the bus was asked directly. */
  readonly connector?: number;
  readonly serialNumber?: string;
  /** Quantity to line to number, in V, A, W, var, VA, Hz, Wh, varh, degree Celsius. */
  readonly values?: object;
  /** Instead of values. */
  readonly failure?: { readonly code: string; readonly message: string };
}

const LINES = ['sum', 'L1', 'L2', 'L3', 'N'] as const;

/** In the order in which a technician looks at them. */
const QUANTITIES: readonly (readonly [name: string, title: string, unit: string])[] = [
  ['voltage', 'Voltage', 'V'],
  ['current', 'Current', 'A'],
  ['activePower', 'Active power', 'W'],
  ['reactivePower', 'Reactive power', 'var'],
  ['apparentPower', 'Apparent power', 'VA'],
  ['powerFactor', 'Power factor', ''],
  ['frequency', 'Frequency', 'Hz'],
  ['energyImport', 'Energy import', 'Wh'],
  ['energyExport', 'Energy export', 'Wh'],
  ['reactiveEnergyImport', 'Reactive import', 'varh'],
  ['reactiveEnergyExport', 'Reactive export', 'varh'],
  ['temperature', 'Temperature', 'C'],
  ['stateOfCharge', 'State of charge', '%'],
];

type Shown = { readonly [name in keyof MeterAnswer]?: unknown };

/** Which meter it is, without its numbers. */
export function headText(answer: unknown): string {
  const { connector, model, port, unit, serialNumber, doubts } = recordOf(answer) as Shown;
  const where = port === undefined ? '' : `, unit ${textOf(unit)} on ${textOf(port)}`;
  const whose = connector === undefined ? '' : `Connector ${textOf(connector)}: `;
  const serial = serialNumber === undefined ? '' : `, serial number ${textOf(serialNumber)}`;
  return wrapped(`${whose}${textOf(model)}${where}${serial}`, 0) + doubtsText(doubts);
}

export const doubtsText = (doubts: unknown): string =>
  listOf(doubts)
    .map((doubt) => wrapped(`not verified: ${textOf(doubt)}`, 2))
    .join('');

/** The numbers as a table: a row for each quantity, a column for each line that the meter has. */
export function valuesText(values: unknown): string {
  const given = recordOf(values);
  const rows = QUANTITIES.filter(([name]) => given[name] !== undefined);
  const lines = LINES.filter((line) => rows.some(([name]) => recordOf(given[name])[line] !== undefined));
  return columns([
    ['', '', ...lines],
    ...rows.map(([name, title, unit]) => [
      title,
      unit,
      ...lines.map((line) => {
        const value = recordOf(given[name])[line];
        return value === undefined ? '' : textOf(value);
      }),
    ]),
  ]);
}

/** `230.1/230.4/229.9 V  16/15.9/16 A  11012 W  1234567 Wh`: what changes, in one line. */
export function lineText(values: unknown): string {
  const given = recordOf(values);
  const phases = (name: string): string =>
    LINES.slice(1, 4)
      .map((line) => recordOf(given[name])[line])
      .filter((value) => value !== undefined)
      .join('/');
  const total = (name: string): string => {
    const { sum } = recordOf(given[name]) as { sum?: unknown };
    return sum === undefined ? phases(name) : textOf(sum);
  };
  return [
    [phases('voltage'), 'V'],
    [phases('current'), 'A'],
    [total('activePower'), 'W'],
    [total('energyImport'), 'Wh'],
  ]
    .filter(([number]) => number !== '')
    .map(([number, unit]) => `${number} ${unit}`)
    .join('  ');
}

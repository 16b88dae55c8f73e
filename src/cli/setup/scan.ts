/** Looks for a meter on the bus for `chargepoint setup`, and turns what it has found into answers. */
import { HalError } from '../../../hal/hal-error.ts';
import type { ScanResult } from '../../../hal/modbus/scan.ts';
import type { Answers } from '../../config/setup/answers.ts';
import { columns } from '../format.ts';
import type { Io } from '../io.ts';
import type { Asker } from './dialogue.ts';
import type { Terminal } from './terminal.ts';

/** Where meters come from the factory. */
const UNITS: readonly number[] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 33, 45];

export interface Candidate {
  readonly unit: number;
  /** In config/meters. */
  readonly name: string;
  readonly model: string;
  /** `9600 none 1`. */
  readonly serial: string;
}

/** Every map that fits a device that has answered. */
export const candidatesOf = ({ devices }: ScanResult): readonly Candidate[] =>
  devices.flatMap(({ unit, fits, settings: { baudRate, parity, stopBits } }) =>
    fits.map(({ name, map }) => ({ unit, name, model: map.model, serial: `${baudRate} ${parity} ${stopBits}` })),
  );

/** A candidate as the answers for `owner`. */
export const answersOf = (owner: string, { unit, name, serial }: Candidate): Answers => ({
  [`${owner}.meter`]: name,
  [`${owner}.unit`]: String(unit),
  [`${owner}.serial`]: serial,
});

/** The only candidate, or the one that is chosen from several; undefined for none. */
export async function choose(candidates: readonly Candidate[], asker: Asker): Promise<Candidate | undefined> {
  if (candidates.length <= 1) return candidates[0];
  asker.say(columns(candidates.map(({ unit, name, model }, at) => [`  ${at + 1}`, `unit ${unit}`, name, model])));
  const chosen = (await asker.line('Which number? [none]: '))?.trim() ?? '';
  return /^\d+$/.test(chosen) ? candidates[Number(chosen) - 1] : undefined;
}

/** Undefined if nothing was found or chosen; it has been said why. */
export const scanFor =
  (io: Io, terminal: Terminal) =>
  async (port: string, owner: string): Promise<Answers | undefined> => {
    // In a --json run only the summary goes to stdout.
    const told: Io = { ...io, out: terminal.say, err: terminal.say, isTerminal: true };
    const result = await terminal.aside(() => scanPort(told, port));
    const candidate = result && (await choose(candidatesOf(result), terminal));
    return candidate && answersOf(owner, candidate);
  };

async function scanPort(io: Io, port: string): Promise<ScanResult | undefined> {
  const [{ scanned }, { busyText, portFor, refusalFor }, { scanText }] = await Promise.all([
    import('../meter.ts'),
    import('../meter-port.ts'),
    import('../meter-scan-text.ts'),
  ]);
  if (typeof portFor(io, port) === 'number') return undefined;
  if ((await refusalFor(io, {}, port)) !== undefined) return undefined;
  try {
    const result = await scanned(io, port, { units: UNITS });
    io.out(scanText(port, result));
    return result;
  } catch (error) {
    if (!(error instanceof HalError)) throw error;
    io.err(busyText(port, error.cause ?? error));
    return undefined;
  }
}

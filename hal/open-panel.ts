/** What a driver of an EV meets at the charge point: readers, lamps, buzzers. */
import type { IndicatorDescription, LineDescription, ReaderDescription } from './board-description.ts';
import type { Indicator, IndicatorLine, Surroundings, TagReader } from './contract.ts';
import type { FaultBook } from './fault-book.ts';
import type { OutputLine } from './gpio/line.ts';

export interface PanelSite {
  readonly surroundings: Surroundings;
  readonly keep: (close: () => void | Promise<void>) => void;
}

export interface ReaderSite extends PanelSite {
  readonly connectors: readonly number[];
  readonly sysfsRoot: string;
  readonly book: Pick<FaultBook, 'raise' | 'clear'>;
}

export interface IndicatorSite extends PanelSite {
  readonly openOutput: (line: LineDescription) => Promise<OutputLine>;
}

const LONGEST_INFO = 50;

/** One that is silent is a fault, and no reason not to open the board: who charges may be decided elsewhere. */
export async function openReaders(
  descriptions: readonly ReaderDescription[],
  { surroundings, keep, connectors, sysfsRoot, book }: ReaderSite,
): Promise<readonly TagReader[]> {
  if (descriptions.length === 0) return [];
  const { openReader, readerName } = await import('./rfid/open-reader.ts');
  const readers: TagReader[] = [];
  for (const description of descriptions) {
    const source = readerName(description);
    const onSilent = (silent: boolean): void => {
      if (!silent) book.clear('readerSilent', 0, source);
      else book.raise({ code: 'readerSilent', connectorId: 0, info: source.slice(-LONGEST_INFO) }, source);
    };
    const reader = await openReader(description, { ...surroundings, connectors, sysfsRoot, onSilent });
    keep(() => reader.close());
    readers.push(reader);
  }
  return readers;
}

/** Rejects as opening any other line does: a lamp that nobody finds is a mistake of the board file. */
export async function openIndicators(
  descriptions: readonly IndicatorDescription[],
  { surroundings, keep, openOutput }: IndicatorSite,
): Promise<readonly Indicator[]> {
  if (descriptions.length === 0) return [];
  const { indicatorOn } = await import('./gpio/indicator.ts');
  const indicators: Indicator[] = [];
  for (const { connector, lines } of descriptions) {
    const outputs = new Map<IndicatorLine, OutputLine>();
    for (const name of ['red', 'green', 'blue', 'buzzer'] as const) {
      const line = lines[name];
      if (line !== undefined) outputs.set(name, await openOutput(line));
    }
    const indicator = indicatorOn(connector, outputs, surroundings);
    keep(() => indicator.close());
    indicators.push(indicator);
  }
  return indicators;
}

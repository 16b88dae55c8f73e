/** What watches a connector beyond its pilot and its contactor: the meter, the RCD, the wear of the contactor. */
import type { DebouncedInputDescription, LineDescription, Protection, RcdDescription } from './board-description.ts';
import { watchWear } from './contactor-wear.ts';
import type { ContactorWear, EnergyMeter, Evse, Offer, PhaseSwitch, Surroundings } from './contract.ts';
import type { FaultBook, Trippable } from './fault-book.ts';
import type { InputLine, OutputLine } from './gpio/line.ts';

export interface ProtectionSite extends Surroundings {
  readonly connectorId: number;
  readonly evse: Evse & Trippable & { readonly signalled: Offer };
  readonly phases: 1 | 3;
  readonly phaseSwitch: PhaseSwitch | undefined;
  readonly protection: Protection;
  readonly book: FaultBook;
  openInput(line: DebouncedInputDescription): Promise<InputLine>;
  openOutput(line: LineDescription): Promise<OutputLine>;
  /** Takes what has to be closed, in reverse order. */
  keep(close: () => void): void;
}

/** The meter itself where there is nothing to watch, or where it does not measure that. */
export async function openMeterWatch(
  meter: EnergyMeter,
  { connectorId, evse, phases, phaseSwitch, protection, book, clock, keep }: ProtectionSite,
): Promise<EnergyMeter> {
  const overCurrent = meter.offers.current === undefined ? undefined : protection.overCurrent;
  const voltage = meter.offers.voltage === undefined ? undefined : protection.voltage;
  if (overCurrent === undefined && voltage === undefined) return meter;
  const { watchedMeter } = await import('./meter-watch.ts');
  const connected = () => phaseSwitch?.phases ?? phases;
  const watched = watchedMeter({ connectorId, evse, meter, phases: connected, protection, book, clock });
  keep(() => watched.close());
  return watched;
}

/** It is held open from here until the device has passed its first test. */
export async function openRcd(
  { tripped, test }: RcdDescription,
  { connectorId, evse, protection, book, clock, openInput, openOutput, keep }: ProtectionSite,
): Promise<void> {
  const [{ lineRcd }, { watchRcd }] = await Promise.all([import('./gpio/rcd.ts'), import('./rcd.ts')]);
  const input = await openInput(tripped);
  const output = test === undefined ? undefined : await openOutput(test);
  const { tripsWithinMs, recoversWithinMs } = test ?? {};
  const watch = watchRcd({
    connectorId,
    device: lineRcd(input, output),
    evse,
    book,
    clock,
    every: protection.rcdTest ?? 'session',
    ...(tripsWithinMs === undefined ? {} : { tripsWithinMs }),
    ...(recoversWithinMs === undefined ? {} : { recoversWithinMs }),
  });
  keep(() => watch.close());
}

export function openWear({ connectorId, evse, protection, book }: ProtectionSite): ContactorWear {
  const { contactorLife: life } = protection;
  return watchWear({ connectorId, evse, book, ...(life === undefined ? {} : { life }) });
}

/** What a board has once for all its connectors: fault inputs, mains, dimming, the meter of the grid connection, panel, dead man. */
import type { LineDescription } from './board-description.ts';
import type { BoardSite } from './board-site.ts';
import type { Board, DimmingContact, EnergyMeter } from './contract.ts';
import type { GridFitting } from './fitting.ts';
import type { MainsInput } from './gpio/inputs.ts';
import type { EvseParts } from './open-evse.ts';
import { tryAll } from './try-all.ts';

/** A fuse carries 1.6 times its rating for an hour: a reading that shows it must not pass for an impossible one. */
const MOST_OF_A_FUSE = 2;

export async function openFaultInputs(site: BoardSite): Promise<void> {
  const { faultInput } = await import('./gpio/inputs.ts');
  for (const input of site.description.inputs ?? []) {
    site.keep(faultInput(await site.openInput(input), input, site.book, site.surroundings.clock));
  }
}

/** A failing supply opens the contactor of every connector. */
export async function openMains(parts: readonly EvseParts[], site: BoardSite): Promise<MainsInput> {
  const { MAINS_ALWAYS_ON, mainsInput } = await import('./gpio/inputs.ts');
  if (site.description.mains === undefined) return MAINS_ALWAYS_ON;
  return mainsInput(
    await site.openInput(site.description.mains),
    () => {
      tryAll(parts.map((part) => () => part.evse.trip('mains')));
    },
    () => {
      for (const { evse } of parts) evse.release('mains');
    },
  );
}

export async function openDimming(site: BoardSite): Promise<DimmingContact | undefined> {
  if (site.description.dimming === undefined) return undefined;
  const { dimmingInput } = await import('./gpio/inputs.ts');
  const contact = dimmingInput(await site.openInput(site.description.dimming), site.surroundings.clock);
  site.keep(() => contact.close());
  return contact;
}

/** Its silence is no fault: who reads it falls back to a current that is safe without it. */
export async function openGridMeter(
  { fuseA, meter }: Partial<GridFitting>,
  site: BoardSite,
): Promise<EnergyMeter | undefined> {
  if (fuseA === undefined || meter === undefined) return undefined;
  const { log } = site.surroundings;
  const onSilent = (silent: boolean) => {
    if (silent) log.warn('the meter of the grid connection does not answer');
    else log.info('the meter of the grid connection answers again');
  };
  return site.openMeter(meter, { maxA: MOST_OF_A_FUSE * fuseA, phases: 3, onSilent });
}

export async function openPanel(site: BoardSite): Promise<Pick<Board, 'readers' | 'indicators'>> {
  const { connectors, readers = [], indicators = [] } = site.description;
  if (readers.length === 0 && indicators.length === 0) return { readers: [] };
  const { openIndicators, openReaders } = await import('./open-panel.ts');
  const panel = {
    surroundings: site.surroundings,
    book: site.book,
    connectors: connectors.map(({ id }) => id),
    sysfsRoot: site.sysfsRoot,
    openOutput: (line: LineDescription) => site.openOutput(line),
    keep: (close: () => void | Promise<void>) => site.keep(close),
  };
  return { indicators: await openIndicators(indicators, panel), readers: await openReaders(readers, panel) };
}

/** Ends before anything else is closed: then nothing is watched any more. */
export async function openDeadMan(watched: () => boolean, site: BoardSite): Promise<void> {
  const { deadMan } = site.description;
  if (deadMan === undefined) return;
  const { startDeadMan } = await import('./dead-man.ts');
  const output = await site.openOutput(deadMan);
  const stop = startDeadMan(output, deadMan, { watched, book: site.book, clock: site.surroundings.clock });
  site.closing.makeSafe(stop);
}

/** Board description -> Board: opens every driver, or none. */
import type { BoardDescription, Protection } from './board-description.ts';
import { BoardSite } from './board-site.ts';
import type { Board, ConnectorHardware, Surroundings } from './contract.ts';
import { DRIVERS, type Drivers } from './drivers.ts';
import type { Fitting, GridFitting } from './fitting.ts';
import { openDeadMan, openDimming, openFaultInputs, openGridMeter, openMains, openPanel } from './open-common.ts';
import { type ConnectorPlace, openConnector, openPlace } from './open-connector.ts';
import { isWatched } from './open-evse.ts';

export interface OpeningOptions {
  readonly gridConnection?: GridFitting;
  readonly protection?: Protection;
  readonly drivers?: Drivers;
}

/**
 * Opens the hardware: contactors open and pilots at x1 before anything else moves. Rejects with a HalError (badBoard, noSuchLine,
 * lineBusy, noPermission, noSuchPwm, pwmBusy, driverMissing) after everything that was opened is safe and closed again.
 */
export async function openBoard(
  description: BoardDescription,
  fittings: readonly Fitting[],
  surroundings: Surroundings,
  { gridConnection, protection = {}, drivers = DRIVERS }: OpeningOptions = {},
): Promise<Board> {
  const site = new BoardSite(description, { surroundings, drivers, protection });
  try {
    return await openAll(site, fittings, gridConnection);
  } catch (error) {
    // Its own failures are in the log; the cause is what matters.
    await site.closing.close().catch(() => {});
    throw error;
  }
}

async function openAll(
  site: BoardSite,
  fittings: readonly Fitting[],
  gridConnection: GridFitting | undefined,
): Promise<Board> {
  const { book, closing, wires } = site;
  // Every coil is off before anything takes its time.
  const places: ConnectorPlace[] = [];
  for (const fitting of fittings) places.push(await openPlace(fitting, site));
  const evses = places.map(({ parts }) => parts);
  const connectors: ConnectorHardware[] = [];
  for (const place of places) connectors.push(await openConnector(place, site));
  await openFaultInputs(site);
  const mains = await openMains(evses, site);
  const dimming = await openDimming(site);
  const gridMeter = await openGridMeter(gridConnection ?? {}, site);
  const panel = await openPanel(site);
  const watched = () => isWatched(evses, site.surroundings.clock);
  await openDeadMan(watched, site);
  await Promise.all(site.thermometers.map(({ ready }) => ready));
  return {
    connectors,
    ...panel,
    ...(dimming === undefined ? {} : { dimming }),
    ...(gridMeter === undefined ? {} : { gridMeter }),
    wires,
    get faults() {
      return book.current;
    },
    get mains() {
      return mains.mains;
    },
    get watched() {
      return watched();
    },
    onFault: (listener) => book.onChange(listener),
    onMains: (listener) => mains.onMains(listener),
    resetFaults: (connectorId) => book.reset(connectorId),
    close: () => closing.close(),
  };
}

/** The EVSE of a connector, with its own pilot or an external controller: open and at x1 from the start, and the first to be off. */
import {
  type ConnectorDescription,
  type ControllerEvseDescription,
  isOwnPilot,
  type OwnPilotEvseDescription,
} from './board-description.ts';
import type { BoardSite } from './board-site.ts';
import type { Evse, Monotonic, Offer, ProximityPilot, Timebase } from './contract.ts';
import type { Trippable } from './fault-book.ts';
import type { Fitting } from './fitting.ts';
import type { ControllerEvse } from './modbus/evse-controller.ts';

/** A pilot is sampled every 10 ms, and 50 ms without a sample is state E (IEC 61851-1 table A.6); the rest is the timer's. */
const PILOT_WITHIN_MS = 100;
/** A poll waits behind the meters on its bus and their attempts; one that never ends is what this is for. */
const CONTROLLER_WITHIN_MS = 10_000;

export interface EvseParts {
  readonly evse: Evse & Trippable & { readonly signalled: Offer };
  /** The contactor is open and stays so: the plug may be released. */
  mayUnlock(): boolean | Promise<boolean>;
  /** After a trip: the hardware has said that it took place. */
  off(): boolean;
  /** What opens its contactor looks at the hardware. */
  readonly loop: WatchedLoop;
  readonly proximity?: ProximityPilot;
}

/** A loop that has to go round for a contactor to be opened in time. */
interface WatchedLoop {
  lookedAt(): Monotonic;
  readonly withinMs: number;
}

export const isWatched = (parts: readonly EvseParts[], clock: Pick<Timebase, 'now'>): boolean =>
  parts.every(({ loop }) => clock.now() - loop.lookedAt() <= loop.withinMs);

export async function openEvse(
  description: ConnectorDescription,
  { ventilated }: Fitting,
  site: BoardSite,
): Promise<EvseParts> {
  const { evse } = description;
  const parts = isOwnPilot(evse)
    ? await openOwnPilotEvse(description.id, evse, ventilated, site)
    : await openControllerEvse(description, evse, ventilated, site);
  site.closing.awaitOff(() => parts.off());
  site.closing.makeSafe(() => parts.evse.trip('closing'));
  return parts;
}

async function openOwnPilotEvse(
  connectorId: number,
  description: OwnPilotEvseDescription,
  ventilated: boolean,
  site: BoardSite,
): Promise<EvseParts> {
  const { drivers, sysfsRoot, surroundings, book } = site;
  const { openPilotEvse } = await import('./gpio/open-pilot-evse.ts');
  const options = { sysfsRoot, clock: surroundings.clock };
  const evse = await openPilotEvse(description, {
    connectorId,
    ventilated,
    backend: await site.backend(),
    openPwm: (pwm) => drivers.pwm(pwm, options),
    openConverter: (converter) => drivers.converter(converter, options),
    book,
    surroundings,
    keep: (close) => site.keep(close),
  });
  const isOpen = () => evse.state.contactor === 'open';
  return { evse, mayUnlock: isOpen, off: isOpen, loop: { lookedAt: () => evse.lookedAt, withinMs: PILOT_WITHIN_MS } };
}

async function openControllerEvse(
  { id, maxA }: ConnectorDescription,
  { bus, map, unit }: ControllerEvseDescription,
  ventilated: boolean,
  site: BoardSite,
): Promise<EvseParts> {
  const { book, surroundings } = site;
  const { openController } = await import('./modbus/evse-controller.ts');
  const controller: ControllerEvse = await openController(await site.bus(bus, map.serial), map, {
    unit,
    connectorId: id,
    maxA,
    ventilated,
    book,
    surroundings,
  });
  site.keep(() => controller.stop());
  return {
    evse: controller,
    mayUnlock: () => controller.hasOpened(),
    off: () => controller.withdrawn,
    loop: { lookedAt: () => controller.lookedAt, withinMs: CONTROLLER_WITHIN_MS },
    proximity: controller.proximity,
  };
}

/** One connector: its EVSE first, so that every coil of the board is off, and later what stands around it. */
import { type ConnectorDescription, isOwnPilot } from './board-description.ts';
import type { BoardSite } from './board-site.ts';
import type {
  ConnectorHardware,
  ConnectorLock,
  Derating,
  EnergyMeter,
  PhaseSwitch,
  ProximityPilot,
} from './contract.ts';
import { faultOfSilentMeter } from './faults.ts';
import type { Fitting } from './fitting.ts';
import { type EvseParts, openEvse } from './open-evse.ts';
import type { ProtectionSite } from './open-protection.ts';

/** One connector while the board is opened. */
export interface ConnectorPlace {
  readonly fitting: Fitting;
  readonly description: ConnectorDescription;
  readonly parts: EvseParts;
}

export async function openPlace(fitting: Fitting, site: BoardSite): Promise<ConnectorPlace> {
  const description = site.description.connectors.find(({ id }) => id === fitting.id);
  if (description === undefined) throw site.bad(`has no connector ${fitting.id}`);
  return { fitting, description, parts: await openEvse(description, fitting, site) };
}

export async function openConnector(
  { fitting, description, parts }: ConnectorPlace,
  site: BoardSite,
): Promise<ConnectorHardware> {
  const phases = description.phases === 3 ? fitting.phases : 1;
  const phaseSwitch = phases === 3 ? await openSwitch(description, parts, site) : undefined;
  const derating = await openDerating(description, site);
  const socket = fitting.cable === 'socket' ? await openSocket(description, parts, site) : {};
  const protection = protectionSite({ connectorId: fitting.id, evse: parts.evse, phases, phaseSwitch }, site);
  const { openMeterWatch, openRcd, openWear } = await import('./open-protection.ts');
  if (description.rcd !== undefined) await openRcd(description.rcd, protection);
  return {
    id: fitting.id,
    evse: parts.evse,
    meter: await openMeterWatch(await openMeter(fitting, site), protection),
    wear: openWear(protection),
    ...socket,
    maxA: Math.min(description.maxA, fitting.maxA),
    phases,
    ...(phaseSwitch === undefined ? {} : { phaseSwitch }),
    ...(derating === undefined ? {} : { derating }),
  };
}

async function openSwitch(
  { id, evse: description, phaseSwitch }: ConnectorDescription,
  { evse }: EvseParts,
  site: BoardSite,
): Promise<PhaseSwitch | undefined> {
  if (phaseSwitch === undefined) return undefined;
  if (!isOwnPilot(description)) throw site.bad(`switches the phases of an EVSE controller at connector ${id}`);
  const { openPhaseSwitch } = await import('./gpio/open-phase-switch.ts');
  return openPhaseSwitch(phaseSwitch, {
    connectorId: id,
    evse,
    backend: await site.backend(),
    surroundings: site.surroundings,
    keep: (close) => site.keep(close),
  });
}

async function openDerating({ id, thermometer }: ConnectorDescription, site: BoardSite): Promise<Derating | undefined> {
  if (thermometer === undefined) return undefined;
  const { thermalWatch } = await import('./thermal-watch.ts');
  const { openThermometer } = await import('./thermometer.ts');
  const { file, ...limits } = thermometer;
  const read = await site.readText();
  const watch = thermalWatch({ connectorId: id, book: site.book, ...limits });
  const opened = openThermometer({ file, read, watch, ...site.surroundings });
  site.keep(() => opened.close());
  site.thermometers.push(opened);
  return watch;
}

async function openSocket(
  { id, lock, proximity }: ConnectorDescription,
  { evse, mayUnlock, proximity: measured }: EvseParts,
  site: BoardSite,
): Promise<{ lock: ConnectorLock; proximity: ProximityPilot }> {
  const { book, surroundings } = site;
  if (lock === undefined) throw site.bad(`has no lock for the socket of connector ${id}`);
  const cable = proximity === undefined ? measured : await openProximity(id, proximity, site);
  if (cable === undefined) throw site.bad(`cannot read the cable of connector ${id}: no proximity`);
  if (proximity !== undefined) {
    const { watchCable } = await import('./pilot-faults.ts');
    watchCable(cable, evse, { connectorId: id, book });
  }
  const { MotorLock } = await import('./gpio/connector-lock.ts');
  const motor = new MotorLock({
    lock: await site.openOutput(lock.lock),
    unlock: await site.openOutput(lock.unlock),
    locked: await site.openInput(lock.locked),
    ...(lock.pulseMs === undefined ? {} : { pulseMs: lock.pulseMs }),
    ...surroundings,
    mayUnlock,
    raise: (code) => book.raise({ code, connectorId: id }, 'lock'),
    clear: (code) => {
      book.clear(code, id, 'lock');
      // It may have left while the motor tried; no pilot would say so again.
      if (evse.state.pilot === 'A') book.unplugged(id);
    },
  });
  site.closing.makeSafe(() => motor.close());
  return { lock: motor, proximity: cable };
}

async function openProximity(
  connectorId: number,
  lines: NonNullable<ConnectorDescription['proximity']>,
  site: BoardSite,
): Promise<ProximityPilot> {
  const { book, surroundings } = site;
  const { comparatorProximity } = await import('./gpio/proximity.ts');
  return comparatorProximity({
    present: await site.openInput(lines.present),
    atLeast20A: await site.openInput(lines.atLeast20A),
    atLeast32A: await site.openInput(lines.atLeast32A),
    atLeast63A: await site.openInput(lines.atLeast63A),
    ...(lines.short === undefined ? {} : { short: await site.openInput(lines.short) }),
    clock: surroundings.clock,
    onFault: (isThere) => {
      if (isThere) book.raise({ code: 'proximityFault', connectorId }, 'proximity');
      else book.clear('proximityFault', connectorId, 'proximity');
    },
  });
}

async function openMeter({ id, maxA, phases, meter }: Fitting, site: BoardSite): Promise<EnergyMeter> {
  const { book, protection } = site;
  if (meter === undefined) throw site.bad(`needs a meter at connector ${id}: set connectors[].meter`);
  const onSilent = (silent: boolean) => {
    const code = faultOfSilentMeter(protection);
    if (silent) book.raise({ code, connectorId: id }, 'meter');
    else book.clear(code, id, 'meter');
  };
  return site.openMeter(meter, { maxA, phases, onSilent });
}

const protectionSite = (
  connector: Pick<ProtectionSite, 'connectorId' | 'evse' | 'phases' | 'phaseSwitch'>,
  site: BoardSite,
): ProtectionSite => ({
  ...connector,
  protection: site.protection,
  book: site.book,
  ...site.surroundings,
  openInput: (line) => site.openInput(line),
  openOutput: (line) => site.openOutput(line),
  keep: (close) => site.keep(close),
});

/** The limit of one second, evaluated the slow and obvious way: the witness against the sweep. Shares types only with it. */
import type { InstalledProfile, ProfileBook } from '../../../src/core/smart-charging/book.ts';
import type { Site } from '../../../src/core/smart-charging/limit.ts';
import type { ChargingProfile, ChargingSchedulePeriod } from '../../../src/core/smart-charging/profile.ts';

export interface NaiveLimit {
  amps: number;
  watts: number;
  phases: number;
}

const SECOND = 1000;
const floorToSecond = (ms: number) => ms - (((ms % SECOND) + SECOND) % SECOND);

/** The period of the profile in this second, by walking through the whole schedule. */
function periodNow(profile: ChargingProfile, now: number, relativeTo: number): ChargingSchedulePeriod | undefined {
  if (profile.validFrom !== undefined && now < floorToSecond(profile.validFrom)) return undefined;
  if (profile.validTo !== undefined && now >= floorToSecond(profile.validTo)) return undefined;
  const { startSchedule, duration, chargingSchedulePeriod } = profile.chargingSchedule;
  let start = profile.chargingProfileKind === 'Relative' ? relativeTo : (startSchedule ?? relativeTo);
  start = floorToSecond(start);
  if (now < start) return undefined;
  let elapsed = (now - start) / SECOND;
  if (profile.chargingProfileKind === 'Recurring') {
    const days = profile.recurrencyKind === 'Weekly' ? 7 : 1;
    while (elapsed >= days * 24 * 60 * 60) elapsed -= days * 24 * 60 * 60;
  }
  if (duration !== undefined && elapsed >= duration) return undefined;
  let current: ChargingSchedulePeriod | undefined;
  for (const period of chargingSchedulePeriod) if (period.startPeriod <= elapsed) current = period;
  return current;
}

interface Candidate {
  level: number;
  amps: number;
  phases: number;
}

function highest(
  installed: InstalledProfile[],
  now: number,
  relativeTo: (each: InstalledProfile) => number,
  phases: number,
  volts: number,
): Candidate | undefined {
  let best: Candidate | undefined;
  for (const each of installed) {
    const period = periodNow(each.profile, now, relativeTo(each));
    if (period === undefined) continue;
    if (best !== undefined && best.level >= each.profile.stackLevel) continue;
    const used = Math.min(phases, period.numberPhases ?? 3);
    const isPower = each.profile.chargingSchedule.chargingRateUnit === 'W';
    best = {
      level: each.profile.stackLevel,
      amps: isPower ? period.limit / volts / used : period.limit,
      phases: used,
    };
  }
  return best;
}

/** `from`: when the question was asked, in epoch milliseconds. */
export function naiveLimit(book: ProfileBook, connectorId: number, now: number, from: number, site: Site): NaiveLimit {
  const max = highest(
    book.filter(({ profile }) => profile.chargingProfilePurpose === 'ChargePointMaxProfile'),
    now,
    ({ installedAt }) => Math.min(installedAt, from),
    site.phases,
    site.nominalV,
  );
  if (connectorId === 0) return naiveTotal(book, now, from, site, max);
  const connector = site.connectors.find((each) => each.connectorId === connectorId);
  if (connector === undefined) throw new Error('no such connector');
  const running = connector.transaction;
  const relativeTo = () => (running === undefined ? from : Math.min(running.startedAt, from));
  const tx = book.filter(
    (each) =>
      running !== undefined && each.profile.chargingProfilePurpose === 'TxProfile' && each.connectorId === connectorId,
  );
  const defaults = book.filter(({ profile }) => profile.chargingProfilePurpose === 'TxDefaultProfile');
  const special = defaults.filter((each) => each.connectorId === connectorId);
  const general = defaults.filter(
    (each) => each.connectorId === 0 && special.every(({ profile }) => profile.stackLevel !== each.profile.stackLevel),
  );
  const own =
    highest(tx, now, relativeTo, connector.phases, site.nominalV) ??
    highest([...special, ...general], now, relativeTo, connector.phases, site.nominalV);
  let amps = connector.maxA;
  let phases: number = connector.phases;
  if (site.gridA !== undefined && site.gridA < amps) amps = site.gridA;
  for (const bound of [max, own]) {
    if (bound !== undefined && bound.amps < amps) amps = bound.amps;
    if (bound !== undefined && bound.phases < phases) phases = bound.phases;
  }
  return { amps, phases, watts: amps * phases * site.nominalV };
}

function naiveTotal(book: ProfileBook, now: number, from: number, site: Site, max: Candidate | undefined): NaiveLimit {
  const total: NaiveLimit = { amps: 0, watts: 0, phases: 0 };
  for (const { connectorId } of site.connectors) {
    const one = naiveLimit(book, connectorId, now, from, site);
    total.amps += one.amps;
    total.watts += one.watts;
    if (one.phases > total.phases) total.phases = one.phases;
  }
  const phases = Math.min(site.phases, max === undefined ? 3 : max.phases);
  for (const amps of [site.gridA, max?.amps]) {
    if (amps === undefined) continue;
    if (amps < total.amps) total.amps = amps;
    if (amps * phases * site.nominalV < total.watts) total.watts = amps * phases * site.nominalV;
  }
  if (phases < total.phases) total.phases = phases;
  return total;
}

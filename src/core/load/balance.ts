/**
 * One supply, several connectors: who may offer how much now. An ampere goes to another connector only after the first EV has let go
 * of it. Pure.
 */
import { LEAST_OFFER_A } from '../current.ts';
import { tenthsOf } from '../smart-charging/limit.ts';
import { allocate } from './allocation.ts';
import { type Appetite, demandOf, follow, isFasting } from './appetite.ts';
import type { GridPhase, PerPhase } from './grid.ts';
import { type Draw, freshDraw, type Grant, heldOf, limitOf, overdrawOf, pruned, type Usage } from './usage.ts';

/** What bounds a connector by itself, or all of them together. */
export interface Cap {
  readonly limitA: number;
  /** In at most 50 characters. */
  readonly reason: string;
  /** Safety: a decrease does not wait for the pace of changes. */
  readonly urgent: boolean;
}

export interface ConnectorLoad {
  readonly id: number;
  /** It has a transaction, or is about to. */
  readonly active: boolean;
  readonly phases: readonly GridPhase[];
  readonly closed: boolean;
  readonly cap: Cap;
  /** Less is inefficient (minChargingRate). */
  readonly leastA: number;
  readonly draw: Draw | undefined;
}

/** What all connectors have together. */
export interface Supply {
  readonly amps: PerPhase;
  /** What bounds each phase. */
  readonly reasons: readonly [string, string, string];
}

export interface Pace {
  /** Before an increase of what bounds the connector, at most. */
  readonly randomDelayMs: number;
  /** Uniform in [0, 1). */
  readonly chance: number;
  readonly rampAPerMinute?: number;
}

/** What is remembered of a connector. */
export interface Share {
  readonly grants: readonly Grant[];
  readonly activeSince?: number;
  readonly appetite?: Appetite;
  /** The cap that counts: a greater one waits for the random delay. */
  readonly capA: number;
  readonly delayedUntil?: number;
  /** It is served, or waits, since then. */
  readonly since: number;
  /** It might have more since then: what the ramp counts from. */
  readonly risingSince?: number;
}

export type Shares = ReadonlyMap<number, Share>;

export interface Outcome {
  readonly limitA: number;
  readonly reason: string;
  /** The random delay ends then. */
  readonly delayedUntil?: number;
}

export interface Balance {
  readonly shares: Shares;
  readonly outcomes: ReadonlyMap<number, Outcome>;
  /** When to look again although nothing has happened; undefined: never. */
  readonly nextAt: number | undefined;
}

/** IEC 61851-1 table A.6, sequence 6: the EVSE changes the duty cycle at most once in so long. */
const CHANGE_EVERY_MS = 5000;
/** Where not all can be served, who has had its turn for so long makes room for who waits. */
export const TURN_MS = 15 * 60_000;
/** A change of the offer is worth so much at least, unless it is all that may be had. */
const WORTHWHILE_A = 1;
/** How often to look whether an EV has let go. */
const LOOK_EVERY_MS = 1000;
/** StatusNotification takes no more for `info`. */
const MOST_REASON = 50;
const PHASES = [0, 1, 2] as const;

/** A connector while the balance is being made. */
interface Work {
  readonly load: ConnectorLoad;
  share: Share;
  targetA: number;
  /** What the others do not hold, if it is to have more. */
  roomA: number;
}

export function balance(
  before: Shares,
  loads: readonly ConnectorLoad[],
  supply: Supply,
  pace: Pace,
  at: number,
): Balance {
  const works = loads.map(
    (load): Work => ({
      load,
      share: taken(before.get(load.id), load, pace, at),
      targetA: 0,
      roomA: 0,
    }),
  );
  aim(works, supply, at);
  const ranked = inOrder(works, at);
  for (const work of ranked) lower(work, works, supply, at);
  for (const work of ranked) raise(work, works, supply, pace, at);
  return {
    shares: new Map(works.map(({ load, share }) => [load.id, share])),
    outcomes: new Map(works.map((work) => [work.load.id, outcomeOf(work, supply, pace)])),
    nextAt: nextLook(works, pace, at),
  };
}

/** What has happened since the last look. */
function taken(before: Share | undefined, load: ConnectorLoad, pace: Pace, at: number): Share {
  const { active, closed, phases, draw } = load;
  const grants = pruned({ grants: before?.grants ?? [], draw, closed }, at);
  if (!active) return { grants: granted(grants, { at, limitA: 0, phases }), capA: 0, since: at };
  if (before?.activeSince === undefined)
    return { grants, activeSince: at, since: at, ...delayed(0, undefined, load, pace, at) };
  const drawn = closed ? freshDraw({ grants, draw, closed }, at) : [0];
  const look = { limitA: limitOf(grants), drawA: drawn && Math.max(...drawn), at };
  const appetite = follow(before.appetite, look);
  return {
    grants: grants.length === 0 ? grants : granted(grants, { at, limitA: limitOf(grants), phases }),
    activeSince: before.activeSince,
    since: before.since,
    ...(appetite === undefined ? {} : { appetite }),
    ...(before.risingSince === undefined ? {} : { risingSince: before.risingSince }),
    ...delayed(before.capA, before.delayedUntil, load, pace, at),
  };
}

/** With one grant more, if it says anything new. */
function granted(grants: readonly Grant[], grant: Grant): readonly Grant[] {
  const last = grants.at(-1);
  const isSame =
    last === undefined
      ? grant.limitA === 0
      : last.limitA === grant.limitA && (grant.limitA === 0 || String(last.phases) === String(grant.phases));
  return isSame ? grants : [...grants, grant];
}

/** UK Smart Charge Points Regulations 2021: thousands of charge points do not switch on together. Less takes effect at once. */
function delayed(
  capA: number,
  until: number | undefined,
  { cap }: ConnectorLoad,
  { randomDelayMs, chance }: Pace,
  at: number,
): Pick<Share, 'capA' | 'delayedUntil'> {
  if (randomDelayMs === 0 || cap.limitA <= capA || cap.limitA < LEAST_OFFER_A) return { capA: cap.limitA };
  const end = until ?? at + Math.round(chance * randomDelayMs);
  return at >= end ? { capA: cap.limitA } : { capA, delayedUntil: end };
}

const usageOf = ({ load, share }: Work): Usage => ({ grants: share.grants, draw: load.draw, closed: load.closed });

/** What everybody should have in the end. */
function aim(works: readonly Work[], supply: Supply, at: number): void {
  const over = works.map((work) => overdrawOf(usageOf(work), at));
  const left = PHASES.map((phase) => supply.amps[phase] - over.reduce((sum, amps) => sum + amps[phase], 0));
  const claims = inOrder(works, at).map(({ load, share }) => ({
    id: load.id,
    phases: load.phases,
    leastA: load.leastA,
    capA: share.capA,
    demandA: demandOf(share.appetite),
  }));
  const levels = allocate(claims, left as unknown as PerPhase);
  for (const work of works) work.targetA = tenthsOf(levels.get(work.load.id) ?? 0);
}

/**
 * Who is to be served first: those whose turn it is, then who waits the longest, then who has had its turn, last who does not draw. Who
 * has just made room does not take the place of the next one at once.
 */
function inOrder(works: readonly Work[], at: number): readonly Work[] {
  const rankOf = ({ share }: Work): number => {
    const isOver = at - share.since >= TURN_MS;
    if (limitOf(share.grants) < LEAST_OFFER_A) return isOver || share.since === share.activeSince ? 1 : 3;
    if (isFasting(share.appetite)) return 4;
    return isOver ? 2 : 0;
  };
  return works
    .filter(({ load }) => load.active)
    .toSorted((a, b) => {
      const [rank, other] = [rankOf(a), rankOf(b)];
      if (rank !== other) return rank - other;
      // Among those that have had their turn the longest served makes room first.
      const older = a.share.since - b.share.since || a.load.id - b.load.id;
      return rank === 2 ? -older : older;
    });
}

function give(work: Work, limitA: number, at: number): void {
  const { share, load } = work;
  const isServed = limitOf(share.grants) >= LEAST_OFFER_A;
  const since = isServed === limitA >= LEAST_OFFER_A ? share.since : at;
  work.share = { ...share, since, grants: granted(share.grants, { at, limitA, phases: load.phases }) };
}

/** A change within this transaction lies less than 5 s back. */
function isTooSoon({ share: { grants, activeSince = 0 } }: Work, at: number): boolean {
  const last = grants.at(-1);
  if (last === undefined || last.at < activeSince || (last.at === activeSince && last.limitA === 0)) return false;
  return at - last.at < CHANGE_EVERY_MS;
}

function lower(work: Work, works: readonly Work[], supply: Supply, at: number): void {
  const { load, share, targetA } = work;
  const limitA = limitOf(share.grants);
  if (targetA >= limitA) return;
  // Below 6 A it is a stop, and a stop is x1 at once.
  const isStop = targetA < LEAST_OFFER_A;
  const isUrgent = (load.cap.urgent && load.cap.limitA < limitA) || isOverloaded(load.phases, works, supply, at);
  if (isStop || isUrgent || !isTooSoon(work, at)) give(work, targetA, at);
}

/** What is allowed now, and what is drawn beyond that, is more than there is. */
function isOverloaded(phases: readonly GridPhase[], works: readonly Work[], supply: Supply, at: number): boolean {
  return phases.some((phase) => {
    const used = works.map((work) => {
      const allowedA = work.load.phases.includes(phase) ? limitOf(work.share.grants) : 0;
      return allowedA + overdrawOf(usageOf(work), at)[phase];
    });
    return used.reduce((sum, amps) => sum + amps, 0) > supply.amps[phase] + 0.05;
  });
}

function raise(work: Work, works: readonly Work[], supply: Supply, pace: Pace, at: number): void {
  const { load, targetA } = work;
  const limitA = limitOf(work.share.grants);
  const { risingSince = at, ...share } = work.share;
  work.share = targetA <= limitA ? share : { ...share, risingSince };
  if (targetA <= limitA) return;
  const others = works.filter((other) => other !== work).map((other) => heldOf(usageOf(other), at));
  const rooms = load.phases.map((phase) => supply.amps[phase] - others.reduce((sum, amps) => sum + amps[phase], 0));
  work.roomA = Math.min(...rooms);
  if (isTooSoon(work, at)) return;
  const nextA = tenthsOf(Math.min(targetA, work.roomA, rampedA(work, pace, at)));
  if (nextA < LEAST_OFFER_A || nextA <= limitA) return;
  if (isWorthwhile(limitA, nextA, share)) give(work, nextA, at);
}

/** The small allowance is for 8.2 - 7.2. */
const isWorthwhile = (limitA: number, nextA: number, { capA }: Pick<Share, 'capA'>): boolean =>
  nextA - limitA > WORTHWHILE_A - 0.01 || nextA >= tenthsOf(capA);

/** From 6 A upwards, as fast as the configuration allows. */
function rampedA({ share }: Work, { rampAPerMinute }: Pace, at: number): number {
  const limitA = limitOf(share.grants);
  if (rampAPerMinute === undefined) return Number.POSITIVE_INFINITY;
  if (limitA < LEAST_OFFER_A) return LEAST_OFFER_A;
  return limitA + (rampAPerMinute * (at - growsSince(share, at))) / 60_000;
}

/** What was not to be had before is not made up for. */
const growsSince = ({ grants, risingSince }: Share, at: number): number =>
  Math.max(grants.at(-1)?.at ?? at, risingSince ?? at);

function outcomeOf(work: Work, supply: Supply, pace: Pace): Outcome {
  const { load, share } = work;
  if (!load.active) {
    const thereA = Math.min(...load.phases.map((phase) => supply.amps[phase]));
    return thereA < load.cap.limitA
      ? { limitA: tenthsOf(Math.max(0, thereA)), reason: scarcityOf(load, supply) }
      : { limitA: tenthsOf(load.cap.limitA), reason: load.cap.reason };
  }
  const limitA = limitOf(share.grants);
  const delay = share.delayedUntil === undefined ? {} : { delayedUntil: share.delayedUntil };
  return { limitA, reason: reasonOf(work, limitA, supply, pace), ...delay };
}

function reasonOf({ load, share, targetA, roomA }: Work, limitA: number, supply: Supply, pace: Pace): string {
  const { cap } = load;
  if (limitA >= LEAST_OFFER_A) {
    if (limitA > tenthsOf(cap.limitA)) return soon(cap.reason);
    if (limitA === tenthsOf(cap.limitA)) return cap.reason;
    if (share.delayedUntil !== undefined && limitA >= tenthsOf(share.capA)) return 'more after a random delay';
    if (pace.rampAPerMinute !== undefined && limitA < targetA) return `growing by ${pace.rampAPerMinute} A a minute`;
    return scarcityOf(load, supply);
  }
  if (cap.limitA < LEAST_OFFER_A) return cap.reason;
  if (share.delayedUntil !== undefined) return 'random delay';
  if (load.phases.some((phase) => supply.amps[phase] < LEAST_OFFER_A)) return scarcityOf(load, supply);
  if (targetA < LEAST_OFFER_A) return 'waits for its turn: others charge';
  return roomA < LEAST_OFFER_A ? 'waits until another EV has let go' : 'at most one change in 5 s';
}

/** What bounds the scarcest of its phases. */
function scarcityOf({ phases }: ConnectorLoad, { amps, reasons }: Supply): string {
  const [scarcest = 0] = phases.toSorted((a, b) => amps[a] - amps[b]);
  return reasons[scarcest];
}

function soon(reason: string): string {
  const text = `in a moment: ${reason}`;
  return text.length <= MOST_REASON ? text : reason;
}

function nextLook(works: readonly Work[], { rampAPerMinute }: Pace, at: number): number | undefined {
  const active = works.filter(({ load }) => load.active);
  const isWaiting = ({ share, targetA }: Work): boolean => targetA < LEAST_OFFER_A && share.capA >= LEAST_OFFER_A;
  const someoneWaits = active.some(isWaiting);
  const times = active.flatMap((work): readonly number[] => {
    const { share, targetA } = work;
    const last = share.grants.at(-1);
    const limitA = limitOf(share.grants);
    const delay = share.delayedUntil === undefined ? [] : [share.delayedUntil];
    const turn = someoneWaits && share.since + TURN_MS > at ? [share.since + TURN_MS] : [];
    if (targetA === limitA || last === undefined)
      return [...delay, ...turn, ...(targetA > limitA ? [at + LOOK_EVERY_MS] : [])];
    if (targetA > limitA && !isWorthwhile(limitA, targetA, share)) return [...delay, ...turn];
    const paced = isTooSoon(work, at) ? last.at + CHANGE_EVERY_MS : at + LOOK_EVERY_MS;
    const rampMs = rampAPerMinute === undefined ? 0 : 60_000 / rampAPerMinute;
    const ramped = targetA > limitA && limitA >= LEAST_OFFER_A ? growsSince(share, at) + rampMs : 0;
    return [...delay, ...turn, Math.max(paced, ramped)];
  });
  return times.length === 0 ? undefined : Math.max(at + 1, Math.min(...times));
}

/** How a supply is shared: fair on every phase, and nothing lies idle that somebody would draw. Pure. */
import { LEAST_OFFER_A } from '../current.ts';
import type { GridPhase, PerPhase } from './grid.ts';

export interface Claim {
  readonly id: number;
  readonly phases: readonly GridPhase[];
  /** Less is of no use; at least 6 A. */
  readonly leastA: number;
  readonly capA: number;
  /** What it is believed to draw; Infinity: as much as it gets. */
  readonly demandA: number;
}

const EPSILON_A = 1e-6;

/**
 * Ampere for each claim; 0: none. Who comes first is served first where not even the least is there for all. Then all rise together
 * until a phase is full, first to what they would draw, then to what they may.
 */
export function allocate(claims: readonly Claim[], supply: PerPhase): ReadonlyMap<number, number> {
  const room: [number, number, number] = [...supply];
  const levels = new Map(claims.map(({ id }) => [id, 0]));
  const served: Claim[] = [];
  for (const claim of claims) {
    const leastA = Math.min(Math.max(claim.leastA, LEAST_OFFER_A), claim.capA);
    if (leastA < LEAST_OFFER_A || claim.phases.some((phase) => room[phase] < leastA - EPSILON_A)) continue;
    for (const phase of claim.phases) room[phase] -= leastA;
    levels.set(claim.id, leastA);
    served.push(claim);
  }
  rise(served, levels, room, ({ capA, demandA }) => Math.min(capA, demandA));
  rise(served, levels, room, ({ capA }) => capA);
  return levels;
}

/** The lowest rise first, all of them alike, each until it has enough or one of its phases is full. */
function rise(
  claims: readonly Claim[],
  levels: Map<number, number>,
  room: [number, number, number],
  enoughFor: (claim: Claim) => number,
): void {
  const levelOf = ({ id }: Claim): number => levels.get(id) ?? 0;
  const mayRise = (claim: Claim): boolean =>
    levelOf(claim) < enoughFor(claim) - EPSILON_A && claim.phases.every((phase) => room[phase] > EPSILON_A);
  let rising = claims.filter(mayRise);
  while (rising.length > 0) {
    const lowest = Math.min(...rising.map(levelOf));
    const group = rising.filter((claim) => levelOf(claim) <= lowest + EPSILON_A);
    const above = rising.filter((claim) => !group.includes(claim)).map(levelOf);
    const until = Math.min(...group.map(enoughFor), ...above);
    const shares = ([0, 1, 2] as const).flatMap((phase) => {
      const users = group.filter(({ phases }) => phases.includes(phase)).length;
      return users === 0 ? [] : [room[phase] / users];
    });
    const stepA = Math.min(until - lowest, ...shares);
    for (const claim of group) {
      levels.set(claim.id, levelOf(claim) + stepA);
      for (const phase of claim.phases) room[phase] -= stepA;
    }
    rising = rising.filter(mayRise);
  }
}

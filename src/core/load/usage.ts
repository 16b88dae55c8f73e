/** What a connector may be taking at this moment, whatever it was told last (IEC 61851-1: an EV follows within 5 s). Pure. */
import { type GridPhase, NO_CURRENT, type PerPhase } from './grid.ts';

/** What a connector was allowed from then on; 0: nothing (x1). */
export interface Grant {
  readonly at: number;
  readonly limitA: number;
  readonly phases: readonly GridPhase[];
}

/** What was measured, as the grid sees it. */
export interface Draw {
  readonly at: number;
  readonly amps: PerPhase;
}

export interface Usage {
  /** Oldest first; the last one is in force. */
  readonly grants: readonly Grant[];
  /** The last one that was read, however long ago. */
  readonly draw: Draw | undefined;
  /** A current can flow. */
  readonly closed: boolean;
}

/** IEC 61851-1 table A.6, sequence 6. */
const EV_FOLLOWS_WITHIN_MS = 5000;
/** As long again for what nobody has seen. */
const MARGIN_MS = 1000;
/** A meter that has said nothing for so long is silent. */
const SILENT_AFTER_MS = 6000;
/** A meter's and a pilot's tolerance. */
const TOLERANCE_A = 0.5;

export const limitOf = (grants: readonly Grant[]): number => grants.at(-1)?.limitA ?? 0;

export const freshDraw = ({ draw }: Usage, at: number): PerPhase | undefined =>
  draw !== undefined && at - draw.at <= SILENT_AFTER_MS ? draw.amps : undefined;

/** Per phase, the most that was allowed within the time that an EV has to follow. Without a look at its meter it has a second more. */
export function allowedOf({ grants, draw }: Usage, at: number): PerPhase {
  const last = grants.at(-1);
  const hasFollowed =
    last !== undefined &&
    draw !== undefined &&
    draw.at > last.at &&
    Math.max(...draw.amps) <= last.limitA + TOLERANCE_A;
  const windowMs = EV_FOLLOWS_WITHIN_MS + (hasFollowed ? 0 : MARGIN_MS);
  const amps: [number, number, number] = [0, 0, 0];
  for (const [index, { limitA, phases }] of grants.entries()) {
    const endedAt = grants[index + 1]?.at;
    if (endedAt !== undefined && at - endedAt >= windowMs) continue;
    for (const phase of phases) amps[phase] = Math.max(amps[phase], limitA);
  }
  return amps;
}

/** Per phase, what is drawn. Behind a closed contactor a silent meter counts as the last that was allowed. */
export function drawnOf(usage: Usage, at: number): PerPhase {
  if (!usage.closed) return NO_CURRENT;
  return freshDraw(usage, at) ?? spread(usage.grants.findLast(({ limitA }) => limitA > 0));
}

/** Per phase, what nobody else may have: the most that was allowed lately, and what is drawn all the same. */
export function heldOf(usage: Usage, at: number): PerPhase {
  const allowed = allowedOf(usage, at);
  const drawn = drawnOf(usage, at);
  return [0, 1, 2].map((phase) =>
    Math.max(allowed[phase as GridPhase], drawn[phase as GridPhase]),
  ) as unknown as PerPhase;
}

/** What is drawn beyond all that was allowed, per phase: an EV that does not obey, or a welded contactor. */
export function overdrawOf(usage: Usage, at: number): PerPhase {
  const drawn = freshDraw(usage, at);
  if (drawn === undefined) return [0, 0, 0];
  const allowed = allowedOf(usage, at);
  return [0, 1, 2].map((phase) => {
    const beyond = drawn[phase as GridPhase] - allowed[phase as GridPhase];
    return beyond > TOLERANCE_A ? beyond : 0;
  }) as unknown as PerPhase;
}

function spread(grant: Grant | undefined): PerPhase {
  const amps: [number, number, number] = [0, 0, 0];
  for (const phase of grant?.phases ?? []) amps[phase] = grant?.limitA ?? 0;
  return amps;
}

/** Without what no question can be about any more. */
export function pruned({ grants, closed }: Usage, at: number): readonly Grant[] {
  const lastCurrent = closed ? grants.findLastIndex(({ limitA }) => limitA > 0) : -1;
  return grants.filter((_, index) => {
    const endedAt = grants[index + 1]?.at;
    return endedAt === undefined || index === lastCurrent || at - endedAt <= EV_FOLLOWS_WITHIN_MS + MARGIN_MS;
  });
}

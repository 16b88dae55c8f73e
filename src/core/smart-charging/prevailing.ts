/** Which of several profiles prevails, over time (OCPP 1.6 sections 3.13.2 and 5.16.4; errata 3.7 and 3.43). Pure. */
import type { ChargingProfile, ChargingSchedulePeriod } from './profile.ts';
import { periodAt, type Run, runAt, type Track } from './track.ts';

/** What is in force until `untilS`; without profile and period: no profile says anything. */
export interface Piece {
  readonly untilS: number;
  readonly profile: ChargingProfile | undefined;
  readonly period: ChargingSchedulePeriod | undefined;
}

/** The track that prevails at `atS`, and until when nothing else can. */
interface Reign {
  readonly track: Track | undefined;
  readonly startS: number;
  readonly untilS: number;
}

/** `runs` remembers the run of each track, so that it is computed once and not at every step. */
function reignAt(tracks: readonly Track[], runs: (Run | undefined)[], atS: number, endS: number): Reign {
  let untilS = endS;
  for (const [index, track] of tracks.entries()) {
    let run = runs[index];
    if (run !== undefined && run.untilS <= atS) {
      run = runAt(track, atS);
      runs[index] = run;
    }
    if (run === undefined) continue;
    if (run.fromS <= atS) return { track, startS: run.startS, untilS: Math.min(untilS, run.untilS) };
    untilS = Math.min(untilS, run.fromS);
  }
  return { track: undefined, startS: atS, untilS };
}

/**
 * The pieces from `fromS` to `endS` in order, without gaps; `tracks` with the highest precedence first. A profile gives way to the
 * next where it is not valid or its schedule does not run; without a duration it never does (errata 3.7). Lazy: what nobody asks for
 * is not computed.
 */
export function* prevailing(tracks: readonly Track[], fromS: number, endS: number): Generator<Piece, undefined> {
  const runs = tracks.map((track) => runAt(track, fromS));
  let atS = fromS;
  while (atS < endS) {
    const { track, startS, untilS } = reignAt(tracks, runs, atS, endS);
    if (track === undefined) {
      yield { untilS, profile: undefined, period: undefined };
      atS = untilS;
      continue;
    }
    const { profile, periods } = track;
    for (let index = periodAt(periods, atS - startS); atS < untilS; index += 1) {
      const period = periods[index];
      const next = periods[index + 1];
      atS = next === undefined ? untilS : Math.min(untilS, startS + next.startPeriod);
      yield { untilS: atS, profile, period };
    }
  }
  return undefined;
}

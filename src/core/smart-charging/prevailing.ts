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
 * Gives the pieces from `fromS` to `endS` in order, without gaps, one a call, and undefined at the end; `tracks` with the highest
 * precedence first. A profile gives way to the next where it is not valid or its schedule does not run; without a duration it never does
 * (errata 3.7). What nobody asks for is not computed. A function and no generator: it is called up to 100,000 times in a row.
 */
export function prevailing(tracks: readonly Track[], fromS: number, endS: number): () => Piece | undefined {
  const runs = tracks.map((track) => runAt(track, fromS));
  let atS = fromS;
  let reign: Reign = { track: undefined, startS: fromS, untilS: fromS };
  let index = 0;
  return () => {
    if (atS >= endS) return undefined;
    if (atS >= reign.untilS) {
      reign = reignAt(tracks, runs, atS, endS);
      index = reign.track === undefined ? 0 : periodAt(reign.track.periods, atS - reign.startS);
    }
    const { track, startS, untilS } = reign;
    if (track === undefined) {
      atS = untilS;
      return { untilS, profile: undefined, period: undefined };
    }
    const period = track.periods[index];
    index += 1;
    const next = track.periods[index];
    atS = next === undefined ? untilS : Math.min(untilS, startS + next.startPeriod);
    return { untilS: atS, profile: track.profile, period };
  };
}

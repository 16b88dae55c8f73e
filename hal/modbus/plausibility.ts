/** Is this reading possible? A pure judge with memory as data; a doubtful reading is never used. */
import type { Line, Monotonic, Values } from '../contract.ts';
import { ENERGIES } from './decode.ts';

/** What the installation allows. */
export interface Physics {
  /** The most that can flow per phase, in ampere. */
  readonly maxA: number;
  readonly phases: 1 | 3;
  /** The most that the meter is made for, in ampere. */
  readonly meterMaxA: number;
}

interface Counters {
  readonly at: Monotonic;
  readonly values: Values;
  /** How many looks in a row agree with one another. */
  readonly looks: number;
}

/** `trusted`: the last good reading. `candidate`: contradicts it, but not itself (a meter that was exchanged or reset). */
export interface Memory {
  readonly trusted?: Counters;
  readonly candidate?: Counters;
}

export interface Judgement {
  readonly memory: Memory;
  /** Why the reading must not be used; absent: it may. */
  readonly doubt?: string;
  /** The registers began anew: enough looks agree with one another against the last good reading. */
  readonly replaced?: true;
}

/** EN 50160: 230 V + 10 %, for the most energy that a time can bring. */
const HIGHEST_SUPPLY_V = 253;
/** Beyond this a voltage reading is no voltage: between line and neutral of a lost neutral there may be 400 V. */
const MOST_V = 500;
/** Meters go on counting a little above what they are made for. */
const CURRENT_MARGIN = 1.5;
const ENERGY_MARGIN = 1.2;
/** Steps of the registers: 10 Wh in most meters, plus the resolution of float32 kWh. */
const STEP_WH = 20;
const STEP_OF_FLOAT = 2 ** -22;
const MS_PER_HOUR = 3_600_000;
/** Looks that must agree before the first baseline is believed, and before one that contradicts the last good reading is. */
const LOOKS_TO_BEGIN = 2;
const LOOKS_TO_REPLACE = 9;

/** Judges one look at the meter, taken at the monotonic time `at`. */
export function judge(memory: Memory, values: Values, at: Monotonic, physics: Physics): Judgement {
  const impossible = impossibleValue(values, physics);
  if (impossible !== undefined) return { memory, doubt: impossible };
  const { trusted, candidate } = memory;
  const breach = trusted === undefined ? 'first look' : contradiction(trusted, values, at, physics);
  if (breach === undefined) return { memory: { trusted: { at, values, looks: 1 } } };

  const agrees = candidate !== undefined && contradiction(candidate, values, at, physics) === undefined;
  const looks = agrees ? candidate.looks + 1 : 1;
  const counters = { at, values, looks };
  if (trusted === undefined && looks >= LOOKS_TO_BEGIN) return { memory: { trusted: counters } };
  if (looks >= LOOKS_TO_REPLACE) return { memory: { trusted: counters }, replaced: true };
  return { memory: { ...memory, candidate: counters }, doubt: breach };
}

function impossibleValue(values: Values, { meterMaxA }: Physics): string | undefined {
  for (const [line, volt] of numbersOf(values.voltage)) {
    if (volt < 0 || volt > MOST_V) return `voltage ${line} ${volt} V`;
  }
  for (const [line, ampere] of numbersOf(values.current)) {
    if (Math.abs(ampere) > meterMaxA * CURRENT_MARGIN) return `current ${line} ${ampere} A`;
  }
  for (const quantity of ENERGIES) {
    for (const [line, amount] of numbersOf(values[quantity])) if (amount < 0) return `${quantity} ${line} ${amount}`;
  }
  return undefined;
}

/** Lifetime registers only count up, and no faster than the supply can deliver. */
function contradiction(before: Counters, values: Values, at: Monotonic, physics: Physics): string | undefined {
  const mostWh =
    (physics.maxA * HIGHEST_SUPPLY_V * physics.phases * (at - before.at) * ENERGY_MARGIN) / MS_PER_HOUR + STEP_WH;
  for (const quantity of ENERGIES) {
    for (const [line, amount] of numbersOf(values[quantity])) {
      const last = before.values[quantity]?.[line];
      if (last === undefined) continue;
      if (amount < last) return `${quantity} ${line} fell from ${last} to ${amount}`;
      if (amount - last > mostWh + last * STEP_OF_FLOAT) return `${quantity} ${line} jumped from ${last} to ${amount}`;
    }
  }
  return undefined;
}

const numbersOf = (lines: Values['voltage']): readonly [Line, number][] =>
  Object.entries(lines ?? {}) as [Line, number][];

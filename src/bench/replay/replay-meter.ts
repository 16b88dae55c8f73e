/** A meter that answers what was recorded: to each question the answer that was asked for nearest to it in time. */
import type { EnergyMeter, Line, Quantity, Timebase, Values } from '../../../hal/contract.ts';
import { HalError } from '../../../hal/hal-error.ts';
import type { RecordedEntry } from '../../recorder/recording.ts';

interface Answer {
  readonly askedAt: number;
  readonly took: number;
  /** Absent: the meter did not answer. */
  readonly values?: Values;
}

/** There is no reading in the recording at all. */
const NONE: Answer = { askedAt: 0, took: 0 };

export function replayMeter(entries: readonly RecordedEntry[], clock: Timebase): EnergyMeter {
  const answers = entries.flatMap((entry): readonly Answer[] => {
    if (entry.what !== 'reading' && entry.what !== 'noReading') return [];
    const { at, took } = entry;
    return [{ askedAt: at - took, took, ...(entry.what === 'reading' ? { values: entry.values } : {}) }];
  });
  const given = new Set<Answer>();
  return {
    offers: offersOf(answers),
    async read() {
      const at = clock.now();
      const answer = nearest(answers, given, at);
      if (answer.took > 0) await new Promise<void>((resolve) => void clock.after(answer.took, resolve));
      if (answer.values === undefined) throw new HalError('meterSilent', 'the recording has no reading here');
      return { at, serialNumber: undefined, values: answer.values };
    },
  };
}

/** Questions of one moment get their answers in the order of the recording: a look at what ran, then one at what has stopped. */
const ONE_MOMENT_MS = 50;

function nearest(answers: readonly Answer[], given: Set<Answer>, at: number): Answer {
  const away = ({ askedAt }: Answer): number => Math.abs(askedAt - at);
  const next = answers.find((answer) => away(answer) <= ONE_MOMENT_MS && !given.has(answer));
  const answer =
    next ?? answers.reduce((best, other) => (away(other) <= away(best) ? other : best), answers[0] ?? NONE);
  given.add(answer);
  return answer;
}

function offersOf(answers: readonly Answer[]): EnergyMeter['offers'] {
  const offers: { [quantity in Quantity]?: readonly Line[] } = {};
  for (const { values = {} } of answers)
    for (const [name, lines] of Object.entries(values)) {
      const quantity = name as Quantity;
      offers[quantity] = [...new Set([...(offers[quantity] ?? []), ...(Object.keys(lines) as Line[])])];
    }
  return offers;
}

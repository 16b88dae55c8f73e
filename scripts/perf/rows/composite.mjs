/** What a central system may make us compute. */
import { bundled, resultOf } from '../lib/agents.mjs';
import { atMost, ms, spreadText } from '../lib/result.mjs';
import { spread } from '../lib/statistics.mjs';

/** The hardest of the books counts. */
async function composite({ samples }) {
  const cases = (await resultOf([bundled('composite'), String(samples(200))])).map(({ name, samples: each }) => ({
    name,
    whole: spread(each.map(({ wholeMs }) => wholeMs)),
    slice: spread(each.map(({ sliceMs }) => sliceMs)),
  }));
  const [slowest] = cases.toSorted((a, b) => b.whole.p50 - a.whole.p50);
  const [longest] = cases.toSorted((a, b) => b.slice.p50 - a.slice.p50);
  return {
    value: spreadText(slowest.whole),
    checks: [atMost('p99 ms', slowest.whole.p99, 20), atMost('longest slice, p99 ms', longest.slice.p99, 5)],
    numbers: Object.fromEntries(cases.map(({ name, whole, slice }) => [name, { whole, slice }])),
    note: `${slowest.name}; longest slice ${spreadText(longest.slice)}; ${cases
      .filter((each) => each !== slowest)
      .map(({ name, whole }) => `${name} ${ms(whole.p50)}`)
      .join(', ')}`,
  };
}

export const compositeRows = [
  {
    name: 'composite schedule, 100 profiles x 500 periods over 48 h',
    goal: 'p99 <= 20 ms, no slice over 5 ms',
    realtime: true,
    run: composite,
  },
];

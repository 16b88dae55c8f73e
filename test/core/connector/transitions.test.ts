/** Every pair of statuses has a legal way from one to the other (OCPP 1.6 section 4.9). */
import { describe, expect, it } from 'vitest';
import type { ConnectorStatus } from '../../../src/core/connector/state.ts';
import { between, mayFollow } from '../../../src/core/connector/transitions.ts';

const STATUSES: readonly ConnectorStatus[] = [
  'Available',
  'Preparing',
  'Charging',
  'SuspendedEV',
  'SuspendedEVSE',
  'Finishing',
  'Reserved',
  'Unavailable',
  'Faulted',
];

describe('status transitions', () => {
  it('are as many as the table of section 4.9 has, with B6', () => {
    const allowed = STATUSES.flatMap((from) => STATUSES.filter((to) => from !== to && mayFollow(from, to)));
    expect(allowed).toHaveLength(7 + 6 + 6 + 6 + 6 + 4 + 4 + 6 + 8);
  });

  it.each([
    ['Preparing', 'Unavailable', ['Available']],
    ['Preparing', 'Reserved', ['Available']],
    ['Unavailable', 'Finishing', ['Preparing']],
    ['Finishing', 'Charging', ['Preparing']],
    ['Available', 'Finishing', ['Preparing']],
    ['Charging', 'Finishing', []],
    ['Reserved', 'Reserved', []],
  ] as const)('from %s to %s pass %j', (from, to, expected) => {
    expect(between(from, to)).toEqual(expected);
  });

  it('have a legal way between any two', () => {
    for (const from of STATUSES) {
      for (const to of STATUSES) {
        const path = [from, ...between(from, to), to];
        for (let index = 1; index < path.length; index++) {
          expect(mayFollow(path[index - 1] as ConnectorStatus, path[index] as ConnectorStatus)).toBe(true);
        }
      }
    }
  });
});

/** The witness of the kill test sees what it is there for: each kind of loss and repetition, planted in a story that is otherwise right. */
import { describe, expect, it } from 'vitest';
import type { StoredFact } from './rigs/kill-entry.ts';
import type { Call, Frame } from './support/central-system.ts';
import { judge, Ledger } from './support/witness.ts';

const WALL = Date.parse('2026-03-01T10:00:00Z');
const stamp = (seconds: number) => ({ bootId: 'b', at: 0, wall: WALL + 1000 * seconds, trusted: true });
const timestamp = (seconds: number) => new Date(WALL + 1000 * seconds).toISOString();
const key = (sequence: number) => `outbox/fact/${sequence}`;

const START = { connectorId: 1, idTag: 'TAG', meterStart: 100 };
const STOP = { meterStop: 150, reason: 'Remote' };

const FACTS: readonly StoredFact[] = [
  { key: key(1), action: 'StartTransaction', transaction: 't', content: { ...START, stamp: stamp(1) } },
  {
    key: key(2),
    action: 'MeterValues',
    transaction: 't',
    content: { connectorId: 1, values: [{ value: '120' }], stamp: stamp(2) },
  },
  { key: key(3), action: 'StopTransaction', transaction: 't', content: { ...STOP, stamp: stamp(3) } },
];

const START_CALL: Call = {
  ns: 10n,
  link: 1,
  id: 'm1',
  action: 'StartTransaction',
  payload: { ...START, timestamp: timestamp(1) },
};
const SAMPLE_CALL: Call = {
  ns: 20n,
  link: 1,
  id: 'm2',
  action: 'MeterValues',
  payload: {
    connectorId: 1,
    transactionId: 7,
    meterValue: [{ timestamp: timestamp(2), sampledValue: [{ value: '120' }] }],
  },
};
const STOP_CALL: Call = {
  ns: 30n,
  link: 1,
  id: 'm3',
  action: 'StopTransaction',
  payload: { ...STOP, transactionId: 7, timestamp: timestamp(3) },
};
const CALLS = [START_CALL, SAMPLE_CALL, STOP_CALL];
const BOUND: readonly Frame[] = [{ ns: 11n, link: 1, from: 'centralSystem', message: [3, 'm1', { transactionId: 7 }] }];

interface Story {
  readonly facts?: readonly StoredFact[];
  readonly calls?: readonly Call[];
  /** When the removal of the first fact was durable. */
  readonly removedNs?: number;
  readonly notDurable?: readonly number[];
}

function verdictOn({ facts = FACTS, calls = CALLS, removedNs, notDurable = [] }: Story) {
  const ledger = new Ledger();
  ledger.begin();
  facts.forEach((fact, batch) => {
    ledger.take({ ns: '1', type: 'asked', batch, puts: [fact], removed: [] });
    if (!notDurable.includes(batch)) ledger.take({ ns: '1', type: 'durable', batch });
  });
  if (removedNs !== undefined) {
    ledger.take({ ns: '1', type: 'asked', batch: 99, puts: [], removed: [key(1)] });
    ledger.take({ ns: String(removedNs), type: 'durable', batch: 99 });
  }
  return judge(ledger, calls, BOUND);
}

const again = (call: Call, ns: bigint, link: number, id = `${call.id} again`): Call => ({ ...call, ns, link, id });
const withPayload = (call: Call, payload: object): Call => ({ ...call, payload: { ...call.payload, ...payload } });

describe('the witness', () => {
  it('finds nothing wrong with a story that is right', () => {
    expect(verdictOn({})).toMatchObject({ violations: [], counts: { facts: 3, calls: 3, transactions: 1 } });
  });

  it('allows one repetition on a new link of what was not confirmed durably, and a fact that was never stored', () => {
    const calls = [START_CALL, SAMPLE_CALL, STOP_CALL, again(STOP_CALL, 40n, 2)];
    expect(verdictOn({ calls }).violations).toEqual([]);
    const facts = [...FACTS, { ...FACTS[0], key: key(4), transaction: 'u' } as StoredFact];
    expect(verdictOn({ facts, notDurable: [3] }).violations).toEqual([]);
  });

  it.each<[string, Story, RegExp]>([
    ['a loss in the middle', { calls: [START_CALL, STOP_CALL] }, /^lost: .*MeterValues/],
    ['a loss at the end', { calls: [START_CALL, SAMPLE_CALL] }, /^lost: .*StopTransaction/],
    [
      'what nobody asked for',
      { calls: [...CALLS, withPayload(again(STOP_CALL, 40n, 2), { meterStop: 151 })] },
      /^nobody asked/,
    ],
    [
      'a repetition with another time',
      { calls: [...CALLS, withPayload(again(STOP_CALL, 40n, 2), { timestamp: timestamp(4) })] },
      /^nobody asked/,
    ],
    ['a repetition on the same link', { calls: [...CALLS, again(STOP_CALL, 40n, 1)] }, /^repeated on one link/],
    [
      'a repetition with the same message id',
      { calls: [...CALLS, again(STOP_CALL, 40n, 2, 'm3')] },
      /^repeated with the same/,
    ],
    [
      'a repetition after something else',
      { calls: [...CALLS, again(SAMPLE_CALL, 40n, 2)] },
      /^repeated after something else/,
    ],
    [
      'two repetitions on one link',
      { calls: [START_CALL, SAMPLE_CALL, again(SAMPLE_CALL, 25n, 2), STOP_CALL, again(STOP_CALL, 40n, 2)] },
      /^2 facts were repeated on link 2/,
    ],
    ['a message after its confirmation was durable', { removedNs: 5 }, /^sent after its confirmation/],
    [
      'another transaction id',
      { calls: [START_CALL, SAMPLE_CALL, withPayload(STOP_CALL, { transactionId: 8 })] },
      /carries 8, not 7/,
    ],
    [
      'a stored fact that was overwritten',
      { facts: [...FACTS, { ...FACTS[2], content: { ...STOP, reason: 'Other', stamp: stamp(3) } } as StoredFact] },
      /^overwritten/,
    ],
    ['a transaction without an end', { facts: FACTS.slice(0, 2), calls: CALLS.slice(0, 2) }, /went Stam$/],
    [
      'a register that runs backwards',
      {
        facts: [
          FACTS[0] as StoredFact,
          { ...FACTS[2], content: { ...STOP, meterStop: 99, stamp: stamp(3) } } as StoredFact,
        ],
        calls: [START_CALL, withPayload(STOP_CALL, { meterStop: 99 })],
      },
      /from 100 to 99/,
    ],
  ])('sees %s', (_, story, violation) => {
    expect(verdictOn(story).violations).toContainEqual(expect.stringMatching(violation));
  });
});

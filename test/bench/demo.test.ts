/** The first session in virtual time: with a charge point that plays along, and with one that does not. */
import { describe, expect, it } from 'vitest';
import type { Told } from '../../src/bench/central-system-logic.ts';
import { describe as inWords, showFirstSession } from '../../src/bench/demo.ts';
import { minutes, seconds, VirtualClock } from '../sim/virtual-clock.ts';

const told = (action: string, payload: unknown): Told => ({ identity: 'cp001', action, payload });
const status = (name: string) => told('StatusNotification', { connectorId: 1, status: name, errorCode: 'NoError' });

const setUp = (reacts: (act: string) => readonly Told[]) => {
  const clock = new VirtualClock();
  const printed: string[] = [];
  const acts: string[] = [];
  const listeners = new Set<(told: Told) => void>();
  const act = async (what: string) => {
    acts.push(what);
    for (const [index, message] of reacts(what).entries()) {
      clock.after(seconds(1 + index), () => {
        for (const listener of [...listeners]) listener(message);
      });
    }
  };
  const isDone = showFirstSession({
    clock,
    print: (line) => printed.push(line),
    onTold: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    patchBench: (patch) => act(JSON.stringify(patch).includes('true') ? 'plug' : 'unplug'),
    tap: (idTag) => act(`tap ${idTag}`),
  });
  return { clock, printed, acts, isDone, listeners };
};

const good = () => {
  let isCharging = false;
  return (act: string): readonly Told[] => {
    if (act === 'plug') return [status('Preparing')];
    if (act === 'unplug') return [status('Available')];
    isCharging = !isCharging;
    return isCharging
      ? [told('StartTransaction', {}), status('Charging'), told('MeterValues', {}), told('MeterValues', {})]
      : [told('StopTransaction', {}), status('Finishing')];
  };
};

describe('the first session', () => {
  it('plugs, taps, waits for the meter, taps and unplugs, within 20 s', async () => {
    const { clock, acts, isDone, printed, listeners } = setUp(good());
    await clock.advance(seconds(20));
    expect(await isDone).toBe(true);
    expect(acts).toEqual(['plug', 'tap DEMO', 'tap DEMO', 'unplug']);
    expect(printed).toHaveLength(5);
    expect(listeners.size).toBe(0);
    expect(clock.armed).toBe(0);
  });

  it('ends with a word where the charge point does nothing', async () => {
    const { clock, acts, isDone, printed } = setUp((act) => (act === 'plug' ? [status('Preparing')] : []));
    await clock.advance(minutes(1));
    expect(await isDone).toBe(false);
    expect(acts).toEqual(['plug', 'tap DEMO']);
    expect(printed.at(-1)).toContain('within 6 s');
  });
});

describe('a message in plain words', () => {
  it.each<[Told, string]>([
    [status('Charging'), 'cp001: connector 1 is Charging'],
    [
      told('StatusNotification', { connectorId: 2, status: 'Faulted', errorCode: 'GroundFailure' }),
      'cp001: connector 2 is Faulted, GroundFailure',
    ],
    [
      told('StopTransaction', { transactionId: 3, meterStop: 9, reason: 'Remote' }),
      'cp001: ends transaction 3 at 9 Wh (Remote)',
    ],
    [
      told('MeterValues', {
        connectorId: 1,
        meterValue: [
          { sampledValue: [{ value: '7' }, { value: '230', unit: 'V', phase: 'L1' }, { value: '8', unit: 'W' }] },
        ],
      }),
      'cp001: connector 1 measures 7 Wh, 8 W',
    ],
    [told('MeterValues', { connectorId: 1, meterValue: 'junk' }), 'cp001: connector 1 measures nothing'],
    [told('DataTransfer', null), 'cp001: sends DataTransfer'],
  ])('%#', (message, words) => {
    expect(inWords(message)).toBe(words);
  });
});

/** The agent as a child that is kept running, with processes that a test plays. */
import { describe, expect, it } from 'vitest';
import { type Ended, keepRunning } from '../../src/bench/keeper.ts';
import { minutes, seconds, VirtualClock } from '../sim/virtual-clock.ts';

const setUp = ({ isDeaf = false } = {}) => {
  const clock = new VirtualClock();
  const printed: string[] = [];
  const signals: string[] = [];
  const starts: number[] = [];
  let exit: (ended: Ended) => void = () => {};
  const keeper = keepRunning({
    clock,
    print: (line) => printed.push(line),
    lastWords: () => ['Goodbye'],
    spawn: () => {
      starts.push(clock.now());
      return {
        kill: (signal) => {
          signals.push(signal);
          if (signal === 'SIGKILL' || !isDeaf) exit({ code: null, signal });
        },
        onExit: (listener) => {
          exit = listener;
        },
      };
    },
  });
  return {
    clock,
    keeper,
    printed,
    signals,
    starts,
    exit: (code: number | null, signal?: string) => exit({ code, signal: signal ?? null }),
  };
};

describe('the keeper of the agent', () => {
  it('starts it again at once after a Reset', () => {
    const { starts, exit } = setUp();
    exit(0);
    exit(0);
    expect(starts).toEqual([0, 0, 0]);
  });

  it('explains a crash and waits longer each time, until it has run for a while', async () => {
    const { clock, starts, exit, printed } = setUp();
    exit(70);
    await clock.advance(seconds(1));
    exit(null, 'SIGKILL');
    await clock.advance(seconds(2));
    exit(70);
    await clock.advance(seconds(4));
    expect(starts).toEqual([0, 1000, 3000, 7000]);
    await clock.advance(minutes(1));
    exit(70);
    await clock.advance(seconds(1));
    expect(starts).toHaveLength(5);
    expect(printed[0]).toContain('status 70');
    expect(printed[1]).toContain('Goodbye');
    expect(printed[2]).toContain('SIGKILL');
  });

  it('gives up where the configuration is refused', async () => {
    const { clock, starts, exit, keeper } = setUp();
    exit(78);
    expect(await keeper.gaveUp).toBe(78);
    await clock.advance(minutes(10));
    expect(starts).toEqual([0]);
    await keeper.stop();
  });

  it('ends it with SIGTERM and starts no other', async () => {
    const { clock, starts, signals, keeper } = setUp();
    await keeper.stop();
    await clock.advance(minutes(1));
    expect(signals).toEqual(['SIGTERM']);
    expect(starts).toEqual([0]);
    expect(clock.armed).toBe(0);
  });

  it('kills what does not end, in time for an end within 3 s', async () => {
    const { clock, signals, keeper } = setUp({ isDeaf: true });
    const stopped = keeper.stop();
    await clock.advance(seconds(3));
    await stopped;
    expect(signals).toEqual(['SIGTERM', 'SIGKILL']);
  });

  it('does not start it again while it waits after a crash and is stopped', async () => {
    const { clock, starts, exit, keeper } = setUp();
    exit(70);
    await keeper.stop();
    await clock.advance(minutes(1));
    expect(starts).toEqual([0]);
  });
});

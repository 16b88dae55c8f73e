/** The control pilot with its diode check, on comparators and on senses that are scripted, in virtual time. */
import { describe, expect, it } from 'vitest';
import type { PilotState } from '../../../hal/contract.ts';
import { comparatorSense } from '../../../hal/gpio/comparator-sense.ts';
import type { PilotLook } from '../../../hal/gpio/pilot-sense.ts';
import { SampledPilot } from '../../../hal/gpio/sampled-pilot.ts';
import { VirtualClock } from '../../sim/virtual-clock.ts';
import { FakeInput, FakePwm } from './fake-lines.ts';

const LEVELS = { A: '1111', B: '0111', C: '0011', D: '0001', E: '0000', broken: '1011' } as const;

const setUp = ({ diodeLine = true } = {}) => {
  const clock = new VirtualClock();
  const pwm = new FakePwm();
  const above = [new FakeInput(true), new FakeInput(true), new FakeInput(true), new FakeInput(true)] as const;
  const negative = new FakeInput(true);
  const diode: boolean[] = [];
  const senses: boolean[] = [];
  const seen: PilotState[] = [];
  const pilot = new SampledPilot({
    pwm,
    sense: comparatorSense({ above, ...(diodeLine ? { belowMinus10V5: negative } : {}) }),
    clock,
    onDiode: (ok) => diode.push(ok),
    onSense: (ok) => senses.push(ok),
  });
  pilot.onState((state) => seen.push(state));
  const ev = (state: keyof typeof LEVELS) => {
    for (const [index, line] of above.entries()) line.set(LEVELS[state][index] === '1');
  };
  const until = async (state: PilotState, limitMs: number) => {
    const start = clock.now();
    while (pilot.state !== state && clock.now() - start < limitMs) await clock.advance(1);
    expect(pilot.state).toBe(state);
    return clock.now() - start;
  };
  return { clock, pwm, above, negative, diode, senses, seen, pilot, ev, until };
};

const charging = async (options?: { diodeLine: boolean }) => {
  const world = setUp(options);
  world.ev('B');
  await world.until('B', 100);
  world.pilot.signal(16);
  await world.clock.advance(200);
  world.ev('C');
  await world.until('C', 700);
  return world;
};

describe('a control pilot on comparators', () => {
  it.each(['A', 'B', 'E', 'broken'] as const)('leaves C for %s within 50 ms', async (next) => {
    const { ev, until } = await charging();
    ev(next);
    expect(await until(next === 'broken' ? 'E' : next, 100)).toBeLessThanOrEqual(50);
  });

  it('takes lines that cannot be read for E within 50 ms', async () => {
    const { above, until } = await charging();
    above[2].broken = true;
    expect(await until('E', 100)).toBeLessThanOrEqual(50);
  });

  it('is broken when its comparators contradict each other for 1 s, and not when CP is shorted', async () => {
    const { clock, senses, ev } = await charging();
    ev('E');
    await clock.advance(5000);
    expect(senses).toEqual([]);
    ev('broken');
    await clock.advance(1100);
    expect(senses).toEqual([false]);
  });

  it('is slower by intention just after the current was changed, but never beyond the budget', async () => {
    const { clock, pilot, ev, until } = await charging();
    pilot.signal(10);
    ev('B');
    await clock.advance(30);
    expect(pilot.state).toBe('C');
    expect(30 + (await until('B', 100))).toBeLessThanOrEqual(50);
  });

  it('signals 100 % for x1 and 0 % for F, and reads no voltage as F then', async () => {
    const { pwm, pilot, ev, until } = await charging();
    pilot.signal('F');
    ev('E');
    await until('F', 100);
    pilot.signal('x1');
    expect(pwm.history.slice(-2)).toEqual([0, 100]);
  });

  it('does not report C before the diode has been seen, which takes PWM', async () => {
    const { clock, pilot, ev, until } = setUp();
    ev('C');
    await clock.advance(5000);
    expect(pilot.state).toBe('B');
    pilot.signal(16);
    expect(await until('C', 1000)).toBeGreaterThan(500);
  });

  it('looks for the diode anew after F, behind which an EV may be exchanged', async () => {
    const { clock, negative, pilot, seen, ev, until } = await charging();
    pilot.signal('F');
    ev('E');
    await until('F', 100);
    pilot.signal('x1');
    ev('C');
    seen.length = 0;
    negative.set(false);
    await clock.advance(1000);
    pilot.signal(16);
    await clock.advance(1000);
    expect(seen).not.toContain('C');
  });

  it('finds a missing diode in B within 200 ms and never reports C', async () => {
    const { clock, negative, diode, pilot, seen, ev, until } = setUp();
    negative.set(false);
    ev('B');
    await until('B', 100);
    pilot.signal(16);
    await clock.advance(200);
    expect(diode).toEqual([false]);
    ev('C');
    await clock.advance(2000);
    expect(seen).not.toContain('C');
  });

  it('does not look for the diode without PWM or without an EV', async () => {
    const { clock, negative, diode, pilot, ev } = setUp();
    negative.set(false);
    pilot.signal(16);
    await clock.advance(1000);
    pilot.signal('x1');
    ev('B');
    await clock.advance(1000);
    expect(diode).toEqual([]);
  });

  it('forgives a negative half that is missing for less than 100 ms', async () => {
    const { clock, negative, diode } = await charging();
    negative.set(false);
    await clock.advance(90);
    negative.set(true);
    await clock.advance(1000);
    expect(diode).toEqual([]);
  });

  it('gives up C when the diode fails while charging, and forgets it with the EV', async () => {
    const { clock, negative, diode, pilot, ev, until } = await charging();
    negative.set(false);
    await clock.advance(200);
    expect(diode).toEqual([false]);
    expect(pilot.state).toBe('B');
    ev('A');
    await until('A', 100);
    expect(diode).toEqual([false, true]);
  });

  it('reports C without PWM where no comparator can see the diode', async () => {
    const { ev, until } = setUp({ diodeLine: false });
    ev('C');
    await until('C', 700);
  });

  it('arms nothing after closing', async () => {
    const { clock, pilot } = await charging();
    pilot.close();
    expect(clock.armed).toBe(0);
  });
});

describe('a control pilot on a converter', () => {
  const onConverter = () => {
    const clock = new VirtualClock();
    let seen: PilotLook | Error = { sample: 'A', negativeHalf: undefined };
    const diode: boolean[] = [];
    const senses: { ok: boolean; state: PilotState }[] = [];
    const pilot: SampledPilot = new SampledPilot({
      pwm: new FakePwm(),
      sense: {
        checksDiode: true,
        look() {
          if (seen instanceof Error) throw seen;
          return seen;
        },
        onEdge: () => () => {},
      },
      clock,
      onDiode: (ok) => diode.push(ok),
      onSense: (ok) => senses.push({ ok, state: pilot.state }),
    });
    const see = (look: PilotLook | Error) => {
      seen = look;
    };
    return { clock, pilot, diode, senses, see };
  };
  const charges = async () => {
    const world = onConverter();
    world.see({ sample: 'C', negativeHalf: true });
    world.pilot.signal(16);
    await world.clock.advance(1000);
    expect(world.pilot.state).toBe('C');
    return world;
  };

  it('neither believes in the diode nor misses it while no look sees the negative half', async () => {
    const { clock, pilot, diode, see } = onConverter();
    see({ sample: 'C', negativeHalf: undefined });
    pilot.signal(16);
    await clock.advance(5000);
    expect([pilot.state, diode]).toEqual(['B', []]);
  });

  it('keeps the diode that it has seen while looks in between do not see the negative half', async () => {
    const { clock, pilot, diode, see } = await charges();
    see({ sample: 'C', negativeHalf: undefined });
    await clock.advance(1000);
    expect([pilot.state, diode]).toEqual(['C', []]);
  });

  it('takes a converter that cannot be read for E within 50 ms, and still says that it looks', async () => {
    const { clock, pilot, see } = await charges();
    see(new Error('EIO'));
    await clock.advance(50);
    expect(pilot.state).toBe('E');
    expect(pilot.lookedAt).toBe(clock.now());
  });

  it('that cannot be read for 1 s is broken, long after the pilot is E, until it has been read for 1 s', async () => {
    const { clock, senses, see } = await charges();
    see(new Error('EIO'));
    await clock.advance(990);
    expect(senses).toEqual([]);
    await clock.advance(30);
    expect(senses).toEqual([{ ok: false, state: 'E' }]);
    see({ sample: 'C', negativeHalf: true });
    await clock.advance(990);
    see(new Error('EIO'));
    await clock.advance(10);
    see({ sample: 'C', negativeHalf: true });
    await clock.advance(990);
    expect(senses).toHaveLength(1);
    await clock.advance(30);
    expect(senses.at(-1)?.ok).toBe(true);
  });

  it('is not broken by an EV or a cable that make no sense', async () => {
    const { clock, senses, see } = await charges();
    see({ sample: 'nonsense', negativeHalf: true, broken: false });
    await clock.advance(5000);
    expect(senses).toEqual([]);
  });
});

/** Everything is tried, whatever fails. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { tryAll, tryAllAloud } from '../../hal/try-all.ts';
import { VirtualClock } from '../sim/virtual-clock.ts';

describe('try all', () => {
  it('runs every action once, in order, and throws the first error if there was one', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean()), (fails) => {
        const ran: number[] = [];
        const actions = fails.map((fail, index) => () => {
          ran.push(index);
          if (fail) throw new Error(String(index));
        });
        const first = fails.indexOf(true);
        if (first < 0) tryAll(actions);
        else expect(() => tryAll(actions)).toThrow(new Error(String(first)));
        expect(ran).toEqual(fails.map((_, index) => index));
      }),
    );
  });

  it('aloud lets nobody keep an error: it is thrown once more at whoever runs the timers', async () => {
    const clock = new VirtualClock();
    const broken = (): void => {
      throw new Error('EIO');
    };
    expect(() => tryAllAloud([broken, broken], clock)).toThrow('EIO');
    await expect(clock.advance(0)).rejects.toThrow('EIO');
    tryAllAloud([() => {}], clock);
    expect(clock.armed).toBe(0);
  });
});

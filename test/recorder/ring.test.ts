/** The ring of lines: bounded in bytes, whole stretches at a time. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Ring } from '../../src/recorder/ring.ts';
import { textOf } from './support.ts';

const linesOf = (ring: Ring): readonly string[] => textOf(ring.content).split('\n').slice(0, -1);

/** As the tape does it. */
function put(ring: Ring, line: string): void {
  if (ring.add(line)) return;
  ring.begin('state');
  ring.add(line);
}

describe('the ring', () => {
  it('takes nothing before its first stretch has begun', () => {
    expect(new Ring().add('x')).toBe(false);
  });

  it('keeps lines in their order, in whatever script', () => {
    const ring = new Ring();
    for (const line of ['a', 'größer', '充电', '🔌']) put(ring, line);
    expect(linesOf(ring)).toEqual(['state', 'a', 'größer', '充电', '🔌']);
  });

  it('forgets the oldest stretch as a whole, so that what is left begins with the first line of one', () => {
    const ring = new Ring({ stretchBytes: 100, mostStretches: 3 });
    for (let n = 0; n < 100; n++) put(ring, `line ${n}`);
    const lines = linesOf(ring);
    expect(lines[0]).toBe('state');
    expect(lines.at(-1)).toBe('line 99');
    expect(lines.filter((line) => line === 'state')).toHaveLength(3);
  });

  it('never holds more than its stretches, nor half a line, whatever comes', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary', maxLength: 40 })), (texts) => {
        const ring = new Ring({ stretchBytes: 200, mostStretches: 4 });
        const lines = texts.map((text) => JSON.stringify(text));
        for (const line of lines) put(ring, line);
        expect(ring.content.reduce((sum, { length }) => sum + length, 0)).toBeLessThanOrEqual(800);
        const kept = linesOf(ring).filter((line) => line !== 'state');
        expect(kept).toEqual(kept.length === 0 ? [] : lines.slice(-kept.length));
      }),
    );
  });

  it('gives away what does not change any more: what is added later is not in it', () => {
    const ring = new Ring();
    put(ring, 'before');
    const { content } = ring;
    put(ring, 'after');
    expect(textOf(content)).toBe('state\nbefore\n');
  });

  it('makes the stretch larger for a first line that would not fit', () => {
    const ring = new Ring({ stretchBytes: 100, mostStretches: 2 });
    ring.begin('x'.repeat(500));
    expect(ring.add('y')).toBe(true);
    expect(linesOf(ring)).toEqual(['x'.repeat(500), 'y']);
  });
});

/** What on and off mean, and that an output is off before, while and after it is ours. */
import { describe, expect, it } from 'vitest';
import { type Level, type LineBackend, openInput, openOutput } from '../../../hal/gpio/line.ts';
import { FakeChip } from './fake-lines.ts';

describe('digital lines', () => {
  it.each([
    [false, 0, 1],
    [true, 1, 0],
  ])('are off before they drive and when they are closed (activeLow %s)', async (activeLow, off, on) => {
    const chip = new FakeChip();
    const line = await openOutput(chip, { line: 17, activeLow });
    line.write(true);
    line.close();
    line.close();
    expect(chip.log).toEqual([`out 17=${off}`, `17=${on}`, `17=${off}`, 'close 17']);
  });

  it('tell each change once, and nothing that is none', async () => {
    const chip = new FakeChip();
    const line = await openInput(chip, { line: 5, activeLow: true });
    const seen: boolean[] = [];
    line.onChange((on) => seen.push(on));
    for (const level of [1, 1, 0, 0, 1] as const) chip.pull(5, level);
    expect(seen).toEqual([false, true, false]);
  });

  it('take the level that the back end has just read, and read no second time', async () => {
    let told: (level?: Level) => void = () => {};
    let readings = 0;
    const backend: LineBackend = {
      openOutput: () => Promise.reject(new Error('no output')),
      openInput: async () => ({
        read() {
          readings++;
          return 0;
        },
        onEdge(listener) {
          told = listener;
        },
        close() {},
      }),
    };
    const line = await openInput(backend, { line: 5 });
    const seen: boolean[] = [];
    line.onChange((on) => seen.push(on));
    readings = 0;
    told(1);
    told(1);
    told(0);
    expect([seen, readings]).toEqual([[true, false], 0]);
    told();
    expect(readings).toBe(1);
  });

  it('keep their last value after closing', async () => {
    const chip = new FakeChip();
    const line = await openInput(chip, { line: 5 });
    chip.pull(5, 1);
    line.close();
    chip.levels.set(5, 0);
    expect(line.read()).toBe(true);
  });
});

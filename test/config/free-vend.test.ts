/** `freeVend` in the configuration file. */
import { describe, expect, it } from 'vitest';
import { bench, load } from './support.ts';

describe('freeVend', () => {
  it('names the idTag of everybody who plugs in', () => {
    expect(load({ ...bench, freeVend: { idTag: 'FREE' } }).config?.freeVend).toEqual({ idTag: 'FREE' });
  });

  it.each([undefined, null])('is off when it is %s', (freeVend) => {
    const { config, errors } = load(freeVend === undefined ? bench : { ...bench, freeVend });
    expect([config?.freeVend, errors]).toEqual([undefined, []]);
  });

  it.each([{}, { idTag: '' }, { idTag: 'A'.repeat(21) }, { idTag: 7 }, 'FREE'])(
    '%j is an error with its place',
    (wrong) => {
      expect(load({ ...bench, freeVend: wrong }).errors.join('\n')).toMatch(/freeVend/);
    },
  );
});

/** When a card counts as presented anew. */
import { describe, expect, it } from 'vitest';
import { presence } from '../../../hal/rfid/presence.ts';

describe('the presence of a card', () => {
  it('ends a second after the first look that missed it, not earlier', () => {
    const cards = presence();
    expect([cards.look('A', 0), cards.look('A', 5000)]).toEqual([true, false]);
    expect([cards.look(undefined, 6000), cards.look(undefined, 6999), cards.look('A', 7000)]).toEqual([
      false,
      false,
      false,
    ]);
    expect([cards.look(undefined, 8000), cards.look(undefined, 9000), cards.look('A', 9001)]).toEqual([
      false,
      false,
      true,
    ]);
  });

  it('is not ended by the time in which the reader could not look', () => {
    const cards = presence();
    cards.look('A', 0);
    cards.look(undefined, 500);
    cards.blind();
    cards.look(undefined, 60_000);
    expect(cards.look('A', 60_900)).toBe(false);
  });
});

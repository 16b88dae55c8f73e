/** Golden wire logs: a whole story, byte for byte. `UPDATE_GOLDEN=1 npm test` writes them anew. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { expect } from 'vitest';
import type { WireEntry } from './network.ts';

const FOLDER = new URL('../golden/', import.meta.url);

/** One line per frame: `{"t":12000,"dir":"tx","frame":[...]}`. */
export function expectGolden(wire: readonly WireEntry[], name: string): void {
  const text = wire.map(({ t, dir, frame }) => `${JSON.stringify({ t, dir, frame })}\n`).join('');
  const file = new URL(name, FOLDER);
  if (process.env['UPDATE_GOLDEN'] === '1') {
    mkdirSync(FOLDER, { recursive: true });
    writeFileSync(file, text);
  }
  expect(text).toBe(readFileSync(file, 'utf8'));
}

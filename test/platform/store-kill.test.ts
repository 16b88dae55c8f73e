/** kill -9 at every named moment of the outbox, over the real store: acknowledged adds are never lost, nothing is repeated but one. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { KillPoint } from '../../src/ocpp/outbox.ts';

const KILLS = 50;
const IDS_PER_LIFE = 30_000;
const points: readonly KillPoint[] = [
  'beforeStoreWrite',
  'afterStoreWrite',
  'beforeSend',
  'afterSend',
  'confReceived',
  'confStored',
];

// In the checkout's own node_modules, so that the bundle finds classic-level and its binary.
const folder = mkdtempSync(join(import.meta.dirname, '../../node_modules/.kill-'));
const state = mkdtempSync(join(tmpdir(), 'kill-'));
const bundle = join(folder, 'child.mjs');

beforeAll(async () => {
  const entry = join(import.meta.dirname, 'store-kill-child.ts');
  await build({
    entryPoints: [entry],
    outfile: bundle,
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
  });
});
afterAll(() => {
  rmSync(folder, { recursive: true });
  rmSync(state, { recursive: true });
});

interface Line {
  readonly kind: string;
  readonly content: number;
  readonly transactionId: string;
}

function life(
  ...parameters: readonly (string | number)[]
): Promise<{ lines: Line[]; signal: string | null; errors: string }> {
  const child = spawn(process.execPath, [bundle, join(state, 'store'), ...parameters.map(String)]);
  let text = '';
  let errors = '';
  child.stdout.on('data', (data) => (text += data));
  child.stderr.on('data', (data) => (errors += data));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (_, signal) => {
      const lines = text
        .split('\n')
        .slice(0, -1)
        .map((line) => {
          const [kind = '', content, transactionId = ''] = line.split(' ');
          return { kind, content: Number(content), transactionId };
        });
      resolve({ lines, signal, errors });
    });
  });
}

it(`keeps every acknowledged fact through ${KILLS} kills and repeats at most the one in flight`, async () => {
  const added = new Set<number>();
  const sent = new Map<number, number>();
  const delivered = new Set<number>();
  for (let kill = 0; kill <= KILLS; kill++) {
    const last = kill === KILLS;
    const point = last ? 'drained' : (points[kill % points.length] ?? 'beforeSend');
    const { lines, signal, errors } = await life(point, 5 + ((kill * 7) % 40), kill * IDS_PER_LIFE);
    expect(errors).toBe('');
    expect(signal).toBe(last ? null : 'SIGKILL');
    const repeated = new Set<number>();
    for (const { kind, content, transactionId } of lines) {
      if (kind === 'added') added.add(content);
      if (kind === 'delivered') delivered.add(content);
      if (kind !== 'sent') continue;
      if (sent.has(content)) repeated.add(content);
      sent.set(content, (sent.get(content) ?? 0) + 1);
      expect(delivered).not.toContain(content);
      expect(transactionId).toBe(content % 3 === 0 ? '' : String(Math.floor(content / 3) * 3));
    }
    expect(repeated.size).toBeLessThanOrEqual(1);
    const order = lines.filter(({ kind }) => kind === 'sent').map(({ content }) => content);
    expect(order).toEqual([...order].sort((a, b) => a - b));
  }
  expect(added.size).toBeGreaterThan(KILLS);
  expect([...added].filter((content) => !sent.has(content))).toEqual([]);
}, 60_000);

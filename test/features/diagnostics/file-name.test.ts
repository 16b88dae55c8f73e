/** Names of uploaded files, and the stretch of time that they are about. */
import { describe, expect, it } from 'vitest';
import { fileNameOf, isEmpty, rangeOf } from '../../../src/features/diagnostics/file-name.ts';
import { triesOf } from '../../../src/features/diagnostics/upload-desk.ts';
import type { Context } from '../../../src/features/feature.ts';
import { VirtualClock } from '../../sim/virtual-clock.ts';

const named = (identity: string, parts: Parameters<typeof fileNameOf>[1]): string =>
  fileNameOf({ config: { chargePoint: { identity } }, clock: new VirtualClock() } as unknown as Context, parts);

describe('the name of an uploaded file', () => {
  it.each([
    ['cp001', { ending: 'tar.gz' }, 'cp001-20260105T080000Z.tar.gz'],
    ['cp001', { ending: 'tar.gz', requestId: 7 }, 'cp001-20260105T080000Z-7.tar.gz'],
    ['cp001', { ending: 'jsonl', kind: 'security', requestId: -1 }, 'cp001-security-20260105T080000Z--1.jsonl'],
    ['../a b/%2e:ü', { ending: 'tar.gz' }, '___a_b__2e__-20260105T080000Z.tar.gz'],
    ['x'.repeat(300), { ending: 'tar.gz' }, `${'x'.repeat(40)}-20260105T080000Z.tar.gz`],
  ])('of %s %j is %s', (identity, parts, name) => {
    expect(named(identity, parts)).toBe(name);
  });
});

describe('a time range', () => {
  it('takes any offset and may be open on either side', () => {
    expect(rangeOf('2026-01-05T09:00:00+01:00', undefined)).toEqual({ from: Date.UTC(2026, 0, 5, 8) });
    expect(rangeOf(undefined, '2026-01-05T08:00:00Z')).toEqual({ to: Date.UTC(2026, 0, 5, 8) });
  });

  it('is empty only if it ends before it begins', () => {
    expect([{}, { from: 1 }, { to: 1 }, { from: 1, to: 1 }, { from: 2, to: 1 }].map(isEmpty)).toEqual([
      false,
      false,
      false,
      false,
      true,
    ]);
  });
});

describe('the tries of an upload', () => {
  it.each([
    [undefined, undefined, 1, 10_000],
    [3, 5, 4, 5_000],
    [-1, -1, 1, 0],
    [1_000_000, 1_000_000_000, 101, 86_400_000],
  ])('with retries %s and retryInterval %s', (retries, interval, tries, intervalMs) => {
    expect(triesOf(retries, interval)).toEqual({ tries, intervalMs });
  });
});

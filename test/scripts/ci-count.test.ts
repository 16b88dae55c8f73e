/** CI must not be green over a test that did not run. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'ci-count-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const least: number = JSON.parse(readFileSync(join(root, 'test/counts.json'), 'utf8')).check;

function judge(counts: Record<string, number> | undefined): string {
  const file = join(folder, 'counts.json');
  rmSync(file, { force: true });
  if (counts !== undefined) writeFileSync(file, JSON.stringify({ counts, blamed: [], reason: 'passed' }));
  const args = [join(root, 'scripts/ci-count.mjs'), 'check', file];
  return execFileSync(process.execPath, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
}

describe('the count of a CI stage', () => {
  it('passes what passed', () => expect(judge({ passed: least })).toBe(`${least} 0`));
  it.each(['failed', 'skipped', 'todo', 'retried', 'expectedToFail', 'errors'])('fails what is %s', (outcome) => {
    expect(judge({ passed: least, [outcome]: 1 })).toBe(`${least} 1`);
  });
  it('fails each test that is missing from test/counts.json', () => {
    expect(judge({ passed: least - 1 })).toBe(`${least - 1} 1`);
  });
  it('fails a run that ended without a count', () => expect(judge(undefined)).toBe('0 1'));
});

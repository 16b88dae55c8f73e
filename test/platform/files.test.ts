/** Files that are replaced as a whole, and that stay those of whom they belong to. As root these tests see more than otherwise. */
import {
  chownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { giveLike, replaceFile } from '../../src/platform/files.ts';

/** Called when something has been given away by its name. */
const meanwhile = vi.hoisted((): { given?: ((path: string) => void) | undefined } => ({}));
vi.mock('node:fs', async (original) => {
  const fs = await original<typeof import('node:fs')>();
  const lchownSync: typeof fs.lchownSync = (path, uid, gid) => {
    fs.lchownSync(path, uid, gid);
    meanwhile.given?.(String(path));
  };
  return { ...fs, lchownSync };
});

const [UID, GID] = [12_345, 12_346];
let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'files-'));
});
afterEach(() => {
  meanwhile.given = undefined;
  rmSync(directory, { recursive: true, force: true });
});

/** Where we are not root, everything stays ours, which is as good a model. */
function giveAway(path: string): void {
  if (process.geteuid?.() === 0) chownSync(path, UID, GID);
}

const ownerOf = (path: string): string => {
  const { uid, gid } = lstatSync(path);
  return `${uid}:${gid}`;
};

describe('a file that is replaced', () => {
  it('has the new text and mode, its old owner, and leaves nothing beside it', () => {
    const path = join(directory, 'chargepoint.yaml');
    writeFileSync(path, 'old');
    giveAway(path);
    const owner = ownerOf(path);
    replaceFile(path, 'new', 0o640);
    expect(readFileSync(path, 'utf8')).toBe('new');
    expect(lstatSync(path).mode & 0o777).toBe(0o640);
    expect(ownerOf(path)).toBe(owner);
    expect(readdirSync(directory)).toEqual(['chargepoint.yaml']);
  });

  it('is made with its directory where there was none', () => {
    const path = join(directory, 'deep', 'new.json');
    replaceFile(path, '{}');
    expect(readFileSync(path, 'utf8')).toBe('{}');
  });

  it.each([
    ['a link', (planted: string, victim: string) => symlinkSync(victim, planted)],
    ['another name of a file', (planted: string, victim: string) => linkSync(victim, planted)],
    ['what a power cut has left', (planted: string) => writeFileSync(planted, 'a long unfinished text')],
  ])('is never written through %s where the new text is made: whose folder it is may have put it there', (_, plant) => {
    const path = join(directory, 'safe-outputs');
    const victim = join(directory, 'victim');
    writeFileSync(victim, 'kept', { mode: 0o600 });
    writeFileSync(path, 'old');
    giveAway(path);
    const before = ownerOf(victim);
    plant(`${path}.new`, victim);
    replaceFile(path, 'new');
    expect(readFileSync(path, 'utf8')).toBe('new');
    expect([readFileSync(victim, 'utf8'), statSync(victim).mode & 0o777, ownerOf(victim)]).toEqual([
      'kept',
      0o600,
      before,
    ]);
    expect(readdirSync(directory).sort()).toEqual(['safe-outputs', 'victim']);
  });
});

describe('what was made for somebody else', () => {
  it('is theirs with all that is in it, but for what a link points to', () => {
    const state = join(directory, 'state');
    const store = join(state, 'store');
    const outside = join(directory, 'outside');
    mkdirSync(store, { recursive: true });
    writeFileSync(join(store, 'CURRENT'), '');
    writeFileSync(outside, '');
    symlinkSync(outside, join(store, 'link'));
    giveAway(state);
    const before = ownerOf(outside);
    giveLike(state, store);
    for (const path of [store, join(store, 'CURRENT'), join(store, 'link')]) expect(ownerOf(path)).toBe(ownerOf(state));
    expect(ownerOf(outside)).toBe(before);
  });

  it('is no folder of somebody else that was put in the place of theirs meanwhile', () => {
    const state = join(directory, 'state');
    const store = join(state, 'store');
    const outside = join(directory, 'outside');
    for (const folder of [store, outside]) mkdirSync(folder, { recursive: true });
    writeFileSync(join(outside, 'passwd'), '');
    giveAway(state);
    meanwhile.given = (path) => {
      if (path !== store) return;
      rmSync(store, { recursive: true });
      symlinkSync(outside, store);
    };
    const theirs = [outside, join(outside, 'passwd')];
    const before = theirs.map(ownerOf);
    try {
      giveLike(state, store);
    } catch {
      // It is no folder any more.
    }
    expect(theirs.map(ownerOf)).toEqual(before);
  });

  it('may be missing', () => {
    expect(() => giveLike(directory, join(directory, 'gone'))).not.toThrow();
    expect(() => giveLike(join(directory, 'gone'), directory)).not.toThrow();
  });
});

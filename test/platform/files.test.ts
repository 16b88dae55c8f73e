/** Files that are replaced as a whole, and that stay those of whom they belong to. As root these tests see more than otherwise. */
import {
  chownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { giveLike, replaceFile } from '../../src/platform/files.ts';

const [UID, GID] = [12_345, 12_346];
let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'files-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

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

  it('may be missing', () => {
    expect(() => giveLike(directory, join(directory, 'gone'))).not.toThrow();
    expect(() => giveLike(join(directory, 'gone'), directory)).not.toThrow();
  });
});

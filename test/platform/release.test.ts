/** A release on trial: what it reads of root, and when it asks to be kept. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { confirmRelease, pendingRelease } from '../../src/platform/release.ts';
import type { Cancel, Log } from '../../src/ports.ts';

let root: string;
const state = (file: string, text: string) => writeFileSync(join(root, 'var/lib/chargepoint-boot', file), text);
const request = () => join(root, 'run/chargepoint-requests/confirm');

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'trial-'));
  mkdirSync(join(root, 'var/lib/chargepoint-boot'), { recursive: true });
  mkdirSync(join(root, 'run/chargepoint-requests'), { recursive: true });
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const silent: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {}, child: () => silent };

/** A clock of which each step is one timer that fires. */
class Steps {
  #due: (() => void) | undefined;
  afterReal = (_: number, action: () => void): Cancel => {
    this.#due = action;
    return () => {
      this.#due = undefined;
    };
  };
  get waiting(): boolean {
    return this.#due !== undefined;
  }
  pass(seconds: number): void {
    for (let second = 0; second < seconds; second += 1) {
      const due = this.#due;
      this.#due = undefined;
      due?.();
    }
  }
}

function trial(version = '1.1.0') {
  const clock = new Steps();
  const health = { isWell: true };
  const cancel = confirmRelease({ version, isWell: () => health.isWell, forMs: 5_000, clock, log: silent, root });
  return { clock, health, cancel };
}

describe('a release on trial', () => {
  it('asks to be kept once it has been well for as long as it must', () => {
    state('pending', '1.1.0 1.0.0 1\n');
    const { clock } = trial();
    clock.pass(4);
    expect(existsSync(request())).toBe(false);
    clock.pass(1);
    expect(readFileSync(request(), 'utf8')).toBe('1.1.0\n');
    expect(clock.waiting).toBe(false);
  });

  it('starts to count again when it was not well in between', () => {
    state('pending', '1.1.0 1.0.0 1\n');
    const { clock, health } = trial();
    clock.pass(4);
    health.isWell = false;
    clock.pass(1);
    health.isWell = true;
    clock.pass(4);
    expect(existsSync(request())).toBe(false);
    clock.pass(1);
    expect(existsSync(request())).toBe(true);
  });

  it.each([
    ['without a pending one', undefined],
    ['while another one is pending', '1.2.0 1.1.0 0\n'],
    ['from a pending file that says nothing', '\n'],
  ])('never asks %s', (_, pending) => {
    if (pending !== undefined) state('pending', pending);
    const { clock } = trial();
    expect(clock.waiting).toBe(false);
  });

  it('asks again each second where it may not write', () => {
    state('pending', '1.1.0 1.0.0 1\n');
    rmSync(join(root, 'run'), { recursive: true });
    writeFileSync(join(root, 'run'), '');
    const { clock } = trial();
    clock.pass(5);
    expect(clock.waiting).toBe(true);
    rmSync(join(root, 'run'));
    clock.pass(1);
    expect(existsSync(request())).toBe(true);
  });

  it('asks nothing any more once it was cancelled', () => {
    state('pending', '1.1.0 1.0.0 1\n');
    const { clock, cancel } = trial();
    cancel();
    expect(clock.waiting).toBe(false);
  });
});

describe("root's side", () => {
  it('says which release is pending', () => {
    expect(pendingRelease(root)).toBeUndefined();
    state('pending', '1.1.0 1.0.0 2\n');
    expect(pendingRelease(root)).toEqual({ version: '1.1.0', previous: '1.0.0' });
  });
});

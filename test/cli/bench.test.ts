/** `chargepoint bench --config`: what is wrong with the file is said of that file, before anything is started. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { bench as benchCommand } from '../../src/cli/bench.ts';
import type { Io } from '../../src/cli/io.ts';
import { bench, lab } from '../config/support.ts';

let directory: string;
let file: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'bench-'));
  file = join(directory, 'chargepoint.yaml');
  supervise.mockClear();
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** Starts nothing. */
const supervise = vi.fn(async () => 0);

async function started() {
  const [out, err]: [string[], string[]] = [[], []];
  const io: Io = {
    out: (text) => void out.push(text),
    err: (text) => void err.push(text),
    script: resolve(import.meta.dirname, '../../src/main.ts'),
    environment: {},
    isTerminal: false,
  };
  return { code: await benchCommand(io, { config: file }, supervise), out: out.join(''), err: err.join('') };
}

describe('the configuration of a bench', () => {
  it.each([
    ['is not there', undefined, ':1:1 cannot be read: there is no such file'],
    ['is no YAML', 'board: mock\nboard: mock\n', ':2:1 map keys must be unique'],
    ['is a list', '- 1\n', ':1:1 is a list, expected an object'],
    [
      'has a wrong member',
      JSON.stringify({ ...bench, faultGrace: 1 }, undefined, 1).replaceAll('"', ''),
      ':21:2 faultGrace: is unknown',
    ],
    [
      'names a secrets file that is not there',
      JSON.stringify({ ...bench, secretsFile: 'no.yaml' }),
      'secretsFile: cannot',
    ],
  ])('that %s is refused at its place, as by check, and nothing is started', async (_what, text, expected) => {
    if (text !== undefined) writeFileSync(file, text);
    const before = readdirSync(directory);
    const { code, out, err } = await started();
    expect([code, out]).toEqual([78, '']);
    expect(err).toContain(`error ${file}`);
    expect(err).toContain(expected);
    expect(err).toContain('1 error; nothing was started.');
    expect(err).not.toMatch(/bench-config|\bat .*\.ts:/);
    expect(readdirSync(directory)).toEqual(before);
    expect(supervise).not.toHaveBeenCalled();
  });

  it('may be that of real hardware, of which the bench decides board and central system by itself', async () => {
    for (const given of [bench, lab, { ...lab, acknowledgeLabUse: false, board: 'no-such-board' }]) {
      writeFileSync(file, JSON.stringify(given));
      expect(await started()).toEqual({ code: 0, out: '', err: '' });
    }
    expect(supervise).toHaveBeenCalledTimes(3);
  });
});

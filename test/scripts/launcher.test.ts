/** The code cache makes a start faster and must never change what runs. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const folder = mkdtempSync(join(tmpdir(), 'launcher-'));
const program = join(folder, 'chargepoint.cjs');
const main = join(folder, 'main.cjs');
/** As the build makes it: one function. */
const source = (word: string) => `(function (exports, require, module, __filename, __dirname) {
const f = () => '${word}';
console.log(f(), process.argv[2], __filename);
})`;
const run = (env: NodeJS.ProcessEnv = {}) =>
  execFileSync(process.execPath, [program, 'argument'], { encoding: 'utf8', env }).trim();
const cacheFile = () =>
  join(folder, 'cache', readdirSync(join(folder, 'cache')).find((name) => name.startsWith('main')) ?? '');

beforeAll(() => {
  cpSync(join(import.meta.dirname, '../../scripts/launcher.cjs'), program);
  writeFileSync(main, source('first'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the launcher', () => {
  it('starts the program without a cache', () => expect(run()).toBe(`first argument ${main}`));

  it('starts the program from the cache that an earlier run wrote', () => {
    run({ CHARGEPOINT_CODE_CACHE: 'write' });
    expect(readFileSync(cacheFile()).length).toBeGreaterThan(100);
    expect(run()).toBe(`first argument ${main}`);
  });

  it('runs a changed program of the same length, not the cached one', () => {
    writeFileSync(main, source('later'));
    expect(run()).toBe(`later argument ${main}`);
    writeFileSync(main, source('first'));
  });

  it.each([0, 0.3, 0.6, 0.99])('ignores a cache with a flipped byte at %d of its length', (part) => {
    const sound = readFileSync(cacheFile());
    const broken = Buffer.from(sound);
    const at = Math.floor(part * broken.length);
    broken[at] = (broken[at] ?? 0) ^ 0xff;
    writeFileSync(cacheFile(), broken);
    expect(run()).toBe(`first argument ${main}`);
    writeFileSync(cacheFile(), sound);
  });

  it('makes the outputs safe before it reads the program, and only for a run', () => {
    writeFileSync(
      join(folder, 'safe-outputs.cjs'),
      "exports.beforeRun = async (argv) => { await null; console.log('safe', ...argv); };",
    );
    const output = (...argv: string[]) => execFileSync(process.execPath, [program, ...argv], { encoding: 'utf8' });
    expect(output('run', '--config', 'x')).toBe(`safe run --config x\nfirst run ${main}\n`);
    expect(output('check', 'run')).toBe(`first check ${main}\n`);
  });

  it('starts the smaller program, with a cache of its own, for a plain run', () => {
    const agent = join(folder, 'agent.cjs');
    writeFileSync(agent, source('agent'));
    writeFileSync(join(folder, 'safe-outputs.cjs'), 'exports.beforeRun = async () => true;');
    const output = (env: NodeJS.ProcessEnv) =>
      execFileSync(process.execPath, [program, 'run'], { encoding: 'utf8', env });
    for (const env of [{ CHARGEPOINT_CODE_CACHE: 'write' }, {}]) expect(output(env)).toBe(`agent run ${agent}\n`);
    expect(readdirSync(join(folder, 'cache')).map((name) => name.split('-')[0])).toEqual(['agent', 'main']);
    expect(run()).toBe(`first argument ${main}`);
  });

  it('names the same file in a stack wherever the program was when the cache was written', () => {
    const built = mkdtempSync(join(tmpdir(), 'launcher-built-'));
    cpSync(program, join(built, 'chargepoint.cjs'));
    writeFileSync(join(built, 'main.cjs'), "(function () { console.log(new Error('here').stack.split('\\n')[1]); })");
    const stack = (at: string, env: NodeJS.ProcessEnv) =>
      execFileSync(process.execPath, [join(at, 'chargepoint.cjs')], { encoding: 'utf8', env }).trim();
    const written = stack(built, { CHARGEPOINT_CODE_CACHE: 'write' });
    const moved = `${built}-moved`;
    renameSync(built, moved);
    expect(stack(moved, {})).toBe(written);
    expect(written).toMatch(/^at main\.cjs:1:\d+$/);
    rmSync(moved, { recursive: true });
  });

  it('ignores a cache that was cut short', () => {
    writeFileSync(cacheFile(), readFileSync(cacheFile()).subarray(0, 3));
    expect(run()).toBe(`first argument ${main}`);
  });
});

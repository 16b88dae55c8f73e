/** The two commands of the README, as a stranger types them: a fresh clone, an empty HOME, nothing but Node and npm. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const FIRST_SESSION_WITHIN_MS = 60_000;
const INSTALLED_WITHIN_MS = 150_000;
const ENDED_WITHIN_MS = 3_000;

/** What a first session must show, in this order; other lines may stand between. */
const FIRST_SESSION = [
  /connector 1 is Preparing/,
  /starts a transaction .* at \d+ Wh/,
  /connector 1 is Charging/,
  /connector 1 measures \d+ Wh/,
  /ends transaction \d+ at \d+ Wh \(Local\)/,
  /connector 1 is Available/,
];

const scratch = mkdtempSync(join(tmpdir(), 'fresh-clone-'));
const clone = join(scratch, 'chargepoint');
const home = join(scratch, 'home');
const environment = { PATH: process.env['PATH'], HOME: home };
let started: ChildProcess | undefined;

const running = (group: number): boolean => {
  try {
    return process.kill(-group, 0);
  } catch {
    return false;
  }
};

/** The lines of a child, read while it runs. */
class Output {
  text = '';
  constructor(child: ChildProcess) {
    child.stdout?.on('data', (chunk: Buffer) => {
      this.text += chunk;
    });
    child.stderr?.on('data', (chunk: Buffer) => {
      this.text += chunk;
    });
  }

  /** Waits until every pattern has been seen, each after the one before. Rejects with what was missing and what there was. */
  async shows(patterns: readonly RegExp[], withinMs: number): Promise<void> {
    for (const deadline = Date.now() + withinMs; ; await delay(100)) {
      const missing = this.#firstMissing(patterns);
      if (missing === undefined) return;
      if (Date.now() > deadline) throw new Error(`not shown within ${withinMs} ms: ${missing}\n${this.text}`);
    }
  }

  #firstMissing(patterns: readonly RegExp[]): RegExp | undefined {
    const lines = this.text.split('\n');
    let at = 0;
    return patterns.find((pattern) => {
      const found = lines.findIndex((line, index) => index >= at && pattern.test(line));
      at = found + 1;
      return found === -1;
    });
  }
}

beforeAll(() => {
  mkdirSync(home);
  execFileSync('git', ['clone', '--quiet', join(import.meta.dirname, '../..'), clone], { env: environment });
});

afterAll(() => {
  const group = started?.pid;
  if (group !== undefined && running(group)) process.kill(-group, 'SIGKILL');
  rmSync(scratch, { recursive: true, force: true });
});

describe('a fresh clone in an empty HOME', () => {
  it('installs, builds, shows a first session and answers on the bench after `npm start`, and Ctrl-C ends it', async () => {
    // A process group of its own, so that the interrupt reaches all of it as it does from a terminal.
    const child = spawn('npm', ['start'], { cwd: clone, env: environment, detached: true });
    started = child;
    const output = new Output(child);
    await output.shows([/Installed in \d+ s/], INSTALLED_WITHIN_MS);
    await output.shows(FIRST_SESSION, FIRST_SESSION_WITHIN_MS);

    const address = /curl\b.*?(http:\/\/127\.0\.0\.1:\d+\/bench)\b/.exec(output.text)?.[1];
    const document = await fetch(address ?? '').then((response) => response.json());
    expect(document).toMatchObject({ link: 'up', out: { connected: true, boot: 'Accepted' } });

    const exited = once(child, 'exit');
    const asked = Date.now();
    const group = child.pid ?? 0;
    process.kill(-group, 'SIGINT');
    // npm reports that its shell was interrupted too, which is no failure.
    expect([
      [0, null],
      [null, 'SIGINT'],
    ]).toContainEqual(await exited);
    expect(Date.now() - asked).toBeLessThan(ENDED_WITHIN_MS);
    expect(running(group)).toBe(false);
    const log = /Log of the agent.*?(\/\S+)/.exec(output.text)?.[1] ?? '';
    expect(readFileSync(log, 'utf8')).toMatch(/ending after SIGTERM/);
    await expect(fetch(address ?? '')).rejects.toThrow();
  });

  it('is set up once: the next start needs no network and says nothing', () => {
    const setup = ['--net', process.execPath, 'scripts/setup.mjs', '--build'];
    const { status, stdout, stderr } = spawnSync('unshare', setup, { cwd: clone, env: environment, encoding: 'utf8' });
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' });
  });

  it('runs its tests with `npm test`', () => {
    const { status, stdout } = spawnSync('npm', ['test', '--', 'test/hal/duty.test.ts'], {
      cwd: clone,
      env: environment,
      encoding: 'utf8',
    });
    expect(status, stdout).toBe(0);
  });
});

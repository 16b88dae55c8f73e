/** The guard of the technician's tools: what SIGKILL ends leaves no output driven. Real processes. */
import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

let folder: string;
let opened: string;
let tool: ChildProcess | undefined;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'guard-'));
  opened = join(folder, 'opened');
  const program = join(folder, 'contactor-open');
  writeFileSync(program, `#!/bin/sh\nprintf %s "$1" >'${opened}.new'; mv '${opened}.new' '${opened}'\n`);
  chmodSync(program, 0o755);
  await build({
    stdin: {
      resolveDir: import.meta.dirname,
      loader: 'ts',
      contents: `
        import { standGuard } from '../../src/cli/guard.ts';
        const guard = standGuard({ err: console.error, script: '.' } as never, '/where/safe-outputs', ${JSON.stringify(program)});
        process.on('SIGUSR2', () => { guard?.dismiss(); console.log('dismissed'); });
        setInterval(() => {}, 1000);
        console.log('ready');
      `,
    },
    outfile: join(folder, 'tool.mjs'),
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    logLevel: 'error',
  });
});
afterEach(() => {
  tool?.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

async function running(): Promise<ChildProcess> {
  const child = spawn(process.execPath, [join(folder, 'tool.mjs')], { stdio: ['ignore', 'pipe', 'inherit'] });
  tool = child;
  await said(child, 'ready');
  return child;
}

const said = (child: ChildProcess, word: string): Promise<void> =>
  new Promise((resolve) => {
    child.stdout?.on('data', (chunk: Buffer) => {
      if (chunk.toString().includes(word)) resolve();
    });
  });

const ended = (child: ChildProcess): Promise<void> =>
  new Promise((resolve) => void child.once('exit', () => resolve()));

describe('the guard', () => {
  it('opens the contactors as soon as the tool was killed, and not before', async () => {
    const child = await running();
    expect(existsSync(opened)).toBe(false);
    const gone = ended(child);
    child.kill('SIGKILL');
    await gone;
    await vi.waitFor(() => expect(existsSync(opened)).toBe(true), { timeout: 5_000, interval: 20 });
    // The file that the tool has written, wherever that is.
    expect(readFileSync(opened, 'utf8')).toBe('/where/safe-outputs');
  });

  it('does nothing after it was dismissed', async () => {
    const child = await running();
    const dismissed = said(child, 'dismissed');
    child.kill('SIGUSR2');
    await dismissed;
    const gone = ended(child);
    child.kill('SIGKILL');
    await gone;
    // So long a guard that still stood would take at the very most.
    await new Promise((resolve) => void setTimeout(resolve, 300));
    expect(existsSync(opened)).toBe(false);
  });
});

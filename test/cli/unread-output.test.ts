/** A pipe that nobody reads any more, as behind `| head -1`: it ends a command as Ctrl-C does, and never the service. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { callAgent } from '../../src/control/client.ts';
import { bench } from '../config/support.ts';

const ROOT = resolve(import.meta.dirname, '../..');
/** Inside the checkout, because the bundles look for the native packages above themselves. */
const BUILD = join(ROOT, 'node_modules', '.cache', `unread-test-${process.pid}`);
const PROGRAM = join(BUILD, 'dist', 'main.cjs');
const CLOSES = join(BUILD, 'dist', 'closes.cjs');
const UNREAD = 141;

/** `contactor 1 close` on a mock board with an EV that asks; what its coil did is written beside the configuration. */
const CLOSING = `
import { writeFileSync } from 'node:fs';
import { accessBoard } from './src/cli/board-access.ts';
import { closedFor } from './src/cli/close-contactor.ts';
import { loadFor } from './src/cli/configuration.ts';
import { endWith } from './src/cli/ending.ts';
import { processIo } from './src/cli/io.ts';
const io = processIo();
const [file, seen] = process.argv.slice(2);
endWith((async () => {
  const access = await accessBoard(io, loadFor(io, file).config);
  access.board.inputs.patchConnector(1, { ev: { plugged: true } });
  const [{ evse }] = access.board.connectors;
  const history = [];
  evse.onState(({ contactor }) => writeFileSync(seen, JSON.stringify([...history, (history.push(contactor), contactor)])));
  const talk = setInterval(() => io.out('still here\\n'), 50);
  await closedFor(evse, { amps: 16, forMs: 60_000, waitMs: 20_000, ...access, closed: () => io.out('Closed.\\n') });
  clearInterval(talk);
  await access.close();
  return 1;
})());
`;

beforeAll(async () => {
  mkdirSync(BUILD, { recursive: true });
  const external = ['@serialport/bindings-cpp', 'koffi', 'onoff', 'classic-level', 'bufferutil', 'utf-8-validate'];
  const common = { bundle: true, platform: 'node', format: 'cjs', logLevel: 'error' } as const;
  const options = { ...common, external: [...external, '*/supervisor.ts'] };
  await build({ ...options, entryPoints: [join(ROOT, 'src/main.ts')], outfile: PROGRAM });
  await build({ ...options, stdin: { contents: CLOSING, resolveDir: ROOT, loader: 'ts' }, outfile: CLOSES });
});
afterAll(() => rmSync(BUILD, { recursive: true, force: true }));

let directory: string;
let config: string;
const children = new Set<ChildProcess>();

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'unread-'));
  config = join(directory, 'chargepoint.yaml');
  // Nobody listens on that port.
  const centralSystem = { url: 'ws://127.0.0.1:9' };
  writeFileSync(config, JSON.stringify({ ...bench, centralSystem, stateDir: 'state', bench: { port: 0 } }));
});
afterEach(() => {
  for (const child of children) child.kill('SIGKILL');
  children.clear();
  rmSync(directory, { recursive: true, force: true });
});

function start(...argv: string[]) {
  const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'pipe'] });
  children.add(child);
  const said = { out: '', err: '' };
  child.stdout.on('data', (chunk: Buffer) => {
    said.out += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    said.err += chunk.toString();
  });
  const ended = new Promise<number | null>((done) => child.on('exit', (code) => done(code)));
  return { child, said, ended };
}

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 300; tries += 1) {
    if (await isSo()) return;
    await new Promise((again) => setTimeout(again, 50));
  }
  throw new Error('it does not come to that');
}

describe('a command whose output nobody reads any more', () => {
  it.each([
    ['pilot', '1', '16', '--seconds', '60'],
    ['lock', '1', 'lock', '--seconds', '60'],
    ['contactor', '1', 'close', '--wait', '60'],
    ['doctor', '--only', 'network'],
  ])('%s ends with exit code 141 and no stack, and gives the board back', async (...argv) => {
    const command = start(PROGRAM, ...argv, '--config', config);
    command.child.stdout.once('data', () => command.child.stdout.destroy());
    // Some have no more to say by themselves: their end is the last word.
    const patience = setTimeout(() => command.child.kill('SIGTERM'), 2_000);
    expect(await command.ended).toBe(UNREAD);
    clearTimeout(patience);
    expect(command.said.err).not.toMatch(/EPIPE|\bat .*\.cjs/);
    const next = start(PROGRAM, 'pilot', '1', '--config', config);
    expect([await next.ended, next.said.err]).toEqual([0, '']);
  });

  it('opens the contactor that it has closed', async () => {
    const seen = join(directory, 'seen.json');
    const command = start(CLOSES, config, seen);
    await until(() => command.said.out.includes('Closed.'));
    command.child.stdout.destroy();
    expect(await command.ended).toBe(UNREAD);
    expect(JSON.parse(readFileSync(seen, 'utf8')).at(-1)).toBe('open');
    expect(command.said.err).toBe('');
  });
});

describe('the service', () => {
  it('goes on when nobody reads its log and its errors any more', async () => {
    const talk = join(directory, 'talk.cjs');
    const told = join(directory, 'told');
    writeFileSync(
      talk,
      `process.on('SIGUSR2', () => { process.stdout.write('x'); process.stderr.write('x', () => require('node:fs').writeFileSync(${JSON.stringify(told)}, '')); });`,
    );
    const agent = start('--require', talk, PROGRAM, 'run', '--config', config);
    const socket = join(directory, 'state', 'control.sock');
    const answers = () =>
      callAgent(socket, { path: '/status' }).then(
        () => true,
        () => false,
      );
    await until(answers);
    agent.child.stdout.destroy();
    agent.child.stderr.destroy();
    agent.child.kill('SIGUSR2');
    await until(() => existsSync(told));
    await new Promise((later) => setTimeout(later, 200));
    expect(await answers()).toBe(true);
    agent.child.kill('SIGTERM');
    expect(await agent.ended).toBe(0);
  });
});

/** `chargepoint run` as a process of its own: starts, answers, ends in time, and starts again after a kill. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { callAgent } from '../../src/control/client.ts';
import { bench } from '../config/support.ts';

const ROOT = resolve(import.meta.dirname, '../..');
/** Inside the checkout, because the bundle looks for the native packages above itself. */
const BUILD = join(ROOT, 'node_modules', '.cache', `run-test-${process.pid}`);
const PROGRAM = join(BUILD, 'dist', 'main.cjs');

let directory: string;
let config: string;
let socket: string;
const children = new Set<ChildProcess>();

beforeAll(async () => {
  mkdirSync(BUILD, { recursive: true });
  await build({
    entryPoints: [join(ROOT, 'src/main.ts')],
    outfile: PROGRAM,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    logLevel: 'error',
    external: [
      '@serialport/bindings-cpp',
      'koffi',
      'onoff',
      'classic-level',
      'bufferutil',
      'utf-8-validate',
      '*/supervisor.ts',
    ],
  });
});
afterAll(() => rmSync(BUILD, { recursive: true, force: true }));

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'run-'));
  config = join(directory, 'chargepoint.yaml');
  socket = join(directory, 'state', 'control.sock');
  const main = {
    ...bench,
    centralSystem: { url: `ws://127.0.0.1:${await deadPort()}` },
    stateDir: 'state',
    bench: { port: 0 },
  };
  writeFileSync(config, JSON.stringify(main));
});
afterEach(() => {
  for (const child of children) child.kill('SIGKILL');
  children.clear();
  rmSync(directory, { recursive: true, force: true });
});

/** A port on which nobody listens. */
const deadPort = (): Promise<number> =>
  new Promise((found) => {
    const server = createServer();
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => found(typeof address === 'object' && address !== null ? address.port : 1));
    });
  });

interface Started {
  readonly child: ChildProcess;
  readonly output: () => string;
  readonly ended: Promise<number | null>;
}

function start(nodeOptions: readonly string[] = []): Started {
  const argv = [...nodeOptions, PROGRAM, 'run', '--config', config];
  const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'pipe'] });
  children.add(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
  }
  return { child, output: () => output, ended: new Promise((done) => child.on('close', done)) };
}

/** Waits until the agent answers; a process that ended says why. */
async function answering({ child, output }: Started): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}:\n${output()}`);
    const answer = await callAgent(socket, { path: '/status' }).catch(() => undefined);
    if (answer !== undefined) return;
    await new Promise((again) => setTimeout(again, 50));
  }
  throw new Error(`it does not answer:\n${output()}`);
}

describe('run', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)(
    'answers on its control socket and ends within 3 s of %s with exit code 0',
    async (signal) => {
      const agent = start();
      await answering(agent);
      const at = performance.now();
      agent.child.kill(signal);
      expect(await agent.ended).toBe(0);
      expect(performance.now() - at).toBeLessThan(3_000);
      expect(agent.output()).toContain(`ending after ${signal}`);
      expect(existsSync(socket)).toBe(false);
    },
  );

  it('shows the bench and plays the inputs of the configuration', async () => {
    const main = JSON.parse(readFileSync(config, 'utf8')) as object;
    const inputs = { connectors: { 1: { ev: { plugged: true } } } };
    writeFileSync(config, JSON.stringify({ ...main, bench: { port: 0, inputs } }));
    const agent = start();
    await answering(agent);
    const address = /http:\/\/127\.0\.0\.1:\d+\/bench/.exec(agent.output())?.[0];
    const document: unknown = await (await fetch(String(address))).json();
    expect(document).toMatchObject({
      connectors: { 1: { ev: { plugged: true }, out: { pilot: 'B', contactor: false } } },
    });
  });

  it('serves the routes of the rooms, and ends with exit code 0 to dial another central system', async () => {
    const agent = start();
    await answering(agent);
    const { keys } = (await callAgent(socket, { path: '/keys' })) as { keys: readonly { name: string }[] };
    expect(keys.map(({ name }) => name)).toContain('HeartbeatInterval');
    const reading = { connector: 1, values: { energyImport: { sum: expect.any(Number) } } };
    expect(await callAgent(socket, { path: '/meters/reading' })).toMatchObject(reading);
    expect(await callAgent(socket, { path: '/meters' })).toMatchObject({ meters: [{ connector: 1 }], ports: [] });
    const url = 'ws://127.0.0.1:9/another';
    const answer = callAgent(socket, { method: 'POST', path: '/central-system/switch', body: { url } });
    expect(await answer).toMatchObject({ done: expect.stringContaining('Switched') });
    expect(await agent.ended).toBe(0);
    const next = start();
    await answering(next);
    expect(await callAgent(socket, { path: '/status' })).toMatchObject({ url });
  });

  it('warns at every start of a pilot that a Linux process makes, before it opens the board', async () => {
    // No GPIO and no PWM there: nothing of this machine is touched.
    const boardFile = readFileSync(join(ROOT, 'config/boards/raspberry-pi-lab.yaml'), 'utf8');
    writeFileSync(join(directory, 'board.yaml'), `${boardFile}\nsysfsRoot: ${directory}/sys\n`);
    const model = join(ROOT, 'config/meters/eastron-sdm630.yaml');
    const meter = { model, bus: { port: join(directory, 'no-adapter') }, unit: 1 };
    const { bench: _, ...main } = JSON.parse(readFileSync(config, 'utf8')) as { bench: unknown };
    const connectors = [{ id: 1, cable: 'attached', meter }];
    writeFileSync(config, JSON.stringify({ ...main, board: './board.yaml', connectors, acknowledgeLabUse: true }));
    for (const time of ['first', 'second']) {
      const agent = start();
      expect(await agent.ended, agent.output()).toBe(70);
      const warning = agent.output().indexOf('acknowledgeLabUse: Raspberry Pi lab board drives the pilot');
      expect(warning, `${time} start: ${agent.output()}`).toBeGreaterThan(-1);
      expect(agent.output().indexOf('for laboratory use only')).toBeGreaterThan(warning);
      expect(agent.output().indexOf('the agent cannot start')).toBeGreaterThan(warning);
    }
  });

  it('exits 78 for an input that has no such value', async () => {
    const main = JSON.parse(readFileSync(config, 'utf8')) as object;
    writeFileSync(config, JSON.stringify({ ...main, bench: { inputs: { link: 'sideways' } } }));
    const agent = start();
    expect(await agent.ended).toBe(78);
    expect(agent.output()).toContain('bench.inputs: ');
  });

  it('starts again after it was killed, over the socket and the lock that it left', async () => {
    const first = start();
    await answering(first);
    first.child.kill('SIGKILL');
    await first.ended;
    expect(existsSync(socket)).toBe(true);
    const second = start();
    await answering(second);
    second.child.kill('SIGTERM');
    expect(await second.ended).toBe(0);
  });

  it('refuses to start beside a running agent, says so with exit code 70, and leaves that one alone', async () => {
    const first = start();
    await answering(first);
    const second = start();
    expect(await second.ended).toBe(70);
    expect(second.output()).toMatch(/another agent is running/);
    await answering(first);
  });

  it('starts nothing with a wrong configuration and exits 78', async () => {
    writeFileSync(config, JSON.stringify({ ...bench, stateDir: 'state', boards: 'mock' }));
    const agent = start();
    expect(await agent.ended).toBe(78);
    expect(agent.output()).toContain('did you mean board?');
    expect(existsSync(join(directory, 'state'))).toBe(false);
  });

  it.each([
    ['thrown', "throw new Error('nobody expected this')"],
    ['rejected', "Promise.reject(new Error('nobody expected this'))"],
  ])('exits 70 with the cause in the log when something is %s that nobody catches', async (_, statement) => {
    const preload = join(directory, 'crash.cjs');
    writeFileSync(preload, `process.on('SIGUSR2', () => { ${statement}; });`);
    const agent = start(['--require', preload]);
    await answering(agent);
    agent.child.kill('SIGUSR2');
    expect(await agent.ended).toBe(70);
    expect(agent.output()).toMatch(/error fatal: nobody caught this .*nobody expected this/);
  });

  it('exits 78 where the state directory is a file: no start will ever do', async () => {
    writeFileSync(join(directory, 'state'), 'a file is in the way');
    const agent = start();
    expect(await agent.ended).toBe(78);
    expect(agent.output()).toMatch(/stateDir: \S+state is a file, expected a folder/);
  });

  it('exits 70 and says why where the state directory cannot be used', async () => {
    writeFileSync(join(directory, 'plain'), 'a file is in the way');
    writeFileSync(config, readFileSync(config, 'utf8').replace('"stateDir":"state"', '"stateDir":"plain/state"'));
    const agent = start();
    expect(await agent.ended).toBe(70);
    expect(agent.output()).toContain('the agent cannot start');
  });
});

/** Agents and floors, started and connected, each in its own state directory. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startProgram } from './processes.mjs';

export const root = fileURLToPath(new URL('../../..', import.meta.url));
export const LAUNCHER = join(root, 'dist', 'chargepoint.cjs');
export const BARE = join(root, 'scripts/perf/programs/bare.cjs');
/** Bundles of the programs that use the sources. */
export const bundled = (name) => join(root, '.cache/perf', `${name}.mjs`);

const made = [];
export function scratchDirectory() {
  const directory = mkdtempSync(join(tmpdir(), 'chargepoint-perf-'));
  made.push(directory);
  return directory;
}
export function removeScratch() {
  for (const directory of made) rmSync(directory, { recursive: true, force: true });
}

async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** A configuration for the real program on the mock board; JSON is YAML too. */
export async function configurationFile(url, identity, more = {}) {
  const directory = scratchDirectory();
  const file = join(directory, 'chargepoint.yaml');
  const configuration = {
    chargePoint: { identity, vendor: 'Acme', model: 'Pi', serialNumber: 'cp001' },
    centralSystem: { url },
    board: 'mock',
    connectors: [{ id: 1, cable: 'attached' }],
    keys: { AuthorizeRemoteTxRequests: 'false' },
    stateDir: join(directory, 'state'),
    bench: { host: '127.0.0.1', port: await freePort(), inputs: {} },
    ...more,
  };
  writeFileSync(file, JSON.stringify(configuration, null, 1));
  return file;
}

/** The program as it is installed. */
export const runProgram = (file) => startProgram([LAUNCHER, 'run', '--config', file]);

/** Starts something that dials, and waits until its registration is accepted. */
async function connected(central, identity, start) {
  const station = central.station(identity);
  const program = start();
  const arrived = await Promise.race([
    station,
    program.exited.then(({ code }) => {
      throw new Error(`${identity} ended with ${code}: ${program.complaint}`);
    }),
  ]);
  const boot = await arrived.next(({ action }) => action === 'BootNotification');
  return { program, station: arrived, boot };
}

export const startInstalled = async (central, identity, more) => {
  const file = await configurationFile(central.url, identity, more);
  return connected(central, identity, () => runProgram(file));
};

export const startBare = (central, identity = 'bare') =>
  connected(central, identity, () => startProgram([BARE, identity, central.url, scratchDirectory()]));

/** The agent whose pins can be watched (programs/agent.mjs). */
export const startWatched = (central, identity = 'agent', stateDir = scratchDirectory()) =>
  connected(central, identity, () =>
    startProgram([bundled('agent'), JSON.stringify({ identity, url: central.url, stateDir })], { messages: true }),
  );

/** Runs a program to its end and reads the JSON line that it leaves on descriptor 3. */
export async function resultOf(args) {
  const program = startProgram(args);
  const text = await program.output;
  if (text === '') throw new Error(`${args.join(' ')} gave no result: ${program.complaint}`);
  return JSON.parse(text);
}

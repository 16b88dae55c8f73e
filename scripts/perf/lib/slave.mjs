/** The other end of the serial line. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { root } from './agents.mjs';
import { tracked } from './processes.mjs';

const SLAVE = join(root, 'scripts/perf/programs/pacing-slave.py');

/** A slave of our own on a pty; undefined where there is no python3. */
export function startSlave(baudRate) {
  return new Promise((resolve) => {
    const slave = tracked(spawn('python3', [SLAVE, String(baudRate)], { stdio: ['ignore', 'pipe', 'inherit'] }));
    slave.once('error', () => resolve(undefined));
    slave.once('exit', () => resolve(undefined));
    slave.stdout.once('data', (path) => resolve({ path: String(path).trim(), end: () => slave.kill('SIGKILL') }));
  });
}

/** `npm run test:system`: says what is missing for the system tests and how to install it, then runs them. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { missingPackages } from './packages.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const succeeds = (command, ...args) => spawnSync(command, args, { cwd: root, stdio: 'ignore' }).status === 0;

/** onoff's addon is compiled on the machine itself; npm drops onoff without a word where that fails. */
function epollRemedy() {
  const prefix = dirname(dirname(process.execPath));
  const headers = existsSync(join(prefix, 'include/node/node.h')) ? `npm_config_nodedir=${prefix} ` : '';
  return `build it: ${headers}npm ci`;
}

function missing() {
  const packages = missingPackages('test/system/packages.txt');
  const problems = [];
  if (process.platform !== 'linux') problems.push('Linux (these tests mount file systems and trace system calls)');
  if (process.getuid?.() !== 0) problems.push('root (they mount a fake /sys): sudo npm run test:system');
  if (packages.length > 0)
    problems.push(
      `Debian packages: apt-get update && apt-get install -y --no-install-recommends ${packages.join(' ')}`,
    );
  if (!existsSync('/dev/fuse'))
    problems.push('/dev/fuse: modprobe fuse, or start the container with --device /dev/fuse');
  if (!succeeds(process.execPath, '-e', "require('onoff')"))
    problems.push(`onoff with its addon epoll; ${epollRemedy()}`);
  return problems;
}

const problems = missing();
if (problems.length > 0) {
  console.error('The system tests cannot run here. Missing:');
  for (const problem of problems) console.error(`  - ${problem}`);
  process.exit(1);
}
const vitest = join(root, 'node_modules/vitest/vitest.mjs');
const args = [vitest, 'run', '--config', 'vitest.system.config.ts', ...process.argv.slice(2)];
spawn(process.execPath, args, { cwd: root, stdio: 'inherit' }).on('exit', (code) => {
  process.exitCode = code ?? 1;
});
// Ctrl-C reaches vitest as well; it ends by itself and says so.
process.on('SIGINT', () => {});

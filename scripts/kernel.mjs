/** `npm run test:kernel`: says what is missing for the kernel tests, builds the rig (docs/kernel-rig.md) and the release for it, and runs them. */
import { spawn, spawnSync } from 'node:child_process';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { missingPackages } from './packages.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const rig = join(root, '.cache', 'kernel-rig');
const release = join(rig, 'release');

function step(command, ...args) {
  const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

const packages = missingPackages('test/kernel/packages.txt');
if (process.arch !== 'x64' || process.getuid?.() !== 0 || packages.length > 0) {
  console.error(
    'The kernel tests cannot run here. They want an x86-64 machine, root, and these Debian packages besides what is there:',
  );
  console.error(`  apt-get update && apt-get install -y --no-install-recommends ${packages.join(' ')}`);
  process.exit(1);
}
rmSync(release, { recursive: true, force: true });
step(process.execPath, 'scripts/release.mjs', '--arch', 'x64', '--out', release);
const archive = readdirSync(release).find((name) => name.endsWith('.tar.gz'));
step('bash', 'test/kernel/rig/build', rig, join(release, archive));
const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
const child = spawn(process.execPath, [vitest, 'run', '-c', 'vitest.kernel.config.ts', ...process.argv.slice(2)], {
  cwd: root,
  stdio: 'inherit',
});
child.on('exit', (code) => process.exit(code ?? 1));

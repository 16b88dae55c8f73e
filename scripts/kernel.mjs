/** `npm run test:kernel`: says what is missing for the kernel tests, builds the rig (docs/kernel-rig.md) and the release for it, and runs them. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { missingPackages } from './packages.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const rig = join(root, '.cache', 'kernel-rig');
const arm = join(rig, 'arm64');

async function step(command, ...args) {
  const [code] = await once(spawn(command, args, { cwd: root, stdio: 'inherit' }), 'exit');
  if (code !== 0) process.exit(code ?? 1);
}

async function release(arch, folder) {
  rmSync(folder, { recursive: true, force: true });
  await step(process.execPath, 'scripts/release.mjs', '--arch', arch, '--out', folder);
}

/** The only one in its folder. */
const archiveIn = (folder) =>
  join(
    folder,
    readdirSync(folder).find((name) => name.endsWith('.tar.gz')),
  );

/** One after the other: both build dist. */
async function releases() {
  await release('x64', join(rig, 'release'));
  await release('arm64', join(arm, 'release'));
}

const packages = missingPackages('test/kernel/packages.txt');
if (process.arch !== 'x64' || process.getuid?.() !== 0 || packages.length > 0) {
  console.error(
    'The kernel tests cannot run here. They want an x86-64 machine, root, and these Debian packages besides what is there:',
  );
  console.error(`  apt-get update && apt-get install -y --no-install-recommends ${packages.join(' ')}`);
  process.exit(1);
}
await Promise.all([
  step('bash', 'test/kernel/rig/build', 'parts', rig),
  step('bash', 'test/kernel/rig/build-arm64', arm),
  releases(),
]);
await step('bash', 'test/kernel/rig/build', 'image', rig, archiveIn(join(rig, 'release')));
await step(
  process.execPath,
  join(root, 'node_modules', 'vitest', 'vitest.mjs'),
  ...['run', '-c', 'vitest.kernel.config.ts', ...process.argv.slice(2)],
);

/** `npm run test:soak`: builds the program, bundles test/soak/main.ts (Node 20 reads no TypeScript), and runs it with the same arguments. */
import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const bundle = join(root, '.cache/soak.mjs');

const { status } = spawnSync(process.execPath, [join(root, 'scripts/setup.mjs'), '--build'], {
  cwd: root,
  stdio: ['ignore', 'ignore', 'inherit'],
});
if (status !== 0) throw new Error('the program could not be built');
await build({
  absWorkingDir: root,
  entryPoints: ['test/soak/main.ts'],
  outfile: bundle,
  bundle: true,
  platform: 'node',
  target: 'node20.19',
  format: 'esm',
  packages: 'external',
  logLevel: 'warning',
});
const soak = spawn(process.execPath, [bundle, ...process.argv.slice(2)], { cwd: root, stdio: 'inherit' });
soak.on('exit', (code) => {
  process.exitCode = code ?? 1;
});
// Ctrl-C reaches the soak as well; it cleans up and says so.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => soak.kill('SIGTERM'));

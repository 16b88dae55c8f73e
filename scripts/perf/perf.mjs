/**
 * `npm run bench:perf`: every row of the goals, each beside its floor measured in the same run. Prints the table and keeps it in
 * docs/performance.json and docs/performance.md. With `--check` (`npm run bench:check`): fewer samples, nothing kept, and exit code 1 if a
 * gate fails (control latency, memory, loss). `--only TEXT` runs the rows whose name holds the text and keeps nothing.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { removeScratch, root } from './lib/agents.mjs';
import { endAll, useNormalPriority, useRealtime } from './lib/processes.mjs';
import { keep, machine, print, printed } from './lib/report.mjs';
import { notBuilt } from './lib/result.mjs';
import { callRows } from './rows/calls.mjs';
import { compositeRows } from './rows/composite.mjs';
import { idleRows } from './rows/idle.mjs';
import { latencyRows } from './rows/latency.mjs';
import { modbusRows } from './rows/modbus.mjs';
import { outboxRows } from './rows/outbox.mjs';
import { startRows } from './rows/start.mjs';

const LATER = [
  {
    name: 'page and metrics in use: RSS, trip with 50 page clients',
    goal: '<= 2 x node -e 0',
    run: async () => notBuilt('no issue so far'),
  },
  {
    name: 'fleet mode, 2,000 agents',
    goal: '<= 250 MB, <= 0.03 ms/s each',
    run: async () => notBuilt('no issue so far'),
  },
];

const argument = (name) => {
  const index = process.argv.indexOf(name);
  return index === -1 ? undefined : process.argv[index + 1];
};
const isCheck = process.argv.includes('--check');
const only = argument('--only');

/** A check has no time for thousands of samples; a maximum over fewer is a weaker test, never a stricter one. */
const context = {
  samples: (count) => (isCheck ? Math.ceil(count / 4) : count),
  seconds: (count) => (isCheck ? count / 4 : count),
  kills: isCheck ? 100 : 500,
};

function buildProgram() {
  const { status } = spawnSync(process.execPath, [join(root, 'scripts/setup.mjs'), '--build'], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (status !== 0) throw new Error('the program could not be built');
}

/** The sources are TypeScript. Packages stay where they are installed. */
async function bundlePrograms() {
  const outdir = join(root, '.cache/perf');
  mkdirSync(outdir, { recursive: true });
  await build({
    absWorkingDir: root,
    entryPoints: ['agent', 'store', 'modbus', 'composite'].map((name) => `scripts/perf/programs/${name}.mjs`),
    outdir,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    target: 'node20.19',
    format: 'esm',
    packages: 'external',
    logLevel: 'warning',
  });
}

async function measure(row) {
  const isRealtime = row.realtime === true && useRealtime();
  try {
    return { ...row, ...(await row.run(context)), isRealtime };
  } catch (error) {
    return { ...row, value: `failed: ${error.message}`, checks: [{ what: 'runs', met: false }], isRealtime };
  } finally {
    useNormalPriority();
    endAll();
  }
}

buildProgram();
await bundlePrograms();
const rows = [
  ...startRows,
  ...idleRows(),
  ...latencyRows(),
  ...outboxRows(),
  ...callRows,
  ...modbusRows,
  ...compositeRows,
  ...LATER,
];
const chosen = rows.filter(({ name }) => only === undefined || name.includes(only));
const before = machine();
console.log(printed(before));
const results = [];
for (const row of chosen) {
  const result = await measure(row);
  results.push(result);
  print(result);
}
removeScratch();
if (!isCheck && only === undefined) keep(root, { ...before, loadAfter: machine().load }, results);
const failed = results.filter(({ gate, checks }) => gate && checks.some(({ met }) => !met));
for (const { name } of failed) console.log(`gate failed: ${name}`);
process.exit(isCheck && failed.length > 0 ? 1 : 0);

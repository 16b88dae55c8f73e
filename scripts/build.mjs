/**
 * `npm run build`: dist/main.cjs, the whole program in one function whose dynamic imports are lazy requires; dist/agent.cjs, of it what
 * `run` needs; dist/chargepoint.cjs, which starts them; dist/safe-outputs.cjs, what has to happen before; dist/cache, V8's compiled code for this Node (facts: cold start 1.54 instead of 1.86 times a bare client). It is
 * made beside dist and takes its place when it has run: a build that fails leaves the old one.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, cpSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { WebSocketServer } from 'ws';
import { lean } from './lean.mjs';
import { sourcesDigest } from './setup.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = join(root, 'dist');
/** In the checkout, from where the packages are found. */
const made = mkdtempSync(join(root, 'dist-'));
const started = performance.now();

/** Packages that are optional or made on this machine stay in node_modules; ws only tries its two. */
const EXTERNAL = ['koffi', 'onoff', 'bufferutil', 'utf-8-validate', '*/package.json'];

/** What Node itself puts round a CommonJS file: the launcher runs it as it stands, since a wrapped copy would cost its length in memory. */
const AS_FUNCTION = {
  banner: {
    js: "(function (exports, require, module, __filename, __dirname) {const importMetaUrl = require('node:url').pathToFileURL(__filename).href;",
  },
  footer: { js: '})' },
  define: { 'import.meta.url': 'importMetaUrl' },
};

async function bundle(entry, name, more) {
  await build({
    absWorkingDir: root,
    entryPoints: [entry],
    outfile: join(made, name),
    bundle: true,
    platform: 'node',
    target: 'node20.19',
    format: 'cjs',
    sourcemap: 'linked',
    sourcesContent: false,
    // Names stay, so that a stack says something; without a character beyond ASCII V8 keeps one byte for each.
    minifySyntax: true,
    minifyWhitespace: true,
    lineLimit: 160,
    charset: 'ascii',
    legalComments: 'external',
    external: EXTERNAL,
    plugins: [lean],
    // A dynamic import of an external package becomes a require as well: the cached script has no module loader.
    supported: { 'dynamic-import': false },
    logLevel: 'warning',
    ...more,
  });
}

/** Just enough of a central system for the agent to boot; `booted` is called when it shows its first status. */
function acceptBoot(booted) {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, handleProtocols: () => 'ocpp1.6' });
  server.on('connection', (socket) =>
    socket.on('message', (data) => {
      const [type, id, action] = JSON.parse(data.toString());
      if (type !== 2) return;
      const boot = { status: 'Accepted', currentTime: new Date().toISOString(), interval: 300 };
      socket.send(JSON.stringify([3, id, action === 'BootNotification' ? boot : {}]));
      if (action === 'StatusNotification') booted();
    }),
  );
  return server;
}

/** Starts the program; the launcher keeps the code that V8 compiled for it. */
const writingCache = (home, ...args) =>
  spawn(process.execPath, [join(made, 'chargepoint.cjs'), ...args], {
    env: { PATH: process.env.PATH, HOME: home, CHARGEPOINT_CODE_CACHE: 'write' },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 30_000,
  });

async function succeeded(program) {
  let said = '';
  for (const stream of [program.stdout, program.stderr]) stream.on('data', (chunk) => (said += chunk));
  const [code] = await once(program, 'exit');
  if (code !== 0) throw new Error(`the built program does not run (exit code ${code}):\n${said}`);
}

/** Boots the agent once on the mock board, and starts the command line. */
async function warmCodeCache(scratch) {
  // A second signal would end it at once.
  const server = acceptBoot(() => agent.killed || agent.kill('SIGTERM'));
  await once(server, 'listening');
  const configuration = {
    chargePoint: { identity: 'warm', vendor: 'warm', model: 'warm' },
    centralSystem: { url: `ws://127.0.0.1:${server.address().port}` },
    board: 'mock',
    connectors: [{ id: 1, cable: 'socket' }],
    stateDir: 'state',
    bench: { port: 0 },
  };
  writeFileSync(join(scratch, 'warm.yaml'), JSON.stringify(configuration));
  const agent = writingCache(scratch, 'run', '--config', join(scratch, 'warm.yaml'));
  await succeeded(agent);
  server.close();
  for (const socket of server.clients) socket.terminate();
  await succeeded(writingCache(scratch, 'version'));
}

function report() {
  for (const entry of readdirSync(dist, { recursive: true })) {
    const file = join(dist, entry);
    if (statSync(file).isFile())
      console.log(`  ${relative(root, file).padEnd(40)} ${(statSync(file).size / 1024).toFixed(0)} kB`);
  }
  console.log(`Built in ${((performance.now() - started) / 1000).toFixed(1)} s.`);
}

async function make() {
  const digest = sourcesDigest();
  await bundle('src/main.ts', 'main.cjs', AS_FUNCTION);
  await bundle('src/agent-main.ts', 'agent.cjs', AS_FUNCTION);
  await bundle('src/cli/before-run.ts', 'safe-outputs.cjs');
  cpSync(join(root, 'scripts', 'launcher.cjs'), join(made, 'chargepoint.cjs'));
  const scratch = mkdtempSync(join(tmpdir(), 'chargepoint-build-'));
  await warmCodeCache(scratch).finally(() => rmSync(scratch, { recursive: true, force: true }));
  writeFileSync(join(made, 'sources.sha256'), digest);
}

try {
  await make();
  // A folder of mkdtemp is for its owner alone; the program is for everybody.
  chmodSync(made, 0o755);
  rmSync(dist, { recursive: true, force: true });
  renameSync(made, dist);
} finally {
  rmSync(made, { recursive: true, force: true });
}
report();

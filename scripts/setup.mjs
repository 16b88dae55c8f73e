/** Makes a clone ready to run, with nothing but Node and npm: installs the pinned packages, and with --build the program. Offline once done. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const OLDEST_NODE = [20, 19];
const SIGINT_EXIT = 130;

function newEnough(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1]);
}

const readJson = (...path) => JSON.parse(readFileSync(join(root, ...path), 'utf8'));

/** npm writes node_modules/.package-lock.json last. Contents are compared, not times: a Pi has no clock of its own. */
function installed() {
  if (!existsSync(join(root, 'node_modules', '.package-lock.json'))) return false;
  const found = readJson('node_modules', '.package-lock.json').packages;
  return Object.entries(readJson('package-lock.json').packages).every(
    ([path, wanted]) => path === '' || wanted.optional || wanted.devOptional || found[path]?.version === wanted.version,
  );
}

function filesBelow(folder) {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort();
}

/** One text for everything that the program is made of; the code cache belongs to one version of Node. */
export function sourcesDigest() {
  const scripts = filesBelow('scripts').filter((file) => !file.startsWith(join(root, 'scripts', 'perf')));
  const files = [...filesBelow('src'), ...filesBelow('hal'), ...scripts, join(root, 'package-lock.json')];
  const hash = createHash('sha256').update(process.version);
  for (const file of files) hash.update(relative(root, file)).update('\0').update(readFileSync(file)).update('\0');
  return hash.digest('hex');
}

const digestFile = join(root, 'dist', 'sources.sha256');
const built = () => existsSync(digestFile) && readFileSync(digestFile, 'utf8') === sourcesDigest();

/** Runs a command in the foreground; Ctrl-C ends it, at latest after 2 s (npm would roll back for 20). Resolves with its exit code. */
function run(command, args) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, stdio: 'inherit' });
    let interrupted = false;
    const interrupt = (signal) => {
      interrupted = true;
      child.kill(signal);
      setTimeout(() => child.kill('SIGKILL'), 2000).unref();
    };
    process.on('SIGINT', interrupt).on('SIGTERM', interrupt);
    child.on('error', (error) => {
      console.error(`Cannot start ${command}: ${error.message}`);
      resolve(1);
    });
    child.on('exit', (code) => {
      process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
      resolve(interrupted ? SIGINT_EXIT : (code ?? 1));
    });
  });
}

/** The npm that called us, so that no second one need be on the path. */
function npm(...args) {
  const cli = process.env.npm_execpath;
  if (cli !== undefined && basename(cli) === 'npm-cli.js') return run(process.execPath, [cli, ...args]);
  return run(process.platform === 'win32' ? 'npm.cmd' : 'npm', args);
}

async function install() {
  const started = Date.now();
  const seconds = () => Math.round((Date.now() - started) / 1000);
  console.log('Installing the pinned packages (npm ci), once; this takes about half a minute ...');
  // npm draws its own progress on a terminal only.
  const progress = process.stdout.isTTY ? undefined : setInterval(() => console.log(`  ... ${seconds()} s`), 5000);
  // Development packages too, whatever NODE_ENV says: the program is built from source.
  const code = await npm('ci', '--include=dev', '--no-update-notifier');
  clearInterval(progress);
  if (code === SIGINT_EXIT) return code;
  if (code !== 0)
    console.error(
      'npm ci failed; its reason stands above. It needs the npm registry this once, and no other npm in this folder.',
    );
  else console.log(`Installed in ${seconds()} s.`);
  return code;
}

async function main() {
  if (!newEnough(process.versions.node)) {
    console.error(
      `This needs Node ${OLDEST_NODE.join('.')} or newer; this is ${process.version} (${process.execPath}).`,
    );
    return 1;
  }
  if (!installed()) {
    const code = await install();
    if (code !== 0) return code;
  }
  if (process.argv.includes('--build') && !built()) return run(process.execPath, [join(root, 'scripts', 'build.mjs')]);
  return 0;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = await main();

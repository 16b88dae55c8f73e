/**
 * `npm run release [-- --arch arm64|x64] [--out DIR] [--deb]`: chargepoint-VERSION-linux-ARCH.tar.gz with all that a Pi needs, and with
 * --deb a Debian package around it (docs/release.md).
 * The same sources give the same bytes: names sorted, one date, no owner, no cache of a compiler.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  createReadStream,
  createWriteStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createGzip } from 'node:zlib';
import { makeDeb } from './release/deb.mjs';
import { unpackKoffi } from './release/koffi.mjs';
import { ARCHITECTURES, NODE_VERSION, unpackNode } from './release/node-runtime.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const { version, license } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
/** What npm gives every file of a package. */
const DATE = '1985-10-26T08:15:00Z';

/** Packages whose addon the bundle asks for at run time: package.json, licence and the prebuilds of the machine, nothing else of them. */
const ADDONS = ['classic-level', '@serialport/bindings-cpp'];
/** Of dist everything but the code cache (it belongs to one Node on one machine) and the source maps. */
const PROGRAM = ['agent.cjs', 'chargepoint.cjs', 'main.cjs', 'safe-outputs.cjs'];

const { values } = parseArgs({
  options: { arch: { type: 'string', default: 'arm64' }, out: { type: 'string' }, deb: { type: 'boolean' } },
});
const { arch } = values;
if (!ARCHITECTURES.includes(arch)) {
  console.error(`--arch is one of ${ARCHITECTURES.join(', ')}`);
  process.exit(64);
}
const out = resolve(values.out ?? join(root, 'release'));
const scratch = mkdtempSync(join(tmpdir(), 'chargepoint-release-'));
const tree = join(scratch, `chargepoint-${version}`);

function copy(from, to = from) {
  const target = join(tree, to);
  mkdirSync(dirname(target), { recursive: true });
  cpSync(join(root, from), target, { recursive: true });
}

function addon(name) {
  const folder = join('node_modules', name);
  for (const file of ['package.json', 'LICENSE']) copy(join(folder, file));
  const prebuilds = join(folder, 'prebuilds', `linux-${arch}`);
  // Raspberry Pi OS has glibc.
  for (const file of readdirSync(join(root, prebuilds))) if (!file.includes('musl')) copy(join(prebuilds, file));
}

/** Of the packages that are in the bundle. */
function packageLicences() {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  const shipped = Object.entries(packages).filter(([path, { dev, optional }]) => path !== '' && !dev && !optional);
  const texts = shipped.flatMap(([path, { version: of }]) => {
    const file = readdirSync(join(root, path)).find((name) => /^licen[cs]e/i.test(name));
    const text = file === undefined ? '' : readFileSync(join(root, path, file), 'utf8');
    return `${path.replace(/^.*node_modules\//, '')} ${of}\n\n${text}\n`;
  });
  return texts.join(`${'-'.repeat(72)}\n`);
}

function assemble() {
  mkdirSync(join(tree, 'bin'), { recursive: true });
  mkdirSync(join(tree, 'licenses'));
  unpackNode({ arch, cache: join(root, '.cache', 'node'), bin: join(tree, 'bin'), licences: join(tree, 'licenses') });
  renameSync(join(tree, 'licenses', 'LICENSE'), join(tree, 'licenses', 'node.txt'));
  copy('scripts/release/chargepoint.sh', 'bin/chargepoint');
  for (const file of PROGRAM) copy(join('dist', file));
  writeFileSync(join(tree, 'licenses', 'packages.txt'), packageLicences());
  for (const name of ADDONS) addon(name);
  unpackKoffi({ arch, cache: join(root, '.cache', 'packages'), modules: join(tree, 'node_modules') });
  for (const file of ['config', 'systemd', 'LICENSE', 'docs/release.md', 'docs/exit-chain.md']) copy(file);
  writeFileSync(
    join(tree, 'package.json'),
    `${JSON.stringify({ name: 'chargepoint', version, license, private: true })}\n`,
  );
}

const filesOf = (folder) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath ?? entry.path, entry.name)))
    .sort();

const sha256 = (file) => createHash('sha256').update(readFileSync(file)).digest('hex');

/** 755 or 644, whatever the checkout has; MANIFEST for the shell, SHA256SUMS of every other file. */
function seal() {
  const run = (file) => file.startsWith('bin/') || /^systemd\/[a-z-]+$/.test(file);
  for (const entry of readdirSync(tree, { recursive: true })) {
    const isFile = statSync(join(tree, entry)).isFile();
    chmodSync(join(tree, entry), !isFile || (run(entry) && entry !== 'systemd/functions') ? 0o755 : 0o644);
  }
  chmodSync(tree, 0o755);
  writeFileSync(join(tree, 'MANIFEST'), `version ${version}\narch ${arch}\nnode v${NODE_VERSION}\n`, { mode: 0o644 });
  const sums = filesOf(tree).map((file) => `${sha256(join(tree, file))}  ${file}\n`);
  writeFileSync(join(tree, 'SHA256SUMS'), sums.join(''), { mode: 0o644 });
}

async function pack() {
  const name = `chargepoint-${version}-linux-${arch}.tar.gz`;
  const tar = join(scratch, 'release.tar');
  const same = ['--format=ustar', '--sort=name', `--mtime=${DATE}`, '--owner=0', '--group=0', '--numeric-owner'];
  execFileSync('tar', ['-cf', tar, ...same, '-C', scratch, `chargepoint-${version}`]);
  mkdirSync(out, { recursive: true });
  const archive = join(out, name);
  await pipeline(createReadStream(tar), createGzip(), createWriteStream(`${archive}.part`));
  renameSync(`${archive}.part`, archive);
  writeFileSync(`${archive}.sha256`, `${sha256(archive)}  ${name}\n`);
  return archive;
}

const megabytes = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;
const sizeOf = (files) => files.reduce((sum, file) => sum + statSync(join(tree, file)).size, 0);

function report(archive) {
  const files = filesOf(tree);
  const node = sizeOf(files.filter((file) => file === 'bin/node'));
  console.log(`${archive}  ${megabytes(statSync(archive).size)}`);
  console.log(
    `  unpacked ${megabytes(sizeOf(files))}, ${files.length} files; Node v${NODE_VERSION} ${megabytes(node)}`,
  );
  console.log(`  sha256 ${sha256(archive)}`);
}

try {
  execFileSync(process.execPath, [join(root, 'scripts', 'setup.mjs'), '--build'], { stdio: 'inherit' });
  if (!existsSync(join(root, 'dist', 'main.cjs'))) throw new Error('there is no dist');
  assemble();
  seal();
  const archive = await pack();
  report(archive);
  if (values.deb) {
    const deb = makeDeb({ archive, arch, out, root, scratch, version, date: DATE });
    console.log(`${deb}  ${megabytes(statSync(deb).size)}`);
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

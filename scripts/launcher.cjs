#!/usr/bin/env node
/**
 * Becomes dist/chargepoint.cjs: outputs safe first, then the program beside it, from V8's code cache where one fits. A plain `run` is
 * agent.cjs, a fifth smaller than main.cjs, which has every command.
 */
const { mkdirSync, readFileSync, renameSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');

const cacheFileOf = (name) => join(__dirname, 'cache', `${name}-${process.version}-${process.arch}.bin`);
const writing = process.env.CHARGEPOINT_CODE_CACHE === 'write';

/** V8 compares its version and flags, but of the source only the length, and trusts the rest: a flipped bit could crash it. */
function checksum(source, code) {
  const { crc32 } = require('node:zlib');
  const sum = Buffer.alloc(4);
  sum.writeUInt32LE(crc32(code, crc32(source)));
  return sum;
}

/** Without a cache, or with one that does not fit, the program only starts more slowly. */
function readCache(name, source) {
  try {
    const cache = readFileSync(cacheFileOf(name));
    const code = cache.subarray(4);
    return checksum(source, code).equals(cache.subarray(0, 4)) ? code : undefined;
  } catch {
    return undefined;
  }
}

/** Taken when the run is over: then it holds the functions that a run calls. Renamed into place, so that no half file is read. */
function writeCache(name, source, script) {
  const code = script.createCachedData();
  const cacheFile = cacheFileOf(name);
  mkdirSync(join(__dirname, 'cache'), { recursive: true });
  writeFileSync(`${cacheFile}.part`, Buffer.concat([checksum(source, code), code]));
  renameSync(`${cacheFile}.part`, cacheFile);
}

async function start() {
  // Before 2 MB of program are read: the last process may have died with a contactor closed.
  const isPlainRun =
    process.argv[2] === 'run' && (await require('./safe-outputs.cjs').beforeRun(process.argv.slice(2)));
  const name = isPlainRun ? 'agent' : 'main';
  const file = join(__dirname, `${name}.cjs`);
  const { Script } = require('node:vm');
  const source = readFileSync(file);
  // ASCII: one function, as the build wrapped it. V8 keeps its name in the cache: one that holds wherever the program is moved.
  const script = new Script(source.toString('latin1'), {
    filename: `${name}.cjs`,
    cachedData: writing ? undefined : readCache(name, source),
  });
  if (writing) process.on('exit', () => writeCache(name, source, script));
  const main = { exports: {} };
  script.runInThisContext()(main.exports, require, main, file, __dirname);
}
start();

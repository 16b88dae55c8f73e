#!/usr/bin/env node
/** Becomes dist/chargepoint.cjs: outputs safe first, then main.cjs beside it, from V8's code cache where one fits. */
const { mkdirSync, readFileSync, renameSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');
const { setFlagsFromString } = require('node:v8');

// Before anything else runs. V8 calls a function hot after 132 kB of its bytecode, which a start reaches by reading the configuration: to optimize the YAML
// parser costs some 10 MB, and it never runs again. What stays hot (frames, meter reads) is optimized as before, a little later.
setFlagsFromString('--interrupt-budget=1000000');

const file = join(__dirname, 'main.cjs');
const cacheFile = join(__dirname, 'cache', `${process.version}-${process.arch}.bin`);
const writing = process.env.CHARGEPOINT_CODE_CACHE === 'write';

/** V8 compares its version and flags, but of the source only the length, and trusts the rest: a flipped bit could crash it. */
function checksum(source, code) {
  const { crc32 } = require('node:zlib');
  const sum = Buffer.alloc(4);
  sum.writeUInt32LE(crc32(code, crc32(source)));
  return sum;
}

/** Without a cache, or with one that does not fit, the program only starts more slowly. */
function readCache(source) {
  try {
    const cache = readFileSync(cacheFile);
    const code = cache.subarray(4);
    return checksum(source, code).equals(cache.subarray(0, 4)) ? code : undefined;
  } catch {
    return undefined;
  }
}

/** Taken when the run is over: then it holds the functions that a run calls. Renamed into place, so that no half file is read. */
function writeCache(source, script) {
  const code = script.createCachedData();
  mkdirSync(join(__dirname, 'cache'), { recursive: true });
  writeFileSync(`${cacheFile}.part`, Buffer.concat([checksum(source, code), code]));
  renameSync(`${cacheFile}.part`, cacheFile);
}

async function start() {
  // Before 2 MB of program are read: the last process may have died with a contactor closed.
  if (process.argv[2] === 'run') await require('./safe-outputs.cjs').beforeRun(process.argv.slice(2));
  const { Script } = require('node:vm');
  const source = readFileSync(file);
  // ASCII: one function, as the build wrapped it. V8 keeps its name in the cache: one that holds wherever the program is moved.
  const script = new Script(source.toString('latin1'), {
    filename: 'main.cjs',
    cachedData: writing ? undefined : readCache(source),
  });
  if (writing) process.on('exit', () => writeCache(source, script));
  const main = { exports: {} };
  script.runInThisContext()(main.exports, require, main, file, __dirname);
}
start();

#!/usr/bin/env node
/** Becomes dist/chargepoint.cjs: starts main.cjs beside it from V8's code cache if there is one for this Node. A cache that does not fit is ignored. */
const { mkdirSync, readFileSync, renameSync, writeFileSync } = require('node:fs');
const { createRequire } = require('node:module');
const { join } = require('node:path');
const { Script } = require('node:vm');

const file = join(__dirname, 'main.cjs');
const cacheFile = join(__dirname, 'cache', `${process.version}-${process.arch}.bin`);
const writing = process.env.CHARGEPOINT_CODE_CACHE === 'write';

function readCache() {
  if (writing) return undefined;
  try {
    return readFileSync(cacheFile);
  } catch {
    return undefined;
  }
}

const cachedData = readCache();
const wrapped = `(function (exports, require, module, __filename, __dirname) {${readFileSync(file, 'utf8')}\n})`;
// V8 compares version, flags and source before it believes the cache, and compiles as usual if one differs.
const script = new Script(wrapped, { filename: file, cachedData });

/** Taken when the run is over: then it holds the functions that a run calls. Renamed into place, so that no half file is read. */
function writeCache() {
  mkdirSync(join(__dirname, 'cache'), { recursive: true });
  writeFileSync(`${cacheFile}.part`, script.createCachedData());
  renameSync(`${cacheFile}.part`, cacheFile);
}
if (writing) process.on('exit', writeCache);

const main = { exports: {} };
script.runInThisContext()(main.exports, createRequire(file), main, file, __dirname);

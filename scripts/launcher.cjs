#!/usr/bin/env node
/** Becomes dist/chargepoint.cjs: starts main.cjs beside it, from V8's code cache where one fits. */
const { mkdirSync, readFileSync, renameSync, writeFileSync } = require('node:fs');
const { createRequire } = require('node:module');
const { join } = require('node:path');
const { Script } = require('node:vm');
const { crc32 } = require('node:zlib');

const file = join(__dirname, 'main.cjs');
/** ASCII: one function, as the build wrapped it. */
const source = readFileSync(file, 'latin1');
const cacheFile = join(__dirname, 'cache', `${process.version}-${process.arch}.bin`);
const writing = process.env.CHARGEPOINT_CODE_CACHE === 'write';

/** V8 compares its version and flags, but of the source only the length, and trusts the rest: a flipped bit could crash it. */
function checksum(code) {
  const sum = Buffer.alloc(4);
  sum.writeUInt32LE(crc32(code, crc32(source)));
  return sum;
}

/** Without a cache, or with one that does not fit, the program only starts more slowly. */
function readCache() {
  try {
    const cache = readFileSync(cacheFile);
    const code = cache.subarray(4);
    return checksum(code).equals(cache.subarray(0, 4)) ? code : undefined;
  } catch {
    return undefined;
  }
}

const script = new Script(source, { filename: file, cachedData: writing ? undefined : readCache() });

/** Taken when the run is over: then it holds the functions that a run calls. Renamed into place, so that no half file is read. */
function writeCache() {
  const code = script.createCachedData();
  mkdirSync(join(__dirname, 'cache'), { recursive: true });
  writeFileSync(`${cacheFile}.part`, Buffer.concat([checksum(code), code]));
  renameSync(`${cacheFile}.part`, cacheFile);
}
if (writing) process.on('exit', writeCache);

const main = { exports: {} };
script.runInThisContext()(main.exports, createRequire(file), main, file, __dirname);

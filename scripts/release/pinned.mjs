/** A package of the registry whose sum is pinned in the sources: fetched once by npm, checked each time. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';

const fits = (file, integrity) =>
  existsSync(file) && `sha512-${createHash('sha512').update(readFileSync(file)).digest('base64')}` === integrity;

/** Returns the path of its tgz in `cache`. Throws if npm cannot bring the package, or brings another one. */
export function pinnedPackage({ name, version, integrity, cache }) {
  mkdirSync(cache, { recursive: true });
  const tgz = `${name.replace('@', '').replace('/', '-')}-${version}.tgz`;
  const file = join(cache, tgz);
  if (fits(file, integrity)) return file;
  // Beside the others until it is whole: two releases may be made at once.
  const fetched = join(cache, `fetched-${process.pid}`);
  mkdirSync(fetched, { recursive: true });
  execFileSync('npm', ['pack', '--silent', `${name}@${version}`, '--pack-destination', fetched], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (!fits(join(fetched, tgz), integrity)) throw new Error(`${tgz} is not the file whose sum is pinned here`);
  renameSync(join(fetched, tgz), file);
  execFileSync('rmdir', [fetched]);
  return file;
}

/** Puts one member of the tgz, less the first `strip` names of its path, into the folder `to`. */
export const unpack = (file, member, to, strip) =>
  execFileSync('tar', ['-xzf', file, '-C', to, `--strip-components=${strip}`, '--no-same-owner', member]);

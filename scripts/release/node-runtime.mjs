/** The Node that a release carries, from the registry's node-linux-* packages: fetched once by npm, checked against the sums pinned here. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';

export const NODE_VERSION = '24.22.3';

const INTEGRITY = {
  arm64: 'sha512-IZx0J52/1NDwAsY2iyWR9nlPIYuYviTWetjj8+ElvYQh2+XRhLfCfkbFEF/2O5vGI2hcUbyPNHV+nz342FbJXw==',
  x64: 'sha512-KHsob+Fv9YerATvYujMbiyJqnRCvLtrcr/eTNqRqiOSGp97EOiRP1yP47+knGgQ/xnc3XY8xzkW587dlZzNqRA==',
};

export const ARCHITECTURES = Object.keys(INTEGRITY);

const fits = (file, arch) =>
  existsSync(file) && `sha512-${createHash('sha512').update(readFileSync(file)).digest('base64')}` === INTEGRITY[arch];

/** Puts `node` and its licence into the folders given. Throws if npm cannot bring the package, or brings another one. */
export function unpackNode({ arch, cache, bin, licences }) {
  mkdirSync(cache, { recursive: true });
  const name = `node-linux-${arch}-${NODE_VERSION}.tgz`;
  const file = join(cache, name);
  if (!fits(file, arch)) {
    // Beside the others until it is whole: two releases may be made at once.
    const fetched = join(cache, `fetched-${process.pid}`);
    mkdirSync(fetched, { recursive: true });
    execFileSync('npm', ['pack', '--silent', `node-linux-${arch}@${NODE_VERSION}`, '--pack-destination', fetched], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    if (!fits(join(fetched, name), arch)) throw new Error(`${name} is not the file whose sum is pinned here`);
    renameSync(join(fetched, name), file);
    execFileSync('rmdir', [fetched]);
  }
  const extract = (to, member, strip) =>
    execFileSync('tar', ['-xzf', file, '-C', to, `--strip-components=${strip}`, '--no-same-owner', member]);
  extract(bin, 'package/bin/node', 2);
  extract(licences, 'package/LICENSE', 1);
}

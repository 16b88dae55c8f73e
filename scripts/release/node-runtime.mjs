/** The Node that a release carries, from the registry's node-linux-* packages: fetched once by npm, checked against the sums pinned here. */
import { pinnedPackage, unpack } from './pinned.mjs';

export const NODE_VERSION = '24.22.3';

const INTEGRITY = {
  arm64: 'sha512-IZx0J52/1NDwAsY2iyWR9nlPIYuYviTWetjj8+ElvYQh2+XRhLfCfkbFEF/2O5vGI2hcUbyPNHV+nz342FbJXw==',
  x64: 'sha512-KHsob+Fv9YerATvYujMbiyJqnRCvLtrcr/eTNqRqiOSGp97EOiRP1yP47+knGgQ/xnc3XY8xzkW587dlZzNqRA==',
};

export const ARCHITECTURES = Object.keys(INTEGRITY);

/** Puts `node` and its licence into the folders given. Throws if npm cannot bring the package, or brings another one. */
export function unpackNode({ arch, cache, bin, licences }) {
  const file = pinnedPackage({
    name: `node-linux-${arch}`,
    version: NODE_VERSION,
    integrity: INTEGRITY[arch],
    cache,
  });
  unpack(file, 'package/bin/node', bin, 2);
  unpack(file, 'package/LICENSE', licences, 1);
}

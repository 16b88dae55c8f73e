/** koffi as a release carries it: npm puts only the addon of this machine beside it, the archive may be for another one. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { pinnedPackage, unpack } from './pinned.mjs';

const VERSION = '3.3.4';
const INTEGRITY = {
  koffi: 'sha512-31Vr+LM+w1dEsNcOJtJWvYyUTjVc/SWOxNDZJxfhsBC6qZ5YVn98n5x1oBbDq5skxCbWD4SByJpNmq63fvg9Aw==',
  arm64: 'sha512-k6FPjEYDioyVihUqvRFX4QZK0RL/Rrn4xPEzrKxODxgLAUXlhBTut391zPzgsMcArXgN4YTuS11M/kxmA5s+Fg==',
  x64: 'sha512-xi47MKuoQ9fA2SsrH6wljl9t9120hO66qEmb1le6q636q55J974cZfcwDrK5nW1GalJ+0NLXoH2T3/NGQBzPNw==',
};
/** The rest is sources of the addon, for who wants to compile it. */
const FILES = [
  'LICENSE.txt',
  'index.cjs',
  'package.json',
  'src/koffi/index.cjs',
  'src/koffi/src/static.cjs',
  'src/koffi/src/trampolines.cjs',
];

/** Into the folder `modules` of a release. */
export function unpackKoffi({ arch, cache, modules }) {
  const addon = `@koromix/koffi-linux-${arch}`;
  const wanted = [
    ['koffi', INTEGRITY.koffi, FILES],
    [addon, INTEGRITY[arch], ['index.js', 'package.json', `linux_${arch}/koffi.node`]],
  ];
  for (const [name, integrity, files] of wanted) {
    const file = pinnedPackage({ name, version: VERSION, integrity, cache });
    const to = join(modules, name);
    mkdirSync(to, { recursive: true });
    for (const member of files) unpack(file, `package/${member}`, to, 1);
  }
}

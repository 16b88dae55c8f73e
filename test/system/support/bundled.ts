/** A rig as one file that any Node starts, beside the packages: those stay where they are. */
import { join } from 'node:path';
import { build } from 'esbuild';

const RIGS = join(import.meta.dirname, '../rigs');

/** `rig` is a file of `test/system/rigs`; `outfile` lies below the checkout, from where its packages are found. */
export const bundled = (rig: string, outfile: string) =>
  build({
    entryPoints: [join(RIGS, rig)],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    logLevel: 'error',
  });

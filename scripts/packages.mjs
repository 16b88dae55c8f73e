/** Which Debian packages of a list are missing: each line is a package and the proof that it is there. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

const PROOFS = {
  command: (name) => (process.env.PATH ?? '').split(':').some((folder) => existsSync(join(folder, name))),
  file: existsSync,
  module: (name) => spawnSync('/usr/bin/python3', ['-c', `import ${name}`], { stdio: 'ignore' }).status === 0,
};

/** `list`: a file of the repository, `package proof name` a line. */
export const missingPackages = (list) =>
  readFileSync(join(root, list), 'utf8')
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('#'))
    .map((line) => line.trim().split(/\s+/))
    .filter(([, proof, name]) => !PROOFS[proof](name))
    .map(([name]) => name);

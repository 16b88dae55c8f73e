/** Puts the files of `chargepoint setup` in place, each as a whole; what was there before is kept beside it. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { SECRETS_NAME } from '../../config/setup/render.ts';
import { giveLike, replaceFile } from '../../platform/files.ts';
import type { Texts } from './examination.ts';

export interface Written {
  readonly file: string;
  readonly secretsFile?: string;
  /** What was there before. */
  readonly backups: readonly string[];
}

export const secretsPath = (file: string): string => join(dirname(file), SECRETS_NAME);

/** The secrets come first: a power cut leaves the old configuration, or the new one with all that it names. Throws the system's error. */
export function writeSetup(file: string, { main, secrets }: Texts, stateDir: string): Written {
  const secretsFile = secretsPath(file);
  const backups: string[] = [];
  if (secrets !== undefined) {
    const isNew = !existsSync(secretsFile);
    backups.push(...kept(secretsFile));
    replaceFile(secretsFile, secrets, 0o600);
    // Root writes it, the service reads it; its state belongs to its user.
    if (isNew) giveLike(stateDir, secretsFile);
  }
  backups.push(...kept(file));
  replaceFile(file, main, existsSync(file) ? modeOf(file) : 0o644);
  return { file, ...(secrets === undefined ? {} : { secretsFile }), backups };
}

const modeOf = (file: string): number => statSync(file).mode & 0o777;

/** A copy with the same mode, under a name that nobody has. */
function kept(file: string): readonly string[] {
  if (!existsSync(file)) return [];
  const names = (function* () {
    yield `${file}.bak`;
    for (let number = 2; ; number += 1) yield `${file}.bak${number}`;
  })();
  for (const backup of names) {
    if (existsSync(backup)) continue;
    replaceFile(backup, readFileSync(file, 'utf8'), modeOf(file));
    giveLike(file, backup);
    return [backup];
  }
  return [];
}

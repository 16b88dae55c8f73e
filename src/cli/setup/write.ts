/** Puts the files of `chargepoint setup` in place, each as a whole; what was there before is kept beside it. */
import { accessSync, constants, existsSync, readFileSync, rmSync, statSync } from 'node:fs';
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

/** Why the file cannot be written, as far as that can be seen before anybody is asked; undefined if it can. */
export function targetTrouble(file: string): string | undefined {
  try {
    const found = statSync(file, { throwIfNoEntry: false });
    if (found?.isDirectory() === true) return 'it is a directory';
    if (found?.isFile() === false) return 'it is no plain file';
    let folder = dirname(file);
    while (!existsSync(folder)) folder = dirname(folder);
    if (!statSync(folder).isDirectory()) return `${folder} is no directory`;
    accessSync(folder, constants.W_OK | constants.X_OK);
    return undefined;
  } catch (cause) {
    return cause instanceof Error ? cause.message : String(cause);
  }
}

/**
 * The secrets come first: a power cut leaves the old configuration, or the new one with all that it names. Throws the system's error; then
 * everything is as it was.
 */
export function writeSetup(file: string, { main, secrets }: Texts, stateDir: string): Written {
  const secretsFile = secretsPath(file);
  const backups: string[] = [];
  const undo: (() => void)[] = [];
  try {
    if (secrets !== undefined) {
      const before = existsSync(secretsFile)
        ? { text: readFileSync(secretsFile, 'utf8'), mode: modeOf(secretsFile) }
        : undefined;
      backups.push(...kept(secretsFile, undo));
      undo.push(() => {
        if (before === undefined) remove(secretsFile);
        else replaceFile(secretsFile, before.text, before.mode);
      });
      replaceFile(secretsFile, secrets, 0o600);
      // Root writes it, the service reads it; its state belongs to its user.
      if (before === undefined) giveLike(stateDir, secretsFile);
    }
    backups.push(...kept(file, undo));
    undo.push(() => remove(`${file}.new`));
    replaceFile(file, main, existsSync(file) ? modeOf(file) : 0o644);
  } catch (cause) {
    for (const step of undo.reverse()) attempted(step);
    throw cause;
  }
  return { file, ...(secrets === undefined ? {} : { secretsFile }), backups };
}

/** One step back that fails keeps nobody from the others. */
function attempted(step: () => void): void {
  try {
    step();
  } catch {
    // What went wrong first is what is told.
  }
}

/** What was half written as well. */
const remove = (file: string): void => {
  for (const path of [file, `${file}.new`]) rmSync(path, { force: true });
};

const modeOf = (file: string): number => statSync(file).mode & 0o777;

/** A copy with the same mode, under a name that nobody has. */
function kept(file: string, undo: (() => void)[]): readonly string[] {
  if (!existsSync(file)) return [];
  const names = (function* () {
    yield `${file}.bak`;
    for (let number = 2; ; number += 1) yield `${file}.bak${number}`;
  })();
  for (const backup of names) {
    if (existsSync(backup)) continue;
    undo.push(() => remove(backup));
    replaceFile(backup, readFileSync(file, 'utf8'), modeOf(file));
    giveLike(file, backup);
    return [backup];
  }
  return [];
}

/** Reports of the technician's tools in the state directory, the newest ones only. Who charges where is nobody else's business. */
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { giveLike, replaceFile } from '../platform/files.ts';
import { json } from './format.ts';
import { reportDirectory } from './store-directory.ts';

export interface Report {
  readonly name: string;
  /** ISO. */
  readonly time: string;
  readonly text: string;
  readonly content: unknown;
}

/** Of each name; each is two files. */
const MOST_REPORTS = 20;

/** `NAME-TIME.txt`, and the same as JSON beside it. */
export function saveReport(
  stateDir: string,
  { name, time, text, content }: Report,
): { readonly file: string } | { readonly trouble: string } {
  const directory = reportDirectory(stateDir);
  const path = join(directory, `${name}-${time.replaceAll(':', '-')}`);
  try {
    replaceFile(`${path}.txt`, text, 0o600);
    replaceFile(`${path}.json`, json(content), 0o600);
    for (const ending of ['.txt', '.json']) {
      const names = readdirSync(directory).filter((each) => each.startsWith(`${name}-`) && each.endsWith(ending));
      for (const old of names.sort().slice(0, -MOST_REPORTS)) rmSync(join(directory, old), { force: true });
    }
    giveLike(stateDir, directory);
    return { file: `${path}.txt` };
  } catch (cause) {
    if (!(cause instanceof Error && 'syscall' in cause)) throw cause;
    return { trouble: cause.message };
  }
}

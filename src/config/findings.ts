/** What the parts of loading share: the machine's files, and everything found wrong so far. */
import { isAbsolute, resolve } from 'node:path';
import type * as v from 'valibot';
import type { ConfigFiles, ConfigProblem } from '../config.ts';
import { type ConfigDocument, type Path, parseConfig } from './document.ts';
import { examine } from './examine.ts';
import { nearest } from './nearest.ts';

export interface Findings {
  readonly files: ConfigFiles;
  /** The configuration that ships with the agent; holds boards/ and meters/. */
  readonly shippedDirectory: string;
  readonly errors: ConfigProblem[];
  readonly warnings: ConfigProblem[];
}

/** A file that another one names, and where it does so. */
export interface Reference {
  readonly document: ConfigDocument;
  readonly path: Path;
  readonly what: string;
  /** What to do if it cannot be read. */
  readonly hint?: string | undefined;
}

/** The text of a file that the document names; undefined after an error has been noted there. */
export function readReferenced(
  findings: Findings,
  { document, path, what, hint }: Reference,
  file: string,
): string | undefined {
  try {
    return findings.files.read(file);
  } catch (cause) {
    findings.errors.push(document.problem(path, `cannot read the ${what} ${file}: ${reason(cause)}`, hint));
    return undefined;
  }
}

/** A file of ours with a name like that, as a hint; undefined for a path, and where no name is close. */
export function meantName(
  findings: Findings,
  folder: string,
  name: string,
  more: readonly string[] = [],
): string | undefined {
  if (isPath(name)) return undefined;
  const names = findings.files.list(resolve(findings.shippedDirectory, folder)).flatMap((file) => {
    const [, bare] = /^(.+)\.yaml$/.exec(file) ?? [];
    return bare === undefined ? [] : [bare];
  });
  const guess = nearest(name, [...more, ...names]);
  return guess === undefined || guess === name ? undefined : `did you mean ${guess}?`;
}

const isPath = (name: string): boolean => /[/\\]|\.(ya?ml|json)$/.test(name);

/** Reads and examines a YAML file that the document names. */
export function readShaped<T>(
  findings: Findings,
  reference: Reference,
  file: string,
  shape: v.GenericSchema<unknown, T>,
): { readonly document: ConfigDocument; readonly value: T } | undefined {
  const text = readReferenced(findings, reference, file);
  if (text === undefined) return undefined;
  const document = parseConfig(file, text);
  const examined = examine(document, shape);
  if ('value' in examined) return { document, value: examined.value };
  findings.errors.push(...examined.problems);
  return undefined;
}

/** `name` is a file of ours in that folder; anything with a slash or an ending is a path relative to the naming file. */
export const namedFile = (findings: Findings, folder: string, name: string, base: string): string =>
  isPath(name) ? resolve(base, name) : resolve(findings.shippedDirectory, folder, `${name}.yaml`);

export const relativeTo = (base: string, path: string): string => (isAbsolute(path) ? path : resolve(base, path));

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'permission denied',
  EISDIR: 'it is a directory',
};

/** The system's error in words. */
export function reason(cause: unknown): string {
  const code = typeof cause === 'object' && cause !== null && 'code' in cause ? String(cause.code) : '';
  return REASONS[code] ?? (cause instanceof Error ? cause.message : String(cause));
}

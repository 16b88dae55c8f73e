/** Factory defaults of OCPP keys: from `keys` of the main file and from the secrets file. */
import type { ConfigDocument, Path } from './document.ts';
import { shown } from './examine.ts';
import { type Findings, readShaped } from './findings.ts';
import { nearest } from './nearest.ts';
import { secretsShape } from './shapes/agent.ts';

/** As much of a configuration key as a preset is held against. */
export interface KnownKey {
  readonly name: string;
  readonly type: { readonly expected: string; parse(text: string): unknown };
}

type Scalar = string | number | boolean;

const SECRET_KEY = 'AuthorizationKey';

/**
 * Presets are texts, exactly as GetConfiguration returns them. An unknown one is ignored with a warning, and so is one whose
 * value the key does not take. `known` undefined: nothing is known about keys, and all are kept.
 */
export function readPresets(
  findings: Findings,
  document: ConfigDocument,
  given: Readonly<Record<string, Scalar>>,
  known: readonly KnownKey[] | undefined,
): Record<string, string> {
  const presets: Record<string, string> = {};
  for (const [name, value] of Object.entries(given)) {
    const path = ['keys', name];
    const text = textOf(document, path, value);
    const problem = presetProblem(name, text, known);
    if (problem === undefined) presets[name] = text;
    else findings.warnings.push(document.problem(path, problem.message, problem.hint));
  }
  return presets;
}

/** The key of the secrets file, which only its owner may read. Undefined where there is none, or after an error. */
export function readSecrets(
  findings: Findings,
  main: ConfigDocument,
  file: string | undefined,
): Record<string, string> {
  if (file === undefined) return {};
  const reference = { document: main, path: ['secretsFile'], what: 'secrets file' };
  const secrets = readShaped(findings, reference, file, secretsShape);
  if (secrets === undefined) return {};
  const mode = findings.files.mode(file);
  if ((mode & 0o077) !== 0) {
    const octal = mode.toString(8).padStart(4, '0');
    findings.errors.push(
      main.problem(
        ['secretsFile'],
        `${file} has mode ${octal}, expected 0600: others may read it`,
        `chmod 600 ${file}`,
      ),
    );
  }
  const value = secrets.value[SECRET_KEY];
  return value === undefined ? {} : { [SECRET_KEY]: textOf(secrets.document, [SECRET_KEY], value) };
}

/** A number as it is written, because YAML would lose the zeros and the 16th digit of a key made of digits. */
function textOf(document: ConfigDocument, path: Path, value: Scalar): string {
  const source = typeof value === 'number' ? document.source(path) : undefined;
  return source !== undefined && /^-?\d+(\.\d+)?$/.test(source) ? source : String(value);
}

function presetProblem(
  name: string,
  text: string,
  known: readonly KnownKey[] | undefined,
): { readonly message: string; readonly hint?: string } | undefined {
  if (known === undefined) return undefined;
  const key = known.find((candidate) => candidate.name === name);
  if (key === undefined) {
    const guess = nearest(
      name,
      known.map((candidate) => candidate.name),
    );
    const message = 'is no configuration key of this version and is ignored';
    return guess === undefined ? { message } : { message, hint: `did you mean ${guess}?` };
  }
  if (key.type.parse(text) !== undefined) return undefined;
  const value = name === SECRET_KEY ? 'no value for it' : shown(text);
  return { message: `is ${value}, expected ${key.type.expected}; ignored, the built-in default stays` };
}

/** A meter file: its shape, and what has to be true across its members before anything may be read by it. */
import {
  type Doubtful,
  doubtsOf,
  LINES,
  partsOf,
  quantitiesOf,
  type RegisterMap,
  stretchOf,
} from '../../hal/modbus/register-map.ts';
import type { ConfigFiles, ConfigProblem } from '../config.ts';
import { type Path, parseConfig } from './document.ts';
import { type Findings, namedFile, type Reference, readShaped } from './findings.ts';
import { meterShape } from './shapes/meter.ts';

type Report = (path: Path, message: string, hint?: string) => void;

const REGISTERS = 0x1_0000;

/** Undefined after errors have been noted. What nothing but memory says is a warning at the reference. */
export function readMeterMap(findings: Findings, reference: Reference, file: string): RegisterMap | undefined {
  const read = readShaped(findings, reference, file, meterShape);
  if (read === undefined) return undefined;
  const { document, value: map } = read;
  const before = findings.errors.length;
  const report: Report = (path, message, hint) => {
    findings.errors.push(document.problem(path, message, hint));
  };
  checkQuantities(map, report);
  checkDoubts(map, report);
  for (const member of ['identify', 'serialNumber'] as const) {
    const register = map[member];
    if (register === undefined || (register.type === 'text') === (register.words !== undefined)) continue;
    report([member, 'words'], 'is for a text, and a text needs it', 'type: text, words: 4');
  }
  if (findings.errors.length > before) return undefined;
  for (const doubt of doubtsOf(map)) {
    findings.warnings.push(reference.document.problem(reference.path, `${map.model} is not verified: ${doubt}`));
  }
  return map;
}

/** One map by its name (a file of ours, or a path from `base`), for tools that no configuration names it to. */
export function loadMeterMap(
  name: string,
  { files, shippedDirectory, base }: { files: ConfigFiles; shippedDirectory: string; base: string },
): { readonly map: RegisterMap } | { readonly errors: readonly ConfigProblem[] } {
  const findings: Findings = { files, shippedDirectory, errors: [], warnings: [] };
  const file = namedFile(findings, 'meters', name, base);
  const reference = { document: parseConfig(file, ''), path: [], what: 'register map of the meter' };
  const map = readMeterMap(findings, reference, file);
  return map === undefined ? { errors: findings.errors } : { map };
}

function checkQuantities(map: RegisterMap, report: Report): void {
  const { maxRegistersPerRead } = map.read;
  for (const [quantity, registers] of quantitiesOf(map.quantities)) {
    const path = ['quantities', quantity];
    const measured = LINES.filter((line) => registers[line] !== undefined);
    if (measured.length === 0) report(path, 'has no register, expected at least one of sum, L1, L2, L3, N');
    for (const line of measured) {
      const { address, words } = stretchOf(partsOf(registers, line, map.read) ?? []);
      if (address + words > REGISTERS) {
        report(
          [...path, line],
          `ends behind the last register, expected at most 0x${(REGISTERS - words).toString(16)}`,
        );
      }
      if (words <= maxRegistersPerRead) continue;
      report(
        [...path, line],
        `fills ${words} registers, expected at most maxRegistersPerRead (${maxRegistersPerRead}): one read has to fetch it`,
      );
    }
  }
}

/** A doubt has a reason, and a reason a doubt. */
function checkDoubts(map: RegisterMap, report: Report): void {
  const members: readonly (readonly [Path, Pick<RegisterMap, 'because'> & { readonly verified?: unknown }])[] = [
    [[], map],
    [['serial'], map.serial],
    ...quantitiesOf(map.quantities).map(([name, entry]) => [['quantities', name], entry satisfies Doubtful] as const),
    ...(map.serialNumber === undefined ? [] : [[['serialNumber'], map.serialNumber] as const]),
  ];
  for (const [path, { verified, because }] of members) {
    if (verified === false && because === undefined) {
      report([...path, 'because'], 'is missing, expected why it is not verified', 'because: from memory');
    }
    if (verified !== false && because !== undefined) {
      report([...path, 'because'], 'is there without verified: false', 'remove it, or set verified: false');
    }
  }
}

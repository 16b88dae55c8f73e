/** Meter files: what the map language can say, and what is refused with its place. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { nodeFiles } from '../../src/platform/files.ts';
import { lab, load, SHIPPED } from './support.ts';

const shipped = (name: string): string => nodeFiles.read(join(SHIPPED, `meters/${name}.yaml`));

/** The file as the meter of a connector. */
function withMap(text: string) {
  const meter = { model: './meter.yaml', bus: { port: '/dev/x' }, unit: 1 };
  const connectors = [{ id: 1, cable: 'attached', meter }];
  return load({ ...lab, connectors }, { '/etc/chargepoint/meter.yaml': text });
}

const EM340 = shipped('carlo-gavazzi-em340');
const ABB = shipped('abb-b23');
const errorsOf = (text: string): string => withMap(text).errors.join('\n');

describe('a meter file', () => {
  it('may add up registers, and subtract them', () => {
    const { config } = withMap(EM340);
    expect(config?.connectors[0]?.meter?.map.quantities.energyImport?.sum).toEqual([
      { address: 0x400, scale: 1000 },
      { address: 0x402, scale: 1 },
    ]);
    expect(withMap(shipped('dzg-dvh4013')).errors).toEqual([]);
  });

  it('that is doubtful somewhere is used with a warning for each doubt', () => {
    const { config, warnings } = withMap(shipped('carlo-gavazzi-em580'));
    expect(config).toBeDefined();
    const text = warnings.join('\n');
    expect(text).toMatch(/connectors\[0\]\.meter\.model: Carlo Gavazzi EM580 is not verified: that the energies/);
    expect(text).toContain('EM580 is not verified: serial settings: from memory');
    expect(withMap(shipped('eastron-sdm630')).warnings.join()).not.toContain('not verified');
  });

  it.each([
    [
      'a part without an address',
      EM340.replace('{ address: 0x0400, scale: 1000 }', '{ adress: 0x0400, scale: 1000 }'),
      /meter\.yaml:\d+:\d+ quantities\.energyImport\.sum\[0\]\.adress: is unknown\n.*did you mean address\?/,
    ],
    [
      'a value that no read can fetch whole',
      EM340.replace('address: 0x0402', 'address: 0x0500'),
      /quantities\.energyImport\.sum: fills 258 registers, expected at most maxRegistersPerRead \(11\)/,
    ],
    [
      'a register behind the last one',
      ABB.replace('sum: 0x5000', 'sum: 0xFFFE'),
      /meter\.yaml:\d+:\d+ quantities\.energyImport\.sum: ends behind the last register, expected at most 0xfffc/,
    ],
    [
      'a quantity without a register',
      ABB.replace(', sum: 0x5B2C', ''),
      /quantities\.frequency: has no register, expected at least one of sum, L1/,
    ],
    [
      'a doubt without a reason',
      ABB.replace(/, because: "[^"]*"/, ''),
      /meter\.yaml:\d+:\d+ serial\.because: is missing, expected why it is not verified/,
    ],
    [
      'a reason without a doubt',
      ABB.replace('verified: onPaper', 'verified: onPaper\nbecause: of nothing'),
      /because: is there without verified: false/,
    ],
    [
      'verified: true',
      ABB.replace('verified: onPaper', 'verified: true'),
      /verified: is true, expected one of onDevice/,
    ],
    [
      'a text of unknown length',
      EM340.replace('type: text, words: 7', 'type: text'),
      /serialNumber\.words: is for a text, and a text needs it/,
    ],
    ['a type that does not exist', ABB.replace('type: uint64', 'type: uint63'), /read\.type: is "uint63".*\n.*uint64/],
  ])('with %s is refused', (_what, text, message) => {
    expect(text).not.toBe(EM340);
    expect(text).not.toBe(ABB);
    expect(errorsOf(text)).toMatch(message);
  });
});

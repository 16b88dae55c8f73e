/** The tables of docs/protection.md are what the catalogues say, and no two faults look the same on the wire. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { FaultCode } from '../../hal/contract.ts';
import { FAULTS } from '../../hal/faults.ts';
import { COUNTRIES, type CountryRules } from '../../src/config/protection.ts';
import { nameFault } from '../../src/station/faults.ts';

const PAGE = readFileSync(join(import.meta.dirname, '../../docs/protection.md'), 'utf8');
const CODES = Object.keys(FAULTS) as FaultCode[];
const STOPS = { charging: 'charging', offer: 'the offer', moment: 'the offer for a moment', nothing: 'nothing' };
const ENDS = { itself: 'by itself', unplug: 'unplugged', reset: 'reset' };

/** The cells of the rows below this head. */
function table(head: string): readonly (readonly string[])[] {
  const [, below = ''] = PAGE.split(`${head}\n`);
  const [rows = ''] = below.split('\n\n');
  return rows
    .split('\n')
    .slice(1)
    .map((row) =>
      row
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}

const windowOf = ({ voltage }: CountryRules) =>
  voltage === undefined ? '' : `${voltage.leastV}..${voltage.mostV} V, ${voltage.forS} s`;
const reconnectingOf = ({ voltage }: CountryRules) => {
  if (voltage === undefined) return '';
  const { reconnectLeastV, reconnectMostV, reconnectLeastHz, reconnectMostHz, reconnectAfterS } = voltage;
  const hz = reconnectLeastHz === undefined ? '' : ` ${reconnectLeastHz}..${reconnectMostHz} Hz,`;
  return `${reconnectLeastV}..${reconnectMostV} V,${hz} ${reconnectAfterS} s`;
};
const installationOf = ({ randomDelayS, rampAPerMinute, asymmetryA }: CountryRules) =>
  Object.entries({ randomDelayS, rampAPerMinute, asymmetryA })
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `\`${name}: ${value}\``)
    .join(', ');

describe('docs/protection.md', () => {
  const rows = table('| fault | seen by | stops | errorCode | vendorErrorCode | ends |');

  it('has each fault of the catalogue once, in order', () => {
    expect(rows.map(([code]) => code)).toEqual(CODES.map((code) => `\`${code}\``));
  });

  it.each(CODES)('says of %s what the catalogues say', (code) => {
    const [, seenBy, ...cells] = rows.find(([first]) => first === `\`${code}\``) ?? [];
    const { errorCode, vendorErrorCode = '' } = nameFault({ code, connectorId: 1 });
    const { blocks, clears } = FAULTS[code];
    expect(cells).toEqual([STOPS[blocks], errorCode, vendorErrorCode, ENDS[clears]]);
    expect(seenBy).not.toBe('');
  });

  it('has the rules of each country', () => {
    const countries = table(
      '| country | voltage window | reconnecting | RCD may be forgotten at unplugging | installation |',
    );
    expect(countries).toEqual(
      Object.entries(COUNTRIES).map(([country, rules]) => [
        country,
        windowOf(rules),
        reconnectingOf(rules),
        rules.noReclosing === true ? 'no' : 'yes',
        installationOf(rules),
      ]),
    );
  });
});

describe('the faults on the wire', () => {
  it('are told apart by errorCode and vendorErrorCode', () => {
    const names = CODES.map((code) => {
      const { errorCode, vendorErrorCode } = nameFault({ code, connectorId: 1 });
      return `${errorCode} ${vendorErrorCode ?? ''}`;
    });
    expect(new Set(names).size).toBe(CODES.length);
  });
});

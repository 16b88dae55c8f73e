/** The table of docs/meters.md is what config/meters holds. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { doubtsOf, LINES, quantitiesOf, type RegisterMap } from '../../hal/modbus/register-map.ts';
import { loadMeterMap } from '../../src/config/meter-map.ts';
import { nodeFiles } from '../../src/platform/files.ts';
import { SHIPPED } from './support.ts';

const PAGE = join(import.meta.dirname, '../../docs/meters.md');
const PLACE = /(<!-- meters: .* -->\n)[\s\S]*(<!-- \/meters -->)/;
const NAMES = readdirSync(join(SHIPPED, 'meters'))
  .filter((name) => name.endsWith('.yaml'))
  .map((name) => name.replace('.yaml', ''));

function mapOf(name: string): RegisterMap {
  const loaded = loadMeterMap(name, { files: nodeFiles, shippedDirectory: SHIPPED, base: '.' });
  if ('errors' in loaded) throw new Error(`${name} does not load`);
  return loaded.map;
}

/** `voltage L1 L2 L3, frequency`. */
const measured = ({ quantities }: RegisterMap): string =>
  quantitiesOf(quantities)
    .map(([quantity, registers]) => {
      const lines = LINES.filter((line) => line !== 'sum' && registers[line] !== undefined);
      const sum = registers.sum !== undefined && lines.length > 0 ? ['sum'] : [];
      return [quantity, ...sum, ...lines].join(' ');
    })
    .join(', ');

function row(name: string): string {
  const map = mapOf(name);
  const doubts = doubtsOf(map);
  const proof = map.verified === 'onDevice' ? 'on a device' : map.verified === 'onPaper' ? 'on paper' : '**no**';
  return `| ${name} | ${map.model} | ${measured(map)} | ${proof} | ${doubts.join('; ')} |\n`;
}

describe('docs/meters.md', () => {
  it('lists every file of config/meters with what it measures and what is not verified', async () => {
    const table = `| file | model | measures | verified | not verified |\n|---|---|---|---|---|\n${NAMES.map(row).join('')}`;
    const page = readFileSync(PAGE, 'utf8');
    expect(page).toMatch(PLACE);
    const fresh = page.replace(PLACE, (_all, head: string, tail: string) => `${head}${table}${tail}`);
    await expect(fresh).toMatchFileSnapshot(PAGE);
  });

  it('has no map that claims to be verified without a source', () => {
    for (const name of NAMES) expect(mapOf(name).datasheet, name).not.toBe('');
    expect(NAMES.filter((name) => doubtsOf(mapOf(name)).length > 0).length).toBeGreaterThan(10);
  });
});

/** docs/meter-values.md says of every measurand what the table in the code says. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { MAPPINGS, MEASURANDS } from '../../../src/core/metering/measurands.ts';
import { MOST_KEPT } from '../../../src/core/metering/thinning.ts';

const page = readFileSync(new URL('../../../docs/meter-values.md', import.meta.url), 'utf8');
const rows = page
  .split('\n')
  .filter((line) => line.startsWith('| ') && !line.startsWith('| measurand'))
  .map((line) => line.split('|').map((cell) => cell.trim()));

it('names every measurand once, in order', () => {
  expect(rows.map(([, measurand]) => measurand)).toEqual(MEASURANDS);
});

it.each(MEASURANDS)('says unit and phases of %s', (measurand) => {
  const { unit = 'none', phases = {}, isRegister } = MAPPINGS[measurand];
  const [, , saidUnit, , saidPhases] = rows.find(([, name]) => name === measurand) ?? [];
  expect(saidUnit?.split(' ')[0]).toBe(unit);
  expect(saidPhases).toBe(isRegister ? 'by name only' : Object.values(phases).join(' ') || '-');
});

it('says how many values are kept', () => {
  expect(page).toContain(`at most ${MOST_KEPT} meter values`);
});

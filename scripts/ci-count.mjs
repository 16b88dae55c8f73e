/**
 * Judges one stage of CI: `ci-count.mjs STAGE FILE` reads what ci-reporter.mjs wrote. Whatever did not simply pass has failed, and
 * so has each test that is missing from the number in test/counts.json. Prints `PASSED FAILED`; the reasons go to stderr.
 */
import { existsSync, readFileSync } from 'node:fs';

const [, , stage, file] = process.argv;
const least = JSON.parse(readFileSync(new URL('../test/counts.json', import.meta.url), 'utf8'))[stage];
if (least === undefined) throw new Error(`test/counts.json has no number for the stage ${stage}`);

if (!existsSync(file)) {
  console.error(`${stage}: the run ended without a count`);
  console.log('0 1');
} else {
  const { counts, blamed } = JSON.parse(readFileSync(file, 'utf8'));
  const { passed, ...others } = counts;
  const missing = Math.max(0, least - passed);
  for (const line of blamed) console.error(`${stage}: ${line}`);
  if (missing > 0) console.error(`${stage}: ${passed} tests passed, test/counts.json asks for ${least}`);
  const failed = Object.values(others).reduce((sum, count) => sum + count, 0);
  console.log(`${passed} ${Math.max(failed, missing)}`);
}

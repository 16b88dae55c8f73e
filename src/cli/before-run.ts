/** What the launcher does before it reads the program, in a bundle of its own: dist/safe-outputs.cjs. */
import { switchOffLeftovers } from '../platform/leftover-outputs.ts';
import { sayNotYetSafe } from '../platform/safe-outputs.ts';
import { plainRun } from './plain-run.ts';

/** Before a plain `run`, what the last process left on is switched off. Resolves to whether it is one. Never rejects. */
export async function beforeRun(argv: readonly string[]): Promise<boolean> {
  const config = plainRun(argv);
  if (config === undefined) return false;
  // A journal that does not read any more keeps nobody from charging.
  process.stderr.on('error', () => {});
  sayNotYetSafe(await switchOffLeftovers(config), (text) => process.stderr.write(text));
  return true;
}

/** What the launcher does before it reads the program, in a bundle of its own: dist/safe-outputs.cjs. */
import { switchOffLeftovers } from '../platform/leftover-outputs.ts';
import { sayNotYetSafe } from '../platform/safe-outputs.ts';
import { plainRun } from './plain-run.ts';

/** Before a `run`, what the last process left on is switched off. Never rejects. */
export async function beforeRun(argv: readonly string[]): Promise<void> {
  const config = plainRun(argv);
  if (config === undefined) return;
  sayNotYetSafe(await switchOffLeftovers(config), (text) => process.stderr.write(text));
}

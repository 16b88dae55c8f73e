/** For everything that makes safe: one part that fails must not keep the others from being switched off. */

/** Runs every action, in order, whatever the others throw; then throws the first error. */
export function tryAll(actions: Iterable<() => void>): void {
  const errors: unknown[] = [];
  for (const action of actions) {
    try {
      action();
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0) throw errors[0];
}

/** A vitest reporter for CI: writes what became of every test, and why, to $CI_COUNT_FILE; retries and expected failures included. */
import { writeFileSync } from 'node:fs';

function outcome(test) {
  const { state } = test.result();
  if (state !== 'passed') return test.options.mode === 'todo' ? 'todo' : state === 'failed' ? 'failed' : 'skipped';
  if (test.options.fails) return 'expectedToFail';
  return (test.diagnostic()?.retryCount ?? 0) > 0 ? 'retried' : 'passed';
}

/** The first lines of what was thrown: with this alone a failure that does not come again must be understood. */
const why = (errors = []) =>
  errors.map(({ message = '', stacks = [] }) => {
    const [at] = stacks;
    const place = at === undefined ? '' : `\n    at ${at.file}:${at.line}:${at.column}`;
    return `\n    ${message.split('\n').slice(0, 12).join('\n    ').slice(0, 1500)}${place}`;
  });

// vitest wants a default export.
export default class CountReporter {
  onTestRunEnd(modules, unhandledErrors, reason) {
    const counts = {
      passed: 0,
      failed: 0,
      skipped: 0,
      todo: 0,
      expectedToFail: 0,
      retried: 0,
      errors: unhandledErrors.length,
    };
    const blamed = [];
    if (unhandledErrors.length > 0) blamed.push(`unhandled errors:${why(unhandledErrors).join('')}`);
    for (const module of modules) {
      const broken = module.errors();
      counts.errors += broken.length;
      if (broken.length > 0) blamed.push(`error: ${module.moduleId}${why(broken).join('')}`);
      for (const test of module.children.allTests()) {
        const what = outcome(test);
        counts[what] += 1;
        if (what !== 'passed') {
          const { duration = 0 } = test.diagnostic() ?? {};
          const { errors } = test.result();
          blamed.push(
            `${what}: ${module.moduleId} > ${test.fullName} (${Math.round(duration)} ms)${why(errors).join('')}`,
          );
        }
      }
    }
    writeFileSync(process.env.CI_COUNT_FILE, JSON.stringify({ counts, blamed, reason }));
  }
}

/** A vitest reporter for CI: writes what became of every test to $CI_COUNT_FILE, retries and expected failures included. */
import { writeFileSync } from 'node:fs';

function outcome(test) {
  const { state } = test.result();
  if (state !== 'passed') return test.options.mode === 'todo' ? 'todo' : state === 'failed' ? 'failed' : 'skipped';
  if (test.options.fails) return 'expectedToFail';
  return (test.diagnostic()?.retryCount ?? 0) > 0 ? 'retried' : 'passed';
}

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
    for (const module of modules) {
      const broken = module.errors();
      counts.errors += broken.length;
      if (broken.length > 0) blamed.push(`error: ${module.moduleId}`);
      for (const test of module.children.allTests()) {
        const what = outcome(test);
        counts[what] += 1;
        if (what !== 'passed') blamed.push(`${what}: ${module.moduleId} > ${test.fullName}`);
      }
    }
    writeFileSync(process.env.CI_COUNT_FILE, JSON.stringify({ counts, blamed, reason }));
  }
}

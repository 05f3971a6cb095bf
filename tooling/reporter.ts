/**
 * A vitest reporter that leaves the run's counts in `.results/tests.json`, for tooling/test.mjs to
 * end with one plain line: vitest's own summary is neither its last word nor easily read by a
 * program. Counted here, not from the exit status, so that files which do not load count too.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import type { Reporter, TestModule } from 'vitest/node';

export interface Counts {
  passed: number;
  failed: number;
}

export default class Totals implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const counts: Counts = { passed: 0, failed: errors.length };
    for (const module of modules) {
      // A file that does not even load has errors and no tests.
      counts.failed += module.errors().length;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === 'passed') counts.passed += 1;
        // A test that never finished did not pass. `skip` and `todo` are tidy's business.
        else if (state !== 'skipped') counts.failed += 1;
      }
    }
    mkdirSync('.results', { recursive: true });
    writeFileSync('.results/tests.json', JSON.stringify(counts));
  }
}

/**
 * count.mjs DIRECTORY [FAILED-STEP...] - sums vitest's JSON reports in DIRECTORY and prints `N passed, N failed[, N skipped]`.
 *
 * A step that failed without a failed test in its report (it could not start, or is no test) counts as one failure; so do the suites
 * `all` and `long` when they ran nothing. Runs on Node 20.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

const SUITES = ['all', 'long'];

const [directory, ...failedSteps] = process.argv.slice(2);
const total = { passed: 0, failed: 0, skipped: 0 };

const count = (report) => ({
  passed: report.numPassedTests,
  // A file that cannot be loaded has no tests that could fail.
  failed: report.numFailedTests || (report.success ? 0 : 1),
  skipped: report.numPendingTests + report.numTodoTests,
});

const counted = new Map(
  readdirSync(directory)
    .filter((name) => name.endsWith('.json'))
    .map((name) => [basename(name, '.json'), count(JSON.parse(readFileSync(join(directory, name), 'utf8')))]),
);
for (const { passed, failed, skipped } of counted.values()) {
  total.passed += passed;
  total.failed += failed;
  total.skipped += skipped;
}

const problems = [];
for (const suite of SUITES) {
  if (
    !existsSync(join(directory, `${suite}.json`)) ||
    counted.get(suite).passed + counted.get(suite).failed === 0
  ) {
    problems.push(`${suite}: no test ran`);
  }
}
for (const step of failedSteps) {
  const explained = step === 'all' ? ['all', 'without-subids', 'with-cgroups'] : [step];
  const found = explained.some((name) => counted.get(name)?.failed);
  if (!found && !problems.some((problem) => problem.startsWith(`${step}:`))) problems.push(`${step}: failed`);
}
for (const problem of problems) console.log(problem);
total.failed += problems.length;

console.log(
  `${total.passed} passed, ${total.failed} failed${total.skipped ? `, ${total.skipped} skipped` : ''}`,
);
process.exitCode = total.failed || total.passed === 0 ? 1 : 0;

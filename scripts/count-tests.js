/**
 * From vitest's JSON reports to one last line, `N passed, N failed`. A report that is not there, and a
 * file that could not be loaded, count as failures: neither has a failed test to show.
 */
import { readFileSync } from 'node:fs';

let passed = 0;
let failed = 0;
for (const file of process.argv.slice(2)) {
  try {
    const report = JSON.parse(readFileSync(file, 'utf8'));
    const broken = report.testResults.filter(
      ({ status, assertionResults }) =>
        status === 'failed' && !assertionResults.some((result) => result.status === 'failed'),
    );
    passed += report.numPassedTests;
    failed += report.numFailedTests + broken.length + (report.numTotalTests === 0 ? 1 : 0);
  } catch {
    failed += 1;
  }
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;

// npm test: every check that a change must pass. npm test -- <path>: only the tests of that path.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildIfStale, installIfStale, root } from './fresh.mjs';

const checks = [
  ['types', 'typescript7/bin/tsc', '-p', 'tsconfig.test.json'],
  ['lint', 'oxlint/bin/oxlint', '--type-aware', '--deny-warnings'],
  ['format', 'prettier/bin/prettier.cjs', '--check', '--log-level=warn', '.'],
  ['walls', 'dependency-cruiser/bin/dependency-cruise.mjs', 'src'],
  ['unused code', 'knip/bin/knip.js'],
];
const tests = process.argv.slice(2);

installIfStale();
const done = tests.length > 0 ? [] : untilOneFails(checks);
const failed = done.filter((passed) => !passed).length;
const counts = failed > 0 ? { passed: 0, failed: 0 } : runTests();
finish(counts.passed + done.length - failed, counts.failed + failed);

function untilOneFails([first, ...others]) {
  if (!first) return [];
  return check(...first) ? [true, ...untilOneFails(others)] : [false];
}

function check(name, bin, ...args) {
  const start = performance.now();
  const { status, stdout, stderr } = spawnSync(process.execPath, [join('node_modules', bin), ...args], {
    cwd: root,
    encoding: 'utf8',
  });
  const passed = status === 0;
  console.log(`${passed ? '✓' : '✗'} ${name} (${((performance.now() - start) / 1000).toFixed(1)} s)`);
  if (!passed) console.log(stdout + stderr);
  return passed;
}

function runTests() {
  buildIfStale();
  const folder = mkdtempSync(join(tmpdir(), 'run-ledger-counts-'));
  const report = join(folder, 'report.json');
  const args = ['node_modules/jest/bin/jest.js', '--json', `--outputFile=${report}`, ...tests];
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
  const counts = readCounts(report);
  rmSync(folder, { recursive: true });
  return status === 0 || counts.failed > 0 ? counts : { ...counts, failed: 1 };
}

/** A test file that does not even load counts as one failure; no report at all leaves it to the exit status. */
function readCounts(report) {
  try {
    const { numPassedTests, numFailedTests, numRuntimeErrorTestSuites } = JSON.parse(readFileSync(report, 'utf8'));
    return { passed: numPassedTests, failed: numFailedTests + numRuntimeErrorTestSuites };
  } catch {
    return { passed: 0, failed: 0 };
  }
}

function finish(passed, failed) {
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
}

// npm test: every check that a change must pass, until one fails. npm test -- <path>: only the tests of that path.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildIfStale, installIfStale, root } from './fresh.mjs';

const paths = process.argv.slice(2);

const everything = [
  ['packages', installIfStale],
  ['types', tool('typescript7/bin/tsc', '-p', 'tsconfig.test.json')],
  ['lint', tool('oxlint/bin/oxlint', '--type-aware', '--deny-warnings')],
  ['format', tool('prettier/bin/prettier.cjs', '--check', '--log-level=warn', '.')],
  ['walls', tool('dependency-cruiser/bin/dependency-cruise.mjs', 'src')],
  ['unused code', tool('knip/bin/knip.js')],
  ['build', buildIfStale],
];
const checks = check(paths.length > 0 ? everything.slice(0, 1) : everything);
const tests = checks.failed > 0 ? { passed: 0, failed: 0 } : runTests();
console.log(`${checks.passed + tests.passed} passed, ${checks.failed + tests.failed} failed`);
process.exitCode = checks.failed + tests.failed === 0 ? 0 : 1;

function check(list) {
  const passing = list.findIndex(([name, work]) => !passes(name, work));
  return passing === -1 ? { passed: list.length, failed: 0 } : { passed: passing, failed: 1 };
}

function passes(name, work) {
  const start = performance.now();
  const problem = problemOf(work);
  console.log(`${problem ? '✗' : '✓'} ${name} (${((performance.now() - start) / 1000).toFixed(1)} s)`);
  if (problem) console.log(problem);
  return !problem;
}

function problemOf(work) {
  try {
    work();
    return undefined;
  } catch (error) {
    return error.message;
  }
}

function tool(bin, ...args) {
  return () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [join('node_modules', bin), ...args], {
      cwd: root,
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(stdout + stderr || `${bin} ended with ${status}`);
  };
}

function runTests() {
  const folder = mkdtempSync(join(tmpdir(), 'run-ledger-report-'));
  const report = join(folder, 'report.json');
  const args = ['node_modules/jest/bin/jest.js', '--json', `--outputFile=${report}`, ...paths];
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
  const counts = read(report);
  rmSync(folder, { recursive: true });
  return status === 0 || counts.failed > 0 ? counts : { ...counts, failed: 1 };
}

/** A test file that does not load counts as one failure. Without a report, the exit status alone tells. */
function read(report) {
  try {
    const { numPassedTests, numFailedTests, numRuntimeErrorTestSuites } = JSON.parse(readFileSync(report, 'utf8'));
    return { passed: numPassedTests, failed: numFailedTests + numRuntimeErrorTestSuites };
  } catch {
    return { passed: 0, failed: 0 };
  }
}

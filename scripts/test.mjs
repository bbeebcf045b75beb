// npm test: every check that a change must pass, until one fails. npm test -- <path>: only the tests of that path.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { installIfStale, root } from './fresh.mjs';

const paths = process.argv.slice(2);

const packages = [['packages', async () => installIfStale()]];
const everything = [
  ['types', tool('typescript7/bin/tsc', '-p', 'tsconfig.test.json')],
  ['lint', tool('oxlint/bin/oxlint', '--type-aware', '--deny-warnings')],
  ['format', tool('prettier/bin/prettier.cjs', '--check', '--log-level=warn', '.')],
  ['walls', tool('dependency-cruiser/bin/dependency-cruise.mjs', 'src')],
  ['unused code', tool('knip/bin/knip.js')],
  ['build', script('scripts/build.mjs')],
];
const stages = [() => check(packages), () => check(paths.length > 0 ? [] : everything), runTests];
const counts = { passed: 0, failed: 0 };
for (const stage of stages) {
  if (counts.failed > 0) break;
  const { passed, failed } = await stage();
  counts.passed += passed;
  counts.failed += failed;
}
console.log(`${counts.passed} passed, ${counts.failed} failed`);
process.exitCode = counts.failed === 0 ? 0 : 1;

/** All at once, and told of in their order, up to one that fails: that ends the others. */
async function check(list) {
  const ending = new AbortController();
  const outcomes = list.map(([name, work]) => outcomeOf(name, work(ending.signal)));
  for (const [passed, outcome] of outcomes.entries()) {
    if (await told(outcome)) continue;
    ending.abort();
    return { passed, failed: 1 };
  }
  return { passed: list.length, failed: 0 };
}

async function outcomeOf(name, working) {
  const start = performance.now();
  const problem = await working.then(
    () => undefined,
    ({ message }) => message,
  );
  return { name, problem, seconds: (performance.now() - start) / 1000 };
}

async function told(outcome) {
  const { name, problem, seconds } = await outcome;
  console.log(`${problem ? '✗' : '✓'} ${name} (${seconds.toFixed(1)} s)`);
  if (problem) console.log(problem);
  return !problem;
}

function tool(bin, ...args) {
  return script(join('node_modules', bin), ...args);
}

function script(file, ...args) {
  return async (signal) => {
    const child = spawn(process.execPath, [file, ...args], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'], signal });
    const [[status], ...said] = await Promise.all([once(child, 'close'), text(child.stdout), text(child.stderr)]);
    if (status !== 0) throw new Error(said.join('') || `${file} ended with ${status}`);
  };
}

function runTests() {
  const folder = mkdtempSync(join(tmpdir(), 'run-ledger-report-'));
  const report = join(folder, 'report.json');
  const args = ['node_modules/jest/bin/jest.js', '--json', `--outputFile=${report}`, ...paths];
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
  const tests = read(report);
  rmSync(folder, { recursive: true });
  return status === 0 || tests.failed > 0 ? tests : { ...tests, failed: 1 };
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

// npm run test:long, test:chaos, test:processes: tests of which npm test runs a short form, for as long as they find worth while.
import { spawnSync } from 'node:child_process';
import { installIfStale, root } from './fresh.mjs';

const processes = { SERVER_ROUNDS: '50', SERVER_PROMOTIONS: '1000000', ROLLING_ROUNDS: '5', OUTAGE_MS: '30000', OUTAGES: '3' };

/** What each sets, unless the caller has set it. */
const forms = {
  model: { tests: ['test/model/'], settings: { LEDGER_TEST_LONG: '1' } },
  chaos: { tests: ['test/chaos/'], settings: { CHAOS_KILLS: '100' } },
  processes: {
    // One at a time: what they measure is theirs.
    tests: ['--runInBand', ...['two-servers', 'rolling', 'outage'].map((name) => `test/processes/${name}`)],
    settings: processes,
  },
};

const [name = 'model', ...args] = process.argv.slice(2);
const form = forms[name];
if (!form) throw new Error(`there is no long form of "${name}"; there is one of ${Object.keys(forms).join(' and of ')}`);
installIfStale();
const { status } = spawnSync(process.execPath, ['node_modules/jest/bin/jest.js', ...form.tests, ...args], {
  cwd: root,
  env: { ...form.settings, ...process.env },
  stdio: 'inherit',
});
process.exitCode = status ?? 1;

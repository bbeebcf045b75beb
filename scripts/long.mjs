// npm run test:long, npm run test:chaos: tests of which npm test runs a short form, for as long as they find worth while.
import { spawnSync } from 'node:child_process';
import { installIfStale, root } from './fresh.mjs';

const forms = {
  model: { LEDGER_TEST_LONG: '1' },
  chaos: { CHAOS_KILLS: process.env.CHAOS_KILLS ?? '100' },
};

const [name = 'model', ...args] = process.argv.slice(2);
const settings = forms[name];
if (!settings) throw new Error(`there is no long form of "${name}"; there is one of ${Object.keys(forms).join(' and of ')}`);
installIfStale();
const { status } = spawnSync(process.execPath, ['node_modules/jest/bin/jest.js', `test/${name}/`, ...args], {
  cwd: root,
  env: { ...process.env, ...settings },
  stdio: 'inherit',
});
process.exitCode = status ?? 1;

import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * A home for the one Postgres of this test run, which the first test that wants a database starts. The guard stops it and removes the
 * home when its input ends: at the teardown, or because the run was killed.
 */
export default function globalSetup(): void {
  const home = mkdtempSync(join(tmpdir(), 'run-ledger-test-'));
  chmodSync(home, 0o755);
  process.env.TEST_LEDGER_HOME = home;
  globalThis.postgresGuard = spawn('/bin/sh', ['-c', guard, home], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
}

const guard = `
  trap '' INT HUP TERM
  read -r _
  pid=$(head -n 1 "$0/postgres/postmaster.pid" 2>/dev/null)
  [ -z "$pid" ] || kill -QUIT "$pid"
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.05
  done
  rm -rf "$0"
`;

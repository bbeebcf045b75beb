import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * A home for the one Postgres of this test run, which the first test that wants a database starts. The guard stops it and removes the
 * home when its input ends: at the teardown, or because the run was killed.
 */
export default function globalSetup(): void {
  const home = mkdtempSync(join(fastestFolder(), 'run-ledger-test-'));
  chmodSync(home, 0o755);
  process.env.TEST_LEDGER_HOME = home;
  globalThis.postgresGuard = spawn('/bin/sh', ['-c', guard, home], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
}

/** In memory a database is made in 12 ms, on a busy disk in 250. */
function fastestFolder(): string {
  const memory = '/dev/shm';
  if (!existsSync(memory)) return tmpdir();
  const { bavail, bsize } = statfsSync(memory);
  return bavail * bsize > 4e9 ? memory : tmpdir();
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

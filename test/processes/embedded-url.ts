import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The address of the Postgres that a ledger has started under its home. */
export function embeddedUrl(home: string): string {
  const kept = (name: string) => readFileSync(join(home, name), 'utf8').trim();
  return `postgres://ledger:${kept('postgres.password')}@127.0.0.1:${kept('postgres.port')}/postgres`;
}

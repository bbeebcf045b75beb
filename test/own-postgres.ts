import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPool } from '../src/database.js';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../src/embedded-postgres.js';
import { postmaster, within } from '../src/embedded-postgres/postmaster.js';
import type { TestDatabase } from './postgres.js';

/** A Postgres that belongs to one test, which may let it crash. */
export class OwnPostgres {
  private constructor(
    private readonly home: string,
    private postgres: EmbeddedPostgres,
  ) {}

  static async start(): Promise<OwnPostgres> {
    const home = mkdtempSync(join(tmpdir(), 'run-ledger-own-'));
    chmodSync(home, 0o755);
    return new OwnPostgres(home, await startEmbeddedPostgres({ home }));
  }

  /** As `startServer` takes it. */
  database(): TestDatabase {
    const { url } = this.postgres;
    const pool = createPool(url, 'admin');
    return { url, pool, drop: () => pool.end() };
  }

  crash(): void {
    process.kill(this.postgres.pid, 'SIGQUIT');
  }

  async startAgain(): Promise<void> {
    this.postgres = await startEmbeddedPostgres({ home: this.home });
  }

  async end(): Promise<void> {
    const { dataDir } = this.postgres;
    const left = postmaster(dataDir);
    if (left) process.kill(left.pid, 'SIGQUIT');
    await within(10_000, () => (postmaster(dataDir) ? undefined : true));
    rmSync(this.home, { recursive: true, force: true });
  }
}

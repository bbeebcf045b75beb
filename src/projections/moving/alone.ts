import type pg from 'pg';

/** One at a time in all processes; the lock ends with its connection, and so with the process. */
export async function alone<T>(db: pg.Pool, work: () => Promise<T>): Promise<T> {
  const client = await db.connect();
  try {
    const { rows } = await client.query<{ got: boolean }>(`select pg_try_advisory_lock(hashtext('run-ledger move')) as got`);
    if (!rows[0]!.got) throw new Error('this database is being moved to another log by another process: wait for it');
    return await work();
  } finally {
    await client.query(`select pg_advisory_unlock_all()`).catch(() => {});
    client.release(true);
  }
}

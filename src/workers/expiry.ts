import type pg from 'pg';
import { pause } from '../pause.js';
import type { Loop } from './loop.js';

const everyMs = 60_000;
const batch = 1_000;
const mostBatches = 100;

/** Removes at most `limit` of what has been kept long enough; answers how many. */
type Expire = (limit: number) => Promise<number>;

/** Forgets what has been kept long enough; some at a time, so that nobody waits for it. */
export const expiry = (kinds: readonly Expire[]): Loop => ({
  name: 'the expiry of what was kept long enough',
  async turn(signal) {
    await pause(everyMs, signal);
    for (const expire of kinds)
      for (let batches = 0; batches < mostBatches && !signal.aborted; batches++) if ((await expire(batch)) < batch) break;
  },
});

/** Who says from time to time that it is there, and the time that its `seen_at` is in. */
const clocks = { workers: 'ledger_now()', processes: 'clock_timestamp()' } as const;

/** Those that were not heard of for a day, and so have gone. */
export const longGone =
  (db: pg.Pool, of: keyof typeof clocks): Expire =>
  async (limit) => {
    const { rowCount } = await db.query(
      `delete from ${of}
       where ctid in (
         select ctid
         from ${of}
         where seen_at < ${clocks[of]} - interval '24 hours'
         limit $1
         for update skip locked
       )`,
      [limit],
    );
    return rowCount ?? 0;
  };

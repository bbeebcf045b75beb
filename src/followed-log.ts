import type pg from 'pg';
import { inTransaction } from './database.js';

/** Of a process, and of the log that it works on. */
export interface FollowedBy {
  readonly db: pg.Pool;
  /** the log's */
  readonly id: string;
  /** the address of its store; undefined: it is in this database */
  readonly elsewhere: string | undefined;
  /** the process's */
  readonly holder: string;
}

/** The read models, checkpoints and leases of this database are about another log than this process works on. */
export class AnotherLog extends Error {
  override readonly name = 'AnotherLog';
}

/**
 * Settles which log a database belongs to: the first that a process works on, for all processes. Another takes its place only while
 * nothing was folded of it and nobody works on it. To be called when the process can be seen to live.
 * @throws AnotherLog
 */
export async function followLog({ db, ...by }: FollowedBy): Promise<void> {
  await inTransaction(db, async (client) => {
    await client.query('insert into followed_log (id) values ($1) on conflict do nothing', [by.id]);
    const { rows } = await client.query<Followed>(followed, [by.holder]);
    const [there] = rows;
    if (!there || there.id === by.id) return;
    if (there.isUsed) throw new AnotherLog(refusal(there, by));
    await client.query('update followed_log set id = $1, since = clock_timestamp()', [by.id]);
  });
}

interface Followed {
  readonly id: string;
  readonly isHere: boolean;
  readonly isUsed: boolean;
}

/** Whoever comes second waits for the row, and sees what the first has made of it. */
const followed = `
  select
    id,
    exists (select from event_log own where own.id = followed_log.id) as "isHere",
    exists (select from checkpoints where position <> '')
      or exists (select from policy_checkpoints where position <> '')
      or exists (select from processes where holder <> $1 and seen_at > clock_timestamp() - interval '15 s') as "isUsed"
  from followed_log
  for update of followed_log`;

function refusal({ id, isHere }: Followed, by: Pick<FollowedBy, 'id' | 'elsewhere'>): string {
  const own =
    by.elsewhere === undefined ? 'is not set, which means the log in this Postgres' : `is ${by.elsewhere}, which has the log`;
  const back = isHere ? 'leave EVENT_STORE_URL out' : 'set EVENT_STORE_URL to the store that has it';
  return (
    `the read models of this database belong to log ${id}, which is ${isHere ? 'in this Postgres' : 'in another store'}; ` +
    `EVENT_STORE_URL ${own} ${by.id}: ${back}, or move the ledger with ledger store copy and ledger store adopt`
  );
}

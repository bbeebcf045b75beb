import type pg from 'pg';
import type { StoredLog } from '../event-store/stored-log.js';
import { rangeSize } from './chain.js';
import { SealedRanges } from './sealed-ranges.js';

/** Something that keeps the evidence, and whether it is in force. */
export interface Safeguard {
  readonly name: string;
  readonly ok: boolean;
  /** what was seen */
  readonly sentence: string;
  /** what would mend it */
  readonly remedy?: string;
}

/** The log whose seals are looked at, and how many events it has. */
export interface Sealing {
  readonly log: Pick<StoredLog, 'id'>;
  /** where it is, as it may be shown; absent: in the database */
  readonly elsewhere?: string;
  readonly events: number;
}

export async function safeguards(db: pg.Pool, of: Sealing): Promise<Safeguard[]> {
  return [
    of.elsewhere === undefined
      ? await immutable(db, { name: 'immutable events', table: 'events', migration: '0001_events.sql' })
      : removable(of.elsewhere),
    await immutable(db, { name: 'immutable seals', table: 'audit_ranges', migration: '0009_audit.sql' }),
    await sealing(db, of),
  ];
}

/** Nothing that can be asked of an EventStoreDB says more. */
const removable = (where: string): Safeguard => ({
  name: 'immutable events',
  ok: true,
  sentence:
    `no event is ever changed in the EventStoreDB at ${where}; whoever may delete streams there, limit them by metadata or ` +
    'change its files can remove events, which ledger audit verify finds once they are sealed',
});

interface Guarded {
  readonly name: string;
  readonly table: 'events' | 'audit_ranges';
  /** where its trigger is made */
  readonly migration: string;
}

/** How many events of a log are sealed. */
export async function sealedEvents(db: pg.Pool, log: Sealing['log']): Promise<number> {
  const last = await new SealedRanges(db, log).last();
  return last ? (last.range + 1) * rangeSize : 0;
}

async function immutable(db: pg.Pool, { name, table, migration }: Guarded): Promise<Safeguard> {
  const trigger = `${table}_are_immutable`;
  const { rows } = await db.query<{ enabled: string }>(
    `select tgenabled as enabled
     from pg_trigger
     where tgrelid = to_regclass($1)
       and tgname = $2`,
    [`public.${table}`, trigger],
  );
  const [found] = rows;
  if (found?.enabled === 'A') return { name, ok: true, sentence: `${table} cannot be changed` };
  const sentence = `the trigger that refuses changes of ${table} is ${found ? 'switched off' : 'missing'}`;
  const mend = found ? `alter table ${table} enable always trigger ${trigger}` : `create it again as ${migration} does`;
  return { name, ok: false, sentence, remedy: `${mend}, then ledger audit verify` };
}

/** How far the seals may be behind the log while they are made as they should: a few ranges. */
const tolerated = 5 * rangeSize;

async function sealing(db: pg.Pool, { log, events }: Sealing): Promise<Safeguard> {
  const sealed = await sealedEvents(db, log);
  const ok = events - sealed <= tolerated;
  const far = ok ? '' : `, ${events - sealed} events behind`;
  const sentence = `sealed up to ${sealed} of ${events}${far}, ${await owner(db)}`;
  const remedy = 'see that a server with the role projector runs; an old log takes its time, and its log says what stops it';
  return { name: 'sealed log', ok, sentence, ...(!ok && { remedy }) };
}

async function owner(db: pg.Pool): Promise<string> {
  const { rows } = await db.query<{ host: string; pid: number }>(
    `select split_part(host, ' ', 1) as host, pid
     from owners
     where name = 'audit sealer'
       and expires_at > clock_timestamp()`,
  );
  const [found] = rows;
  return found ? `by process ${found.pid} on ${found.host}` : 'by nobody';
}

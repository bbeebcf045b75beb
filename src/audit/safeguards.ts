import type pg from 'pg';
import { rangeSize } from './chain.js';
import { SealedRanges } from './sealed-ranges.js';
import { StoredEvents } from './stored-events.js';

/** Something that keeps the evidence, and whether it is in force. */
export interface Safeguard {
  readonly name: string;
  readonly ok: boolean;
  /** what was seen */
  readonly sentence: string;
  /** what would mend it */
  readonly remedy?: string;
}

export async function safeguards(db: pg.Pool): Promise<Safeguard[]> {
  return [
    await immutable(db, { name: 'immutable events', table: 'events', migration: '0001_events.sql' }),
    await immutable(db, { name: 'immutable seals', table: 'audit_ranges', migration: '0009_audit.sql' }),
    await sealing(db),
  ];
}

interface Guarded {
  readonly name: string;
  readonly table: 'events' | 'audit_ranges';
  /** where its trigger is made */
  readonly migration: string;
}

/** Positions of the last event and of the last that is sealed; 0 where there is none. */
export async function sealProgress(db: pg.Pool): Promise<{ readonly head: number; readonly sealed: number }> {
  const sealed = Number((await new SealedRanges(db).last())?.last ?? 0);
  return { sealed, head: Number(await new StoredEvents(db).head()) };
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

async function sealing(db: pg.Pool): Promise<Safeguard> {
  const { head, sealed } = await sealProgress(db);
  const ok = head - sealed <= tolerated;
  const far = ok ? '' : `, ${head - sealed} events behind`;
  const sentence = `sealed up to ${sealed} of ${head}${far}, ${await owner(db)}`;
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

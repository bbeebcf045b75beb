import type pg from 'pg';
import type { EventStore } from './event-store/event-store.js';

export interface Check {
  readonly name: string;
  readonly ok: boolean;
  /** what was seen */
  readonly sentence: string;
  /** what would mend it */
  readonly remedy?: string;
}

/** Looks at everything that could be wrong with the ledger's database, and says what it saw. */
export async function examine(db: pg.Pool, store: EventStore, skewMs: number): Promise<Check[]> {
  return [
    ...(await durability(db)),
    ...(await readModels(db, store)),
    await parkedStreams(db),
    await expiredLeases(db),
    await immutability(db),
    clockSkew(skewMs),
  ];
}

/** https://www.postgresql.org/docs/current/runtime-config-wal.html: what makes a commit survive a crash of the machine. */
async function durability(db: pg.Pool): Promise<Check[]> {
  const { rows } = await db.query<{ name: string; setting: string }>(
    `select name, setting
     from pg_settings
     where name in ('fsync', 'full_page_writes', 'synchronous_commit')
     order by name`,
  );
  return rows.map(({ name, setting }) => {
    // Appends set synchronous_commit for themselves; leases do so where they must.
    const ok = name === 'synchronous_commit' || setting === 'on';
    const remedy = ok ? {} : { remedy: `set ${name} = on: a crash of the machine can lose acknowledged commands` };
    return { name: `postgres ${name}`, ok, sentence: `${name} is ${setting}`, ...remedy };
  });
}

async function readModels(db: pg.Pool, store: EventStore): Promise<Check[]> {
  const head = await store.head();
  const { rows } = await db.query<{ readModel: string; position: string; halted: string | null }>(
    `select read_model as "readModel", position, halted
     from checkpoints
     order by read_model`,
  );
  return rows.map(({ readModel, position, halted }) => {
    const name = `read model ${readModel}`;
    if (halted)
      return {
        name,
        ok: false,
        sentence: `halted at ${shown(position)}: ${halted}`,
        remedy: 'mend what it names, then restart the server',
      };
    const behind = Number(head || 0) - Number(position || 0);
    const sentence = `at ${shown(position)} of ${shown(head)}`;
    if (behind <= 1_000) return { name, ok: true, sentence };
    return {
      name,
      ok: false,
      sentence: `${sentence}, ${behind} events behind`,
      remedy: 'see that a server with the role projector runs',
    };
  });
}

const shown = (position: string): string => (position === '' ? 'the beginning' : String(Number(position)));

async function parkedStreams(db: pg.Pool): Promise<Check> {
  const { rows } = await db.query<{ readModel: string; stream: string; error: string; count: number }>(
    `select read_model as "readModel", stream, error, count(*) over () as count
     from parked_streams
     order by parked_at
     limit 1`,
  );
  const [first] = rows;
  if (!first) return { name: 'parked streams', ok: true, sentence: 'every stream is folded' };
  const sentence = `${first.count} parked; the first: ${first.stream} in ${first.readModel}: ${first.error}`;
  return {
    name: 'parked streams',
    ok: false,
    sentence,
    remedy: 'the fold of that read model has a defect: mend it, then retry the stream',
  };
}

async function expiredLeases(db: pg.Pool): Promise<Check> {
  const { rows } = await db.query<{ count: number }>(
    `select count(*) as count
     from lane_leases
     where expires_at < ledger_now() - interval '1 min'`,
  );
  const count = rows[0]?.count ?? 0;
  const remedy = count > 0 ? { remedy: 'see that a server with the role reaper runs' } : {};
  return { name: 'expired leases', ok: count === 0, sentence: `${count} leases expired more than a minute ago`, ...remedy };
}

async function immutability(db: pg.Pool): Promise<Check> {
  const { rows } = await db.query<{ enabled: string }>(
    `select tgenabled as enabled
     from pg_trigger
     where tgrelid = 'public.events'::regclass
       and tgname = 'events_are_immutable'`,
  );
  const ok = rows[0]?.enabled === 'A';
  const sentence = ok ? 'events cannot be changed' : 'the trigger that refuses changes of events is missing or switched off';
  return {
    name: 'immutable events',
    ok,
    sentence,
    ...(ok ? {} : { remedy: 'alter table events enable always trigger events_are_immutable' }),
  };
}

function clockSkew(skewMs: number): Check {
  const ok = Math.abs(skewMs) < 1_000;
  const sentence = `this process's clock is ${Math.round(Math.abs(skewMs))} ms ${skewMs < 0 ? 'ahead of' : 'behind'} the database's, which counts`;
  return { name: 'clock', ok, sentence, ...(ok ? {} : { remedy: 'let the machine set its clock by NTP' }) };
}

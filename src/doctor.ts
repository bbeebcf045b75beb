import type pg from 'pg';
import { safeguards } from './audit/safeguards.js';
import { beginning, type Position } from './events/event.js';
import { positionInWords } from './events/positions.js';
import type { EventStore } from './event-store/event-store.js';
import type { StoredLog } from './event-store/stored-log.js';
import { pendingMigrations } from './migrator.js';
import { policiesOfTheLedger } from './policies/all.js';
import { projectionsOfTheLedger } from './projections/all.js';
import { conservationChecks } from './projections/conservation/conservation-audit.js';
import { LogEnd } from './projections/log-end.js';
import type { AnyProjection } from './projections/projection.js';
import { thisProcess } from './projections/projector/process-identity.js';
import { ReadModels } from './projections/read-models.js';
import { versionNotes } from './projections/operations/version-notes.js';
import { lateFires, lateRoutines } from './projections/routines/routine-figures.js';
import { shouldBeRunning } from './projections/why/should-be-running.js';

export interface Check {
  readonly name: string;
  readonly ok: boolean;
  /** what was seen */
  readonly sentence: string;
  /** what would mend it */
  readonly remedy?: string;
}

/** What is looked at. */
export interface Examined {
  readonly db: pg.Pool;
  readonly store: EventStore;
  readonly log: StoredLog;
  /** where the log is, as it may be shown; absent: in `db` */
  readonly elsewhere?: string;
  /** by how much the clock of this process is behind the database's, in ms */
  readonly skewMs: number;
}

/** Looks at what could be wrong with the ledger's database, and says what it saw. */
export async function examine(
  { db, store, log, elsewhere, skewMs }: Examined,
  known: readonly AnyProjection[] = projectionsOfTheLedger,
): Promise<Check[]> {
  const end = await LogEnd.of(store);
  return [
    await schema(db),
    await eventStore(db, log, elsewhere),
    await liveVersions(db, known),
    ...(await durability(db, elsewhere)),
    ...(await readModels(db, end)),
    await parkedStreams(db),
    ...(await policies(db, end)),
    await parkedReactions(db),
    ...(await conservationChecks(db, store)),
    await processes(db),
    await expiredLeases(db),
    await unexplainedWork(db, store),
    await firesUnderWay(db),
    await routinesOverdue(db),
    ...(await safeguards(db, { log, elsewhere, events: await end.events() })),
    await clocks(db, skewMs),
  ];
}

const check = (name: string, ok: boolean, sentence: string, remedy: string): Check =>
  ok ? { name, ok, sentence } : { name, ok, sentence, remedy };

async function schema(db: pg.Pool): Promise<Check> {
  const remedy = "run ledger migrate with the server's version of the ledger";
  try {
    const pending = await pendingMigrations(db);
    const sentence =
      pending.length > 0 ? `the database has not run ${pending.join(', ')}` : 'every migration of this version has run';
    return check('schema', pending.length === 0, sentence, remedy);
  } catch (error) {
    return check('schema', false, error instanceof Error ? error.message : String(error), remedy);
  }
}

/** Where facts are kept, whether they can be, and whether what this database says is about them. */
async function eventStore(db: pg.Pool, log: StoredLog, elsewhere: string | undefined): Promise<Check> {
  const [id, isSealed] = [await log.id(), await log.isSealed()];
  const { rows } = await db.query<{ id: string }>('select id from followed_log');
  const followed = rows[0]?.id ?? id;
  const where = elsewhere === undefined ? 'in this Postgres' : `in the EventStoreDB at ${elsewhere}`;
  const belongs =
    followed === id ? 'read models and checkpoints belong to it' : `read models and checkpoints belong to log ${followed}`;
  const sentence = `log ${id} ${where}, ${isSealed ? 'closed' : 'open'} for writes; ${belongs}`;
  const remedy =
    followed === id ? 'ledger store unseal opens it' : 'start the servers with the store of that log: see ledger store';
  return check('event store', followed === id && !isSealed, sentence, remedy);
}

/** Which version of each projection is asked, against those that this code has; and what is to be done about them. */
async function liveVersions(db: pg.Pool, known: readonly AnyProjection[]): Promise<Check> {
  const { rows: live } = await db.query<{ readModel: string; projection: string; version: number | null }>(
    `select asked.read_model as "readModel", asked.projection, checkpoint.version
     from projection_versions asked
     left join checkpoints checkpoint using (read_model)`,
  );
  const strange = live.filter((asked) => !known.some((of) => of.name === asked.projection && of.version === asked.version));
  const missing = [...new Set(known.map(({ name }) => name))].filter(
    (name) => !live.some(({ projection }) => projection === name),
  );
  const sentence = [
    strange.length > 0 &&
      `${strange.map(({ readModel }) => readModel).join(', ')} is asked, and this version of the ledger does not know it`,
    missing.length > 0 && `nothing is there to ask of ${missing.join(', ')}`,
  ].filter(Boolean);
  const well = [`the ${live.length} that are asked are known to this version of the ledger`];
  const notes = sentence.length === 0 ? await versionNotes(new ReadModels(db, known)) : [];
  return check(
    'versions of read models',
    sentence.length === 0,
    sentence.join('; ') || [...well, ...notes].join('; '),
    'start a server of the newest version in use with the role projector',
  );
}

/** https://www.postgresql.org/docs/current/runtime-config-wal.html: what makes a commit survive a crash of the machine. */
async function durability(db: pg.Pool, elsewhere: string | undefined): Promise<Check[]> {
  // For its own appends begin_append() turns synchronous_commit on; claims and keys go before an append to another store as it says.
  const asked = ['fsync', 'full_page_writes', ...(elsewhere === undefined ? [] : ['synchronous_commit'])];
  const { rows } = await db.query<{ name: string; setting: string }>(
    `select name, setting
     from pg_settings
     where name = any($1)
     order by name`,
    [asked],
  );
  const lost =
    elsewhere === undefined ? 'lose acknowledged commands' : 'forget what was claimed or answered, while the log knows it';
  return rows.map(({ name, setting }) =>
    check(`postgres ${name}`, setting !== 'off', `${name} is ${setting}`, `set ${name} = on: a crash of the machine can ${lost}`),
  );
}

async function readModels(db: pg.Pool, end: LogEnd): Promise<Check[]> {
  const { rows } = await db.query<Follower & { readModel: string }>(
    `select read_model as "readModel", position, halted, split_part(host, ' ', 1) as host, pid
     from checkpoints
     left join owners on name = 'projector ' || read_model and expires_at > clock_timestamp()
     where not filling
     order by read_model`,
  );
  return Promise.all(rows.map(({ readModel, ...row }) => follower(`read model ${readModel}`, row, end, 'projector')));
}

/** Of the log; `host` (without its pid namespace) and `pid` of the process that owns it, if one does. */
interface Follower {
  readonly position: Position;
  readonly halted: string | null;
  readonly host: string | null;
  readonly pid: number | null;
}

async function follower(name: string, { position, halted, host, pid }: Follower, end: LogEnd, role: string): Promise<Check> {
  const at = positionInWords(position);
  if (halted) return check(name, false, `halted at ${at}: ${halted}`, 'mend what it names, then restart the server');
  const lag = await end.behind(position);
  const far = lag > tolerated ? `, ${lag} events behind` : '';
  const owner = pid === null ? 'run by nobody' : `run by process ${pid} on ${host}`;
  const sentence = `at ${at} of ${positionInWords(end.head)}${far}, ${owner}`;
  return check(name, lag <= tolerated, sentence, `see that a server with the role ${role} runs`);
}

/** Events that a read model or a policy may be behind while it works as it should. */
const tolerated = 1_000;

async function parkedStreams(db: pg.Pool): Promise<Check> {
  const { rows } = await db.query<{ readModel: string; projection: string; stream: string; error: string; count: number }>(
    `select read_model as "readModel", projection, parked.stream, error, count(*) over () as count
     from parked_streams parked
     left join checkpoints using (read_model)
     order by parked_at
     limit 1`,
  );
  const [first] = rows;
  return check(
    'parked streams',
    first === undefined,
    first ? `${first.count} parked; the first: ${first.stream} in ${first.readModel}: ${first.error}` : 'every stream is folded',
    `that read model shows the stream as it was before: mend its fold, then ledger projections parked ${first?.projection} --retry ${first?.stream}`,
  );
}

async function policies(db: pg.Pool, end: LogEnd): Promise<Check[]> {
  const { rows } = await db.query<Follower & { policy: string }>(
    `select policy, position, halted, split_part(host, ' ', 1) as host, pid
     from policy_checkpoints
     left join owners on name = 'policy ' || policy and expires_at > clock_timestamp()`,
  );
  const neverRun = { position: beginning, halted: null, host: null, pid: null };
  const ofPolicy = (name: string) => rows.find(({ policy }) => policy === name) ?? neverRun;
  return Promise.all(policiesOfTheLedger.map(({ name }) => follower(`policy ${name}`, ofPolicy(name), end, 'policies')));
}

async function parkedReactions(db: pg.Pool): Promise<Check> {
  const { rows } = await db.query<{ policy: string; stream: string; reaction: string; error: string; count: number }>(
    `select policy, stream, command_id as reaction, error, count(*) over () as count
     from parked_reactions
     order by parked_at, n
     limit 1`,
  );
  const [first] = rows;
  return check(
    'parked reactions',
    first === undefined,
    first
      ? `${first.count} parked; the first: ${first.stream} by policy ${first.policy}: ${first.error}`
      : 'every reaction was carried out',
    `mend what it names; they are tried again every 30 s, in order. To give one up: ledger policies parked --drop ${first?.reaction} --reason <reason>`,
  );
}

async function expiredLeases(db: pg.Pool): Promise<Check> {
  const { rows } = await db.query<{ count: number }>(
    `select count(*) as count
     from lane_leases
     where expires_at < ledger_now() - interval '1 min'`,
  );
  const count = rows[0]?.count ?? 0;
  const sentence = `${count} leases expired more than a minute ago`;
  return check('expired leases', count === 0, sentence, 'see that a server with the role reaper runs');
}

/** Roles without which something is not done, each by any process. */
export const neededRoles = ['api', 'projector', 'policies', 'promoter', 'reaper', 'scheduler'];

async function processes(db: pg.Pool): Promise<Check> {
  const { rows } = await db.query<{ host: string; pid: number; roles: string[] }>(
    `select split_part(host, ' ', 1) as host, pid, roles
     from processes
     where seen_at > clock_timestamp() - interval '15 s'
     order by started_at`,
  );
  const missing = neededRoles.filter((role) => !rows.some(({ roles }) => roles.includes(role)));
  const living = rows.map(({ host, pid, roles }) => `process ${pid} on ${host}: ${roles.join(', ')}`);
  const sentence = [...living, ...(missing.length > 0 ? [`nobody has the role ${missing.join(', ')}`] : [])].join('; ');
  return check('processes', missing.length === 0, sentence, `start a server with LEDGER_ROLES=${missing.join(',')}`);
}

function unexplainedWork(db: pg.Pool, store: EventStore): Promise<Check> {
  const remedy = 'ask ledger why about it, and restart the servers: this is a defect of the ledger';
  return looked('work that should be running', db, remedy, async (readModels) => {
    const { count, first } = await shouldBeRunning({ readModels, store });
    return first && `${count} for 10 s without a reason; the first: ${first.id} of ${first.company}`;
  });
}

function firesUnderWay(db: pg.Pool): Promise<Check> {
  const remedy = 'ask ledger why about it, and see that a server with the role policies runs';
  return looked('fires under way', db, remedy, async (readModels) => {
    const { count, first } = await lateFires(readModels);
    return first && `${count} for more than a minute; the first: ${first.fire} of ${first.company}, fired at ${first.at}`;
  });
}

function routinesOverdue(db: pg.Pool): Promise<Check> {
  const remedy = 'see that a server with the role scheduler runs, and what its log says';
  return looked('routines overdue', db, remedy, async (readModels) => {
    const { count, first } = await lateRoutines(readModels);
    return first && `${count} for more than a minute; the first: ${first.routine} of ${first.company}, due at ${first.at}`;
  });
}

/** `look` answers what is wrong, if anything is. */
async function looked(
  name: string,
  db: pg.Pool,
  remedy: string,
  look: (readModels: ReadModels) => Promise<string | undefined>,
): Promise<Check> {
  try {
    const wrong = await look(new ReadModels(db, projectionsOfTheLedger));
    return check(name, wrong === undefined, wrong ?? 'none', remedy);
  } catch (error) {
    return check(name, false, error instanceof Error ? error.message : String(error), 'mend what is wrong with the read models');
  }
}

/** Of this process as of now, of others as they last said; time is the database's whatever they show. */
async function clocks(db: pg.Pool, skewMs: number): Promise<Check> {
  const { host, pid } = thisProcess();
  const { rows: others } = await db.query<{ host: string; pid: number; skewMs: number }>(
    `select split_part(host, ' ', 1) as host, pid, skew_ms as "skewMs"
     from processes
     where seen_at > clock_timestamp() - interval '15 s'
       and abs(skew_ms) >= $1
       and (host, pid) <> ($2, $3)
     order by abs(skew_ms) desc`,
    [tolerableSkewMs, host, pid],
  );
  const sentence = [
    `this process's clock is ${skewInWords(skewMs)} the database's, which counts`,
    ...others.map((other) => `that of process ${other.pid} on ${other.host} is ${skewInWords(other.skewMs)} it`),
  ].join('; ');
  const ok = Math.abs(skewMs) < tolerableSkewMs && others.length === 0;
  return check('clock', ok, sentence, 'let the machine set its clock by NTP');
}

const tolerableSkewMs = 1_000;

const skewInWords = (ms: number): string => `${Math.round(Math.abs(ms))} ms ${ms < 0 ? 'ahead of' : 'behind'}`;

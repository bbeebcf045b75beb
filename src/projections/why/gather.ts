import { sql } from 'kysely';
import type { Streams } from '../../commands/streams.js';
import { lanes } from '../../events/evolve-lane.js';
import {
  agentStream,
  companyStream,
  numberOfRun,
  runId,
  taskStream,
  type AgentId,
  type Recorded,
  type RunId,
  type StreamId,
  type TaskId,
  type WakeupId,
} from '../../events/event.js';
import { openBlockers, together, type Lane, type LaneEvent } from '../../events/lane.js';
import { isClosed } from '../../events/task.js';
import type { EventStore } from '../../event-store/event-store.js';
import { agents, type AgentRow } from '../agents.js';
import { dueRetries } from '../due-retries.js';
import { heldSql } from '../held.js';
import { holds, type HoldRow } from '../holds.js';
import { ProjectionBehind, type Progress } from '../projector/progress.js';
import type { ReadModels } from '../read-models.js';
import { isLaneFree, readyRuns } from '../ready-runs.js';
import { runStatus, type RunRow } from '../run-status.js';
import { stallOf } from '../stalled.js';
import { tasks, type TaskRow } from '../tasks.js';
import { wakeupRequests, type WakeupRow } from '../wakeup-requests.js';
import type { AgentFacts, BlockerFact, Facts, LagFact, LeaseFact, ReadyFact, WorkerFact } from './facts.js';

export interface WhyWorld {
  readonly readModels: ReadModels;
  readonly progress: Pick<Progress, 'reached'>;
  readonly store: Pick<EventStore, 'head' | 'readStream'>;
  readonly streams: Pick<Streams, 'state'>;
}

/** What was asked about. */
export interface Subject {
  readonly company: string;
  readonly task: TaskId;
  readonly run?: RunId;
  readonly demand?: WakeupRow;
}

const startFrom = [runStatus, tasks, wakeupRequests, agents, holds, readyRuns, dueRetries].map(({ name }) => name);
/** Who asks is not to wait longer for read models that do not get on. */
const patienceMs = 1_000;
/** What comes after a run is looked for among so many. */
const nearby = 20;
/** Since when a task is closed or blocked is looked for among so many events. */
const backwards = 500;

/** All facts that explain one lane, each found by a key or an index, however much there is of everything else. */
export class Gathering {
  constructor(private readonly world: WhyWorld) {}

  /** Waits a little for the read models; those that do not come up to the head of the log by then are behind. */
  async caughtUp(): Promise<boolean> {
    try {
      await this.world.progress.reached(startFrom, await this.world.store.head(), patienceMs);
      return true;
    } catch (error) {
      if (error instanceof ProjectionBehind) return false;
      throw error;
    }
  }

  /** Undefined without such a task; `task` is undefined when it is not in the read models yet. */
  async around(subject: Subject, isCaughtUp: boolean): Promise<(Omit<Facts, 'task'> & { readonly task?: TaskRow }) | undefined> {
    const { company, task } = subject;
    const lane = await this.world.streams.state(lanes, taskStream(company, task), true);
    if (!lane.opened) return undefined;
    const demands = await this.demandsOf(subject, lane);
    const run = subject.run ?? demands.findLast((demand) => demand.run !== null)?.run ?? undefined;
    const [[row], runs, lease, { now, roles }] = await Promise.all([
      this.taskRows(company, [task]),
      this.runsOf(company, run, lane),
      this.lease(company, task),
      this.moment(),
    ]);
    const names = agentsOf(lane, runs, { ...subject, run });
    const queued = runs.filter(({ status }) => status === 'queued').map(({ run_id }) => run_id);
    const [left, held, known, ready, blockers, since, lags] = await Promise.all([
      this.runLeft(company, lease, runs),
      this.holdsOn(company, task),
      this.agentsNamed(company, names),
      this.ready(company, queued),
      this.blockers(company, row),
      this.since(company, lane, row?.changed_at ?? ''),
      this.lags(company, task, names, isCaughtUp),
    ]);
    return {
      now,
      task: row,
      lane,
      holds: held,
      agents: known,
      runs: [...runs, ...left],
      demands,
      lease,
      ready,
      blockers,
      roles,
      lags,
      ...since,
    };
  }

  async demand(company: string, id: WakeupId): Promise<WakeupRow | undefined> {
    return (await this.demandRows(company, [id]))[0];
  }

  private async moment(): Promise<{ now: string; roles: readonly string[] }> {
    const { rows } = await sql<{ now: string; roles: string[] }>`
      select
        ledger_now() as now,
        array(
          select distinct unnest(roles)
          from processes
          where seen_at > clock_timestamp() - interval '15 s'
        ) as roles`.execute(this.world.readModels.kysely);
    return rows[0]!;
  }

  /** The lane itself knows which are open, and how many there were; so each is found by its key. */
  private async runsOf(company: string, run: RunId | undefined, lane: Lane): Promise<RunRow[]> {
    const after = run === undefined ? [] : numbersFrom(numberOfRun(run), lane.runs);
    const last = numbersFrom(Math.max(1, lane.runs - nearby + 1), lane.runs);
    const ids = [...lane.open.map((open) => open.runId), ...[...after, ...last].map((n) => runId(lane.task, n))];
    return this.runRows(company, [...new Set(ids)]);
  }

  private async runRows(company: string, ids: readonly RunId[]): Promise<RunRow[]> {
    if (ids.length === 0) return [];
    const db = await this.world.readModels.of(runStatus);
    return db
      .selectFrom('run_status')
      .selectAll()
      .where('company', '=', company)
      .where('run_id', 'in', ids)
      .orderBy('n')
      .execute();
  }

  /** The run that its lease is still about. */
  private async runLeft(company: string, lease: LeaseFact | undefined, known: readonly RunRow[]): Promise<RunRow[]> {
    if (!lease || known.some(({ run_id }) => run_id === lease.runId)) return [];
    return this.runRows(company, [lease.runId]);
  }

  /** Those that wait; and from the one that was asked about to the one whose fate it shares, which may have joined another itself. */
  private async demandsOf({ company, demand }: Subject, lane: Lane): Promise<WakeupRow[]> {
    const found = await this.demandRows(
      company,
      lane.waiting.map(({ wakeupId }) => wakeupId),
    );
    for (let next = demand, step = 0; next && step < 4; step++) {
      const { wakeup_id, coalesced_into }: WakeupRow = next;
      if (!found.some((known) => known.wakeup_id === wakeup_id)) found.push(next);
      next = coalesced_into === null ? undefined : await this.demand(company, coalesced_into);
    }
    return found;
  }

  private async demandRows(company: string, ids: readonly WakeupId[]): Promise<WakeupRow[]> {
    if (ids.length === 0) return [];
    const db = await this.world.readModels.of(wakeupRequests);
    return db.selectFrom('wakeup_requests').selectAll().where('company', '=', company).where('wakeup_id', 'in', ids).execute();
  }

  private async taskRows(company: string, names: readonly TaskId[]): Promise<TaskRow[]> {
    if (names.length === 0) return [];
    const db = await this.world.readModels.of(tasks);
    return db.selectFrom('tasks').selectAll().where('company', '=', company).where('task', 'in', names).execute();
  }

  private async lease(company: string, task: TaskId): Promise<LeaseFact | undefined> {
    const { rows } = await sql<LeaseFact>`
      select
        run_id as "runId",
        worker_id as "workerId",
        lease_ms as "leaseMs",
        expires_at as "expiresAt",
        beaten_at as "beatenAt",
        output_at as "outputAt",
        revoked_at is not null as "isRevoked"
      from lane_leases
      where company = ${company}
        and task = ${task}`.execute(this.world.readModels.kysely);
    return rows[0];
  }

  /** From the task upwards, each once, nearest first; a task above counts when what is below it is held with it. */
  private async holdsOn(company: string, task: TaskId): Promise<HoldRow[]> {
    const table = await this.world.readModels.table(tasks);
    const held = await this.world.readModels.table(holds);
    const { rows } = await sql<HoldRow>`
      with recursive above (task, parent, way) as (
        select task, parent, array[task]
        from ${table}
        where company = ${company}
          and task = ${task}
        union all
        select next.task, next.parent, way || next.task
        from above
        join ${table} next on next.company = ${company} and next.task = above.parent collate "C"
        where not next.task = any(way)
      )
      select held.*
      from ${held} held
      left join above on held.kind = 'task' and held.target = above.task
      where held.company = ${company}
        and (held.kind = 'company' or (above.task is not null and (held.subtree or held.target = ${task})))
      order by held.kind, cardinality(way)`.execute(this.world.readModels.kysely);
    return rows;
  }

  private async agentsNamed(company: string, names: readonly AgentId[]): Promise<Map<AgentId, AgentFacts>> {
    if (names.length === 0) return new Map();
    const db = await this.world.readModels.of(agents);
    const rows = await db.selectFrom('agents').selectAll().where('company', '=', company).where('agent', 'in', names).execute();
    return new Map(await Promise.all(rows.map(async (row) => [row.agent, await this.agentFacts(row)] as const)));
  }

  private async agentFacts(row: AgentRow): Promise<AgentFacts> {
    const [leases, workers] = await Promise.all([
      sql<AgentFacts['leases'][number]>`
        select run_id as "runId", worker_id as "workerId"
        from lane_leases
        where company = ${row.company}
          and agent = ${row.agent}
        order by run_id`.execute(this.world.readModels.kysely),
      sql<WorkerFact>`
        select worker_id as "workerId", seen_at as "seenAt", coalesce(asked_at, seen_at) as "askedAt"
        from workers
        where company = ${row.company}
          and agent = ${row.agent}
        order by seen_at desc
        limit 20`.execute(this.world.readModels.kysely),
    ]);
    return { row, leases: leases.rows, workers: workers.rows };
  }

  private async ready(company: string, runs: readonly RunId[]): Promise<Map<RunId, ReadyFact>> {
    if (runs.length === 0) return new Map();
    const table = await this.world.readModels.table(readyRuns);
    const status = await this.world.readModels.table(runStatus);
    const held = await heldSql(this.world.readModels);
    const { rows } = await sql<ReadyFact & { runId: RunId }>`
      ${held.withHeld}
      select run.run_id as "runId", run.ready_at as since, ahead.count as ahead, ahead.first
      from ${table} run
      cross join lateral (
        select count(*)::int as count, (array_agg(run_id order by rank, priority, ready_at, n))[1] as first
        from (
          select run_id, rank, priority, ready_at, n
          from ${table} other
          where other.company = run.company
            and other.agent = run.agent
            and (other.rank, other.priority, other.ready_at, other.n) < (run.rank, run.priority, run.ready_at, run.n)
            and ${isLaneFree(held, 'other')}
            and not exists (
              select
              from ${status} running
              where running.company = other.company
                and running.task = other.task
                and running.status = 'running'
            )
          order by rank, priority, ready_at, n
          limit 100
        ) before
      ) ahead
      where run.company = ${company}
        and run.run_id = any(${runs}::text[])`.execute(this.world.readModels.kysely);
    return new Map(rows.map(({ runId: id, ...ready }) => [id, ready]));
  }

  /** What the task still waits for, and whether anything is done about that. */
  private async blockers(company: string, task: TaskRow | undefined): Promise<BlockerFact[]> {
    const names = task ? openBlockers(task).slice(0, nearby) : [];
    if (names.length === 0) return [];
    const rows = await this.taskRows(company, names);
    const [held, paused] = await Promise.all([
      this.heldAmong(company, names),
      this.agentHolds(
        company,
        rows.flatMap(({ assignee }) => assignee ?? []),
      ),
    ]);
    return names.map((name) => {
      const row = rows.find((one) => one.task === name);
      return { task: name, row, stall: row && stallOf(row, held.has(name), paused.get(row.assignee ?? '')) };
    });
  }

  private async heldAmong(company: string, names: readonly TaskId[]): Promise<Set<TaskId>> {
    const { withHeld, isLaneHeld } = await heldSql(this.world.readModels);
    const { rows } = await sql<{ task: TaskId }>`
      ${withHeld}
      select lane.task
      from unnest(${names}::text[]) as lane (task)
      where ${isLaneHeld(sql`${company}::text`, sql.ref('lane.task'))}`.execute(this.world.readModels.kysely);
    return new Set(rows.map(({ task }) => task));
  }

  private async agentHolds(company: string, names: readonly AgentId[]): Promise<Map<AgentId, HoldRow>> {
    if (names.length === 0) return new Map();
    const db = await this.world.readModels.of(holds);
    const ofAgents = db.selectFrom('holds').selectAll().where('company', '=', company).where('kind', '=', 'agent');
    const rows = await ofAgents.where('target', 'in', names).execute();
    return new Map(rows.map((row) => [row.target, row]));
  }

  /** Of a task that is open and waits for nothing, nobody asks since when. */
  private async since(company: string, lane: Lane, changedAt: string): Promise<Pick<Facts, 'movedAt' | 'blockedAt'>> {
    if (!isClosed(lane.status) && lane.status !== 'blocked' && openBlockers(lane).length === 0)
      return { movedAt: changedAt, blockedAt: changedAt };
    const events = await this.world.store.readStream<LaneEvent>(taskStream(company, lane.task), {
      direction: 'backwards',
      limit: backwards,
    });
    const oldest = events.at(-1)?.recordedAt ?? changedAt;
    return {
      movedAt: timeOf(events, ['TaskStatusChanged', 'TaskOpened']) ?? oldest,
      blockedAt: timeOf(events, ['BlockersSet', 'BlockerReopened']) ?? oldest,
    };
  }

  private async lags(company: string, task: TaskId, names: readonly AgentId[], isCaughtUp: boolean): Promise<LagFact[]> {
    const streams: StreamId[] = [
      taskStream(company, task),
      companyStream(company),
      ...names.map((name) => agentStream(company, name)),
    ];
    const head = await this.world.store.head();
    const asked = await Promise.all(startFrom.map((name) => this.world.readModels.nameOf(name)));
    const { rows } = await sql<LagFact>`
      select
        projection,
        coalesce(parked.position, checkpoint.position) as position,
        ${head} as head,
        coalesce(parked.parked_at, checkpoint.moved_at) as "movedAt",
        coalesce(parked.error, checkpoint.halted) as trouble
      from checkpoints checkpoint
      left join parked_streams parked on parked.read_model = checkpoint.read_model and parked.stream = any(${streams}::text[])
      where checkpoint.read_model = any(${asked}::text[])
        and (parked.stream is not null or (not ${isCaughtUp} and checkpoint.position < ${head}))
      order by projection`.execute(this.world.readModels.kysely);
    return rows;
  }
}

const numbersFrom = (first: number, last: number): number[] =>
  Array.from({ length: Math.max(0, Math.min(nearby + 1, last - first + 1)) }, (_, n) => first + n);

function agentsOf(lane: Lane, runs: readonly RunRow[], { run, demand }: Subject): AgentId[] {
  const asked = runs.find(({ run_id }) => run_id === run);
  const waiting = lane.waiting.flatMap(together).map(({ agent }) => agent);
  const open = lane.open.map(({ agent }) => agent);
  return [...new Set([lane.assignee, asked?.agent, demand?.agent, ...open, ...waiting].flatMap((agent) => agent ?? []))];
}

const timeOf = (events: readonly Recorded<LaneEvent>[], types: readonly LaneEvent['type'][]): string | undefined =>
  events.find(({ type }) => types.includes(type))?.recordedAt;

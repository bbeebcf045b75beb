import { sql } from 'kysely';
import type { Streams } from '../../commands/streams.js';
import { lanes } from '../../events/evolve-lane.js';
import {
  numberOfRun,
  runId,
  taskStream,
  type AgentId,
  type Recorded,
  type RunId,
  type TaskId,
  type WakeupId,
} from '../../events/event.js';
import { openBlockers, together, type Lane, type LaneEvent } from '../../events/lane.js';
import { isClosed } from '../../events/task.js';
import type { EventStore } from '../../event-store/event-store.js';
import { holds, type HoldRow } from '../holds.js';
import type { Progress } from '../projector/progress.js';
import type { ReadModels } from '../read-models.js';
import { runStatus, type RunRow } from '../run-status.js';
import { tasks, type TaskRow } from '../tasks.js';
import { wakeupRequests, type WakeupRow } from '../wakeup-requests.js';
import type { Facts, LeaseFact } from './facts.js';
import { agentFacts, readyFacts } from './gather-agents.js';
import { blockerFacts } from './gather-blockers.js';
import { lagFacts } from './gather-lags.js';
import { isSteady } from './steady.js';

export interface WhyWorld {
  readonly readModels: ReadModels;
  readonly progress: Pick<Progress, 'reached'>;
  readonly store: Pick<EventStore, 'head' | 'count' | 'readStream'>;
  readonly streams: Pick<Streams, 'state'>;
}

/** What was asked about. */
export interface Subject {
  readonly company: string;
  readonly task: TaskId;
  readonly run?: RunId;
  readonly demand?: WakeupRow;
}

/** What comes after a run is looked for among so many. */
const nearby = 20;
/** Since when a task is closed or blocked is looked for among so many events. */
const backwards = 500;

/** All facts that explain one lane, each found by a key or an index, however much there is of everything else. */
export class Gathering {
  constructor(private readonly world: WhyWorld) {}

  /** Undefined without such a task; `task` is undefined when it is not in the read models yet. */
  async around(subject: Subject, isCaughtUp: boolean): Promise<(Omit<Facts, 'task'> & { readonly task?: TaskRow }) | undefined> {
    const { company, task } = subject;
    const lane = await this.world.streams.state(lanes, taskStream(company, task), true);
    if (!lane.opened) return undefined;
    const demands = await this.demandsOf(subject, lane);
    const run = subject.run ?? demands.findLast((demand) => demand.run !== null)?.run ?? undefined;
    const [[row], runs, lease, now] = await Promise.all([
      this.taskRows(company, [task]),
      this.runsOf(company, run, lane),
      this.lease(company, task),
      moment(this.world.readModels),
    ]);
    const names = agentsOf(lane, runs, { ...subject, run });
    const queued = runs.filter(({ status }) => status === 'queued').map(({ run_id }) => run_id);
    const [left, held, known, ready, blockers, since, lags] = await Promise.all([
      this.runLeft(company, lease, runs),
      this.holdsOn(company, task),
      agentFacts(this.world.readModels, company, names),
      readyFacts(this.world.readModels, company, queued),
      blockerFacts(this.world.readModels, company, row),
      this.since(company, lane, row?.changed_at ?? ''),
      lagFacts(this.world, { company, task, agents: names }, isCaughtUp),
    ]);
    return {
      ...now,
      task: row,
      lane,
      holds: held,
      agents: known,
      runs: [...runs, ...left],
      demands,
      lease,
      ready,
      blockers,
      lags,
      ...since,
    };
  }

  async demand(company: string, id: WakeupId): Promise<WakeupRow | undefined> {
    return (await this.demandRows(company, [id]))[0];
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
      from (
        select 0 as distance, 'company' as kind, ${company}::text as target
        union all
        select cardinality(way), 'task', task
        from above
      ) one
      join ${held} held on held.company = ${company} and held.kind = one.kind and held.target = one.target
      where held.kind = 'company'
        or held.subtree
        or held.target = ${task}
      order by distance`.execute(this.world.readModels.kysely);
    return rows;
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
}

/** What time it is by the ledger's clock, and who is there. */
export async function moment(readModels: ReadModels): Promise<Pick<Facts, 'now' | 'roles' | 'steadyRoles'>> {
  const { rows } = await sql<Pick<Facts, 'now' | 'roles' | 'steadyRoles'>>`
    select
      ledger_now() as now,
      array(
        select distinct unnest(roles)
        from processes
        where seen_at > clock_timestamp() - interval '15 s'
      ) as roles,
      array(
        select distinct unnest(roles)
        from processes
        where ${isSteady}
      ) as "steadyRoles"`.execute(readModels.kysely);
  return rows[0]!;
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

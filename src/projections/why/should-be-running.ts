import { sql, type RawBuilder } from 'kysely';
import { policyName } from '../../commands/routines/steps.js';
import { pause } from '../../pause.js';
import type { Position } from '../../events/event.js';
import type { EventStore } from '../../event-store/event-store.js';
import { agents } from '../agents.js';
import { dueRetries } from '../due-retries.js';
import { heldSql, type HeldSql } from '../held.js';
import { LogEnd } from '../log-end.js';
import type { ReadModels } from '../read-models.js';
import { readyRuns } from '../ready-runs.js';
import { routineFires } from '../routines/routine-fires.js';
import { runStatus } from '../run-status.js';
import { wakeupRequests } from '../wakeup-requests.js';
import { toleratedLag } from './of-pending-fire.js';
import { askedLatelyMs, doubtMs, unexplainedMs } from './queued.js';
import { startable } from './startable.js';
import { isSteady } from './steady.js';
import { lookAgainMs } from './why-queries.js';

/** Work that nothing has kept from being run for 10 s: a defect of the ledger, and so always none. */
export interface ShouldBeRunning {
  /** of each agent the first run that it would be given, of each lane the first retry that is due, demands, and fires */
  readonly count: number;
  readonly first?: Unexplained;
}

export interface UnexplainedWorld {
  readonly readModels: ReadModels;
  readonly store: Pick<EventStore, 'head' | 'count'>;
}

/** Counts them over the whole ledger; what it finds it looks for once more, because a hold or a lease may have ended just now. */
export async function shouldBeRunning(world: UnexplainedWorld): Promise<ShouldBeRunning> {
  const first = await unexplained(world);
  if (first.length === 0) return { count: 0 };
  await pause(lookAgainMs);
  const second = await unexplained(world);
  const lasting = second.filter((one) => first.some(({ company, id }) => company === one.company && id === one.id));
  return { count: lasting.length, ...(lasting[0] && { first: lasting[0] }) };
}

/** A run, or a demand where it has none, or a fire. */
interface Unexplained {
  readonly company: string;
  readonly id: string;
}

const most = 1_000;

/**
 * One look: what claims and promotion would take, and fires on their way, of which the rules of `queuedReasons`, `parkedReasons`
 * and `pendingReasons` explain nothing.
 */
export async function unexplained({ readModels, store }: UnexplainedWorld): Promise<Unexplained[]> {
  const held = await heldSql(readModels);
  const parts = [
    await neverGiven(readModels, held),
    await neverPromoted(readModels, held),
    await neverTakenUp(readModels),
    ...((await isBehind(readModels, store)) ? [] : [await neverSettled(readModels)]),
  ];
  const { rows } = await sql<Unexplained>`
    ${held.withHeld}
    select company, id
    from (${sql.join(parts, sql` union all `)}) unexplained
    limit ${most}`.execute(readModels.kysely);
  return rows;
}

const ms = (n: number): RawBuilder<unknown> => sql`${n} * interval '1 ms'`;

/** Of each agent whose workers ask in vain: the first run that one of them would be given. */
async function neverGiven(readModels: ReadModels, held: HeldSql): Promise<RawBuilder<unknown>> {
  const ready = await readModels.table(readyRuns);
  const known = await readModels.table(agents);
  return sql`(
    select agent.company, next.run_id as id
    from (
      select company, agent, max(asked_at) as asked_at
      from workers
      where asked_at > ledger_now() - ${ms(askedLatelyMs)}
      group by company, agent
    ) asking
    join ${known} agent using (company, agent)
    cross join lateral (
      select run_id, ready_at
      from ${ready} run
      where run.company = agent.company
        and run.agent = agent.agent
        and ${await startable(readModels, held, 'run')}
      order by rank, priority, ready_at, n
      limit 1
    ) next
    cross join lateral (select greatest(next.ready_at, agent.since, agent.last_run_at) as since) free
    where agent.status = 'active'
      and free.since < ledger_now() - ${ms(unexplainedMs)}
      and asking.asked_at > free.since + ${ms(doubtMs)}
      and (agent.policy ->> 'maxConcurrentRuns')::int > (
        select count(*)
        from lane_leases lease
        where lease.company = agent.company
          and lease.agent = agent.agent
      )
  )`;
}

/** Of each lane on which a retry is due that nothing holds: the first, while somebody promotes. */
async function neverPromoted(readModels: ReadModels, { isLaneHeld, isAgentHeld }: HeldSql): Promise<RawBuilder<unknown>> {
  const due = await readModels.table(dueRetries);
  return sql`(
    select lane.company, parked.run ->> 'runId' as id
    from ${due} lane
    cross join lateral (
      select run
      from jsonb_array_elements(lane.parked) run
      where (run ->> 'dueAt')::timestamptz < ledger_now() - ${ms(unexplainedMs)}
        and not ${isAgentHeld(sql.ref('lane.company'), sql`run ->> 'agent'`)}
      limit 1
    ) parked
    where lane.due_at < ledger_now() - ${ms(unexplainedMs)}
      and not ${isLaneHeld(sql.ref('lane.company'), sql.ref('lane.task'))}
      and exists (
        select
        from processes
        where 'promoter' = any(roles)
          and ${isSteady}
      )
    limit ${most}
  )`;
}

/** Demands that wait for the end of a run, and no run of their agent is at work on their lane. */
async function neverTakenUp(readModels: ReadModels): Promise<RawBuilder<unknown>> {
  const demands = await readModels.table(wakeupRequests);
  const runs = await readModels.table(runStatus);
  return sql`(
    select demand.company, demand.wakeup_id::text as id
    from ${demands} demand
    where demand.status = 'deferred'
      and demand.requested_at < ledger_now() - ${ms(unexplainedMs)}
      and not exists (
        select
        from ${runs} running
        where running.company = demand.company
          and running.task = demand.task
          and running.agent = demand.agent
          and running.status = 'running'
      )
    limit ${most}
  )`;
}

/** The policy that goes with fires has not begun yet, or has more of the log before it than it should. */
async function isBehind(readModels: ReadModels, store: UnexplainedWorld['store']): Promise<boolean> {
  const end = await LogEnd.of(store);
  const { rows } = await sql<{ position: Position }>`
    select position
    from policy_checkpoints
    where policy = ${policyName}
      and position <> ''`.execute(readModels.kysely);
  return !rows[0] || (await end.behind(rows[0].position)) > toleratedLag;
}

/** Fires that nobody goes with to their task, while the policy that would does, and has not tried in vain. */
async function neverSettled(readModels: ReadModels): Promise<RawBuilder<unknown>> {
  const fires = await readModels.table(routineFires);
  return sql`(
    select fire.company, fire.fire as id
    from ${fires} fire
    where fire.outcome = 'pending'
      and fire.fired_at < ledger_now() - ${ms(unexplainedMs)}
      and exists (
        select
        from processes
        where 'policies' = any(roles)
          and ${isSteady}
      )
      and not exists (
        select
        from parked_reactions parked
        where parked.policy = ${policyName}
          and parked.stream in ('routine-' || fire.company || '.' || fire.routine, 'task-' || fire.company || '.' || fire.task)
      )
    limit ${most}
  )`;
}

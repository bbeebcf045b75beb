import { sql } from 'kysely';
import {
  agentStream,
  companyStream,
  routineStream,
  taskStream,
  type AgentId,
  type RoutineId,
  type StreamId,
  type TaskId,
} from '../../events/event.js';
import type { EventStore } from '../../event-store/event-store.js';
import { agents } from '../agents.js';
import { dueRetries } from '../due-retries.js';
import { holds } from '../holds.js';
import { ProjectionBehind, type Progress } from '../projector/progress.js';
import type { ReadModels } from '../read-models.js';
import { readyRuns } from '../ready-runs.js';
import { routineFires } from '../routines/routine-fires.js';
import { routines } from '../routines/routines.js';
import { runStatus } from '../run-status.js';
import { tasks } from '../tasks.js';
import { wakeupRequests } from '../wakeup-requests.js';
import type { LagFact } from './facts.js';

interface World {
  readonly readModels: ReadModels;
  readonly progress: Pick<Progress, 'reached'>;
  readonly store: Pick<EventStore, 'head'>;
}

/** What the facts come from, and what claims and promotion start from. */
const asked = [runStatus, tasks, wakeupRequests, agents, holds, readyRuns, dueRetries].map(({ name }) => name);
/** What the facts of a fire come from. */
export const askedOfFires = [routines, routineFires].map(({ name }) => name);
/** Who asks is not to wait longer for read models that do not get on. */
const patienceMs = 1_000;

/** Waits a little for the read models; false when they do not come up to the head of the log by then. */
export async function caughtUp({ progress, store }: World, names = asked): Promise<boolean> {
  try {
    await progress.reached(names, await store.head(), patienceMs);
    return true;
  } catch (error) {
    if (error instanceof ProjectionBehind) return false;
    throw error;
  }
}

interface Around {
  readonly company: string;
  readonly task: TaskId;
  readonly agents: readonly AgentId[];
}

/** Read models that are behind, unless they have just been seen to be `isCaughtUp`; and those that could not fold one of these streams. */
export function lagFacts(world: World, around: Around, isCaughtUp: boolean): Promise<LagFact[]> {
  const { company, task } = around;
  const ofAgents = around.agents.map((agent) => agentStream(company, agent));
  return lagsOf(world, asked, [taskStream(company, task), companyStream(company), ...ofAgents], isCaughtUp);
}

/** The same of what the facts of a fire come from. */
export const fireLagFacts = (world: World, company: string, routine: RoutineId, isCaughtUp: boolean): Promise<LagFact[]> =>
  lagsOf(world, askedOfFires, [routineStream(company, routine)], isCaughtUp);

async function lagsOf(
  { readModels, store }: World,
  projections: readonly string[],
  streams: readonly StreamId[],
  isCaughtUp: boolean,
): Promise<LagFact[]> {
  const head = await store.head();
  const names = await Promise.all(projections.map((name) => readModels.nameOf(name)));
  const { rows } = await sql<LagFact>`
    select
      projection,
      coalesce(parked.position, checkpoint.position) as position,
      ${head} as head,
      coalesce(parked.parked_at, checkpoint.moved_at) as "movedAt",
      coalesce(parked.error, checkpoint.halted) as trouble,
      parked.stream
    from checkpoints checkpoint
    left join parked_streams parked on parked.read_model = checkpoint.read_model and parked.stream = any(${streams}::text[])
    where checkpoint.read_model = any(${names}::text[])
      and (parked.stream is not null or (not ${isCaughtUp}::boolean and checkpoint.position < ${head}))
    order by projection`.execute(readModels.kysely);
  return rows;
}

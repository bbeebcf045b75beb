import { sql } from 'kysely';
import { policyName } from '../../commands/routines/steps.js';
import { routineStream, taskStream, type RoutineId } from '../../events/event.js';
import type { FireId } from '../../events/routine.js';
import { LogEnd } from '../log-end.js';
import type { ReadModels } from '../read-models.js';
import { fireRows } from '../routines/fire-queries.js';
import type { FireRow } from '../routines/routine-fires.js';
import { routineRow } from '../routines/routine-queries.js';
import type { FireFacts, ParkedStep, PolicyFact } from './facts.js';
import { moment, type WhyWorld } from './gather.js';
import { fireLagFacts } from './gather-lags.js';

/** All facts that explain one fire; undefined without one. */
export async function fireFacts(
  world: WhyWorld,
  company: string,
  routine: RoutineId,
  id: FireId,
  isCaughtUp: boolean,
): Promise<FireFacts | undefined> {
  const { readModels } = world;
  const [[fire], row] = await Promise.all([
    fireRows(readModels, company, routine, [id]),
    routineRow(readModels, company, routine),
  ]);
  if (!fire || !row) return undefined;
  const { coalesced_into: into } = fire;
  const [[lead], parked, policy, now, lags] = await Promise.all([
    fireRows(readModels, company, routine, into === null ? [] : [into]),
    parkedStep(readModels, fire),
    progressOf(world),
    moment(readModels),
    fireLagFacts(world, company, routine, isCaughtUp),
  ]);
  return { fire, routine: row, lead, parked, policy, ...now, lags };
}

/** The first on the way of the fire to its task and back. */
async function parkedStep(readModels: ReadModels, { company, routine, task, outcome }: FireRow): Promise<ParkedStep | undefined> {
  if (outcome !== 'pending') return undefined;
  const streams = [routineStream(company, routine), ...(task === null ? [] : [taskStream(company, task)])];
  const { rows } = await sql<ParkedStep>`
    select stream, command, error, parked_at as "parkedAt"
    from parked_reactions
    where policy = ${policyName}
      and stream = any(${streams}::text[])
    order by position, n
    limit 1`.execute(readModels.kysely);
  return rows[0];
}

async function progressOf({ readModels, store }: WhyWorld): Promise<PolicyFact | undefined> {
  const end = await LogEnd.of(store);
  const { rows } = await sql<Pick<PolicyFact, 'position' | 'movedAt'>>`
    select position, moved_at as "movedAt"
    from policy_checkpoints
    where policy = ${policyName}`.execute(readModels.kysely);
  return rows[0] && { ...rows[0], head: end.head, lag: await end.behind(rows[0].position) };
}

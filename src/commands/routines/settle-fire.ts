import { fireOfTask, numberOfFire, type AgentId } from '../../events/event.js';
import type { PendingFire, Routine, RoutineEvent } from '../../events/routine.js';
import { decision, type World } from '../decider.js';
import { Exact, FireId, OneOf, OptionalOrNull, RunId, Slug, TaskId, Uuid } from '../fields.js';
import { taskFor } from './order.js';
import { ofRoutine } from './routine.js';

const ways = ['opened', 'woken', 'skipped', 'closed'] as const;

/** What its task has made of a fire is recorded as its outcome; where the task was closed, the fire goes on to another. */
export class SettleFire {
  @Slug() company!: string;
  @Slug() routine!: string;
  @FireId() fire!: string;
  @TaskId() task!: string;
  @OneOf(ways) how!: (typeof ways)[number];
  @OptionalOrNull() @Uuid() wakeupId?: string | null;
  @OptionalOrNull() @RunId() runId?: string | null;
  @OptionalOrNull() @Exact(200) code?: string | null;
}

export const settleFire = decision({
  command: SettleFire,
  ...ofRoutine,
  decide(command: SettleFire, routine: Routine | undefined, world: World): RoutineEvent[] {
    const pending = routine?.pending.find(({ fire }) => fire === command.fire);
    return routine && pending?.task === command.task ? [outcomeOf(command, routine, pending, world)] : [];
  },
  answer: ({ fire }, { events }) => ({ fire, settled: events.length > 0 }),
});

function outcomeOf(command: SettleFire, routine: Routine, pending: PendingFire, world: World): RoutineEvent {
  const { fire, task, how, wakeupId = null, runId: run = null, code = null } = command;
  const of = { routine: routine.routine, fire, task };
  const at = world.now.toISOString();
  if (how === 'closed') return redirected(command, routine, pending, world);
  if (code !== null && how === 'opened')
    return { type: 'FireFailed', data: { ...of, code, reason: refusalInWords(pending.agent, code), failedAt: at } };
  if (code !== null || wakeupId === null)
    return { type: 'FireSkipped', data: { ...of, code: code ?? 'task_active', skippedAt: at } };
  return how === 'opened'
    ? { type: 'FireCreated', data: { ...of, wakeupId, run, createdAt: at } }
    : { type: 'FireCoalesced', data: { ...of, into: fireOfTask(task), wakeupId, run, coalescedAt: at } };
}

/** The same work may have another task by now; by the rule that the fire came with, whatever the routine's is now. */
function redirected({ fire, task }: SettleFire, routine: Routine, pending: PendingFire, { now }: World): RoutineEvent {
  const { fire: _, fingerprint, ...order } = pending;
  const tasks = routine.tasks.filter((one) => one.task !== task);
  const next = taskFor({ ...routine, concurrency: order.concurrency, tasks }, fingerprint, numberOfFire(fire));
  const data = { routine: routine.routine, fire, from: task, order: { ...order, task: next }, redirectedAt: now.toISOString() };
  return { type: 'FireRedirected', data };
}

function refusalInWords(agent: AgentId, code: string): string {
  switch (code) {
    case 'agent_not_invokable':
      return `${agent} was terminated`;
    case 'wake_on_demand_disabled':
      return `${agent} is woken by the clock only: let it be woken on demand, then fire again`;
    default:
      return `${agent} was not woken: ${code}`;
  }
}

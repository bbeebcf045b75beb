import { fireTask, numberOfFire, type AgentId } from '../../events/event.js';
import { isClosed, taskPriorities, type FireTaken, type TaskPriority } from '../../events/task.js';
import { refusalKey, type Lane, type LaneEvent } from '../../events/lane.js';
import { concurrencyPolicies, type ConcurrencyPolicy } from '../../events/routine.js';
import { decision, type World } from '../decider.js';
import { FireId, FreeJson, OneOf, Slug, TaskId, Text } from '../fields.js';
import { bounded } from '../free-json.js';
import { ownAsk, refusal, takeIn } from '../intake.js';
import { after, knownAgent, ofTask } from '../lane.js';

/** A fire comes to its task: it opens the one of its own, or wakes whoever is to do one that is open. Once, however often. */
export class TakeFire {
  @Slug() company!: string;
  @TaskId() task!: string;
  @Slug() routine!: string;
  @FireId() fire!: string;
  @Slug() agent!: string;
  @OneOf(taskPriorities) priority!: TaskPriority;
  @OneOf(concurrencyPolicies) concurrency!: ConcurrencyPolicy;
  @Text(500) title!: string;
  @FreeJson() payload!: Record<string, unknown>;
}

export const takeFire = decision({
  command: TakeFire,
  ...ofTask,
  agents: ({ agent }, lane) => [agent, lane.assignee],
  decide(command: TakeFire, lane: Lane, world: World): LaneEvent[] {
    if (isOwn(command)) return lane.opened ? [] : open(command, lane, world);
    // The fire that is to open it has not come yet: this one comes again, after that.
    if (!lane.opened) return [];
    if (isClosed(lane.status)) return [taken(command, 'closed', nowhere, world)];
    if (command.concurrency === 'skip_if_active' && lane.open.length > 0)
      return [taken(command, 'skipped', { ...nowhere, code: 'task_active' }, world)];
    return wake(command, lane, world);
  },
  answer: (_, { events }) => ({ taken: events.find((event) => event.type === 'FireTaken')?.data }),
});

const isOwn = ({ task, routine, fire }: TakeFire): boolean => task === fireTask(routine, numberOfFire(fire));

function open(command: TakeFire, lane: Lane, world: World): LaneEvent[] {
  const { task, title, agent, priority } = command;
  const description = { title, priority, parent: null, labels: [] };
  const opened: LaneEvent = {
    type: 'TaskOpened',
    data: { task, kind: 'routine', status: 'todo', assignee: agent, ...description, openedAt: world.now.toISOString() },
  };
  return [opened, ...told(command, after(lane, [opened]), agent, 'opened', world)];
}

/** Its assignee, who need not be the fire's agent any more; what is nobody's becomes the agent's again. */
function wake(command: TakeFire, lane: Lane, world: World): LaneEvent[] {
  const { task, agent } = command;
  if (lane.assignee !== null || knownAgent(world, agent).status === 'terminated')
    return told(command, lane, lane.assignee ?? agent, 'woken', world);
  const given: LaneEvent = {
    type: 'TaskAssigned',
    data: { task, assignee: agent, previous: null, assignedAt: world.now.toISOString() },
  };
  return [given, ...told(command, after(lane, [given]), agent, 'woken', world)];
}

/** The demand with its disposition, and what the routine is to know of it. */
function told(command: TakeFire, lane: Lane, agent: AgentId, how: 'opened' | 'woken', world: World): LaneEvent[] {
  const ask = { ...ownAsk({ agent, mention: false }), reason: 'routine_fired', payload: bounded(command.payload) };
  const intake = takeIn(lane, ask, world, { explicit: false });
  const code = refusal(lane, ask, knownAgent(world, agent), false) ?? null;
  const first = code === null ? undefined : lane.refusals[refusalKey(agent, code)]?.wakeupId;
  return [...intake, taken(command, how, placeOf(intake, code, first), world)];
}

type Place = Pick<FireTaken['data'], 'wakeupId' | 'runId' | 'code'>;
const nowhere: Place = { wakeupId: null, runId: null, code: null };

/** Of two identical refusals within a minute the first alone is recorded; the other answers with its wakeup. */
function placeOf(intake: readonly LaneEvent[], code: string | null, first: string | undefined): Place {
  const demand = intake.find((event) => event.type === 'WakeupRequested');
  const run = intake.find((event) => event.type === 'RunQueued' || event.type === 'WakeupCoalesced');
  return { wakeupId: demand?.data.wakeupId ?? first ?? null, runId: run?.data.runId ?? null, code };
}

const taken = ({ task, routine, fire }: TakeFire, how: FireTaken['data']['how'], place: Place, { now }: World): LaneEvent => ({
  type: 'FireTaken',
  data: { task, routine, fire, how, ...place, takenAt: now.toISOString() },
});

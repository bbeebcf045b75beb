import type { AgentId } from '../events/event.js';
import { together, type Lane, type LaneEvent, type OpenRun } from '../events/lane.js';
import { cancelled, withdrawn } from './cancelling.js';
import { decision, type World } from './decider.js';
import { RunId, Slug, TaskId } from './fields.js';
import { holdsOn, ofHolds, sentenceOf, type Holding } from './gates.js';
import { after, knownAgent, ofRun, ofTask, openRun } from './lane.js';
import { endAndFollow } from './run.js';
import { runView } from './run-view.js';

/** A run that is running although it is held by now is handed back, if any of its holds asks for that. */
export class InterruptRun {
  @Slug() company!: string;
  @RunId() run!: string;
}

export const interruptRun = decision({
  command: InterruptRun,
  ...ofRun,
  ...ofHolds,
  atHead: true,
  decide(command: InterruptRun, lane: Lane, world: World): LaneEvent[] {
    const run = openRun(lane, command.run);
    const held = run?.status === 'running' ? holdsOn(lane, run, world).find(({ interrupt }) => interrupt) : undefined;
    if (!run || !held) return [];
    const code = codes[held.code];
    return code === 'agent_terminated'
      ? endWorkOf(run.agent, lane, world)
      : handBack(lane, run, world, { code, reason: `${held.said}: ${held.reason}` });
  },
  answer: ({ company, run }, outcome) => ({ run: runView(company, outcome, run) }),
});

/** What the end of a run says: an agent that takes no runs was paused by somebody. */
const codes = {
  agent_not_invokable: 'agent_paused',
  agent_terminated: 'agent_terminated',
  task_held: 'task_held',
  company_held: 'company_held',
} as const satisfies Record<Holding['code'], string>;

/** The same attempt waits from now on; its worker hears of it at its next beat, and keeps the lane until it has ended. */
export const handBack = (lane: Lane, run: OpenRun, world: World, why: { code: string; reason: string }): LaneEvent[] =>
  endAndFollow(lane, cancelled(run, world, { ...why, intent: 'requeue', wakeups: 'passed' }), world);

/** Whatever an agent that was terminated still has to do on a lane ends with it. */
export class EndAgentWork {
  @Slug() company!: string;
  @TaskId() task!: string;
  @Slug() agent!: string;
}

export const endAgentWork = decision({
  command: EndAgentWork,
  ...ofTask,
  agents: ({ agent }) => [agent],
  atHead: true,
  decide: ({ agent }: EndAgentWork, lane: Lane, world: World): LaneEvent[] =>
    knownAgent(world, agent).status === 'terminated' ? endWorkOf(agent, lane, world) : [],
  answer: ({ task, agent }, { events }) => ({ task, agent, ended: events.length }),
});

/** What waits goes first, so that nothing follows the end of the run. */
function endWorkOf(agent: AgentId, lane: Lane, world: World): LaneEvent[] {
  const code = 'agent_terminated';
  const why = { code, reason: sentenceOf(code, lane, agent) };
  const waiting = lane.waiting.filter((demand) => demand.agent === agent).flatMap(together);
  const withdrawals = waiting.map((demand) => withdrawn(demand, world, why));
  const rest = after(lane, withdrawals);
  const ends = rest.open
    .filter((run) => run.agent === agent)
    .flatMap((run) => endAndFollow(rest, cancelled(run, world, { ...why, intent: 'stop', wakeups: 'cancelled' }), world));
  return [...withdrawals, ...ends];
}

import { openBlockers, type EndedRun, type Lane, type LaneEvent } from '../events/lane.js';
import type { RecoveryEscalated } from '../events/run.js';
import { decision, type World } from './decider.js';
import { isToDo } from './end-of-run.js';
import { Slug, TaskId } from './fields.js';
import { demandOf, ownAsk, queuedFor, requested } from './intake.js';
import { knownAgent, movedTo, ofTask } from './lane.js';

/** Of work that failed: not begun yet, as far as its agent has said, or in the middle. */
export const recoveryCause = ({ status }: Lane): 'assignment_recovery' | 'continuation_recovery' =>
  status === 'in_progress' ? 'continuation_recovery' : 'assignment_recovery';

export const recoveryReasons = {
  assignment_recovery: 'issue_assignment_recovery',
  continuation_recovery: 'issue_continuation_needed',
} as const;

/** A person must act: the task is blocked until one does. `why` says what happened. */
export function escalated(
  lane: Lane,
  run: Pick<RecoveryEscalated['data'], 'runId' | 'agent'>,
  why: string,
  world: World,
  remedy = 'look at it, then set its status to todo, or assign it to another agent',
): LaneEvent[] {
  const said = `${why}: ${remedy}`;
  const { runId, agent } = run;
  return [
    { type: 'RecoveryEscalated', data: { runId, agent, why: said, escalatedAt: world.now.toISOString() } },
    movedTo(lane, 'blocked', said, world),
  ];
}

/**
 * The task looks as if nobody would take it up again: it is to be done, and nothing is open on it. What was stopped on purpose and what
 * succeeded need nothing; what failed is taken up once, and by a person if that did not help.
 */
export class RecoverTask {
  @Slug() company!: string;
  @TaskId() task!: string;
}

export const recoverTask = decision({
  command: RecoverTask,
  ...ofTask,
  agents: (_, lane) => [lane.assignee],
  atHead: true,
  decide(_: RecoverTask, lane: Lane, world: World): LaneEvent[] {
    const { assignee } = lane;
    if (assignee === null || !isStranded(lane)) return [];
    const last = lane.ended.findLast((run) => run.agent === assignee && !isTakenBack(run));
    if (knownAgent(world, assignee).status === 'terminated')
      return escalated(
        lane,
        last ?? { runId: null, agent: assignee },
        `${assignee} was terminated`,
        world,
        'assign it to another agent',
      );
    if (!last || !needsRecovery(last) || !knownAgent(world, assignee).policy.wakeOnDemand) return [];
    return lane.recovered
      ? escalated(lane, last, `${last.runId} ${howItEnded(last)}, and so did what was tried before it`, world)
      : takeUp(lane, last, world);
  },
  answer: ({ task }, { state, events }) => ({
    task,
    status: state.status,
    recovered: events.some(({ type }) => type === 'RunQueued'),
  }),
});

const isStranded = (lane: Lane): boolean =>
  lane.opened && isToDo(lane) && lane.open.length === 0 && lane.waiting.length === 0 && openBlockers(lane).length === 0;

/** What ended a run before its start has passed, since the task is to be done and its agent's: nobody means it to stop any more. */
const needsRecovery = ({ status, startedAt, code }: EndedRun): boolean =>
  status === 'failed' || status === 'timed_out' || (status === 'cancelled' && startedAt === null && passed.includes(code ?? ''));

const passed: readonly string[] = [
  'issue_dependencies_blocked',
  'issue_terminal_status',
  'issue_assignee_changed',
  'issue_reassigned',
  'issue_done',
  'issue_cancelled',
];

/** A run that went with the comment that it was about says nothing of the work that it had come in the place of. */
const isTakenBack = ({ code, startedAt }: EndedRun): boolean => code === 'comment_removed' && startedAt === null;

const howItEnded = ({ status, code }: EndedRun): string =>
  status === 'cancelled' ? `was not started (${code ?? 'cancelled'})` : `failed (${code ?? status})`;

function takeUp(lane: Lane, last: EndedRun, world: World): LaneEvent[] {
  const cause = recoveryCause(lane);
  const demand = demandOf(
    { ...ownAsk({ agent: last.agent, mention: false }), reason: recoveryReasons[cause], payload: { recovers: last.runId } },
    world,
  );
  return [requested(demand), queuedFor(lane, [demand], cause, world)];
}

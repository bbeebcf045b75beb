import { usualAgentReplies } from '../events/agent.js';
import type { Actor, AgentId, JsonObject } from '../events/event.js';
import { openBlockers, type Lane, type LaneEvent } from '../events/lane.js';
import { isClosed, type CommentId } from '../events/task.js';
import { Rejected, type World } from './decider.js';
import { sentenceOf } from './gates.js';
import { takeIn, type Ask } from './intake.js';
import { after, knownAgent, movedTo } from './lane.js';

/** A comment as it is decided on. */
export interface Said {
  readonly id: CommentId;
  readonly author: Actor;
  readonly body: string;
  /** all of them registered, each once */
  readonly mentions: readonly AgentId[];
  /** a person says it, or brings it in for another one */
  readonly outside: boolean;
  readonly reopen: boolean;
  readonly resume: boolean;
}

/**
 * What a person says on a task that is closed takes it up again if it is somebody's, and on one that is blocked if nothing blocks it any
 * more; where that is asked for, also a task that is nobody's.
 */
export function reopened(lane: Lane, { author, outside, reopen, resume }: Said, world: World): LaneEvent[] {
  const isAsked = reopen || resume || (outside && lane.assignee !== null);
  return isAsked && isToBeDoneAgain(lane) ? [movedTo(lane, 'todo', `${author.id} commented on it`, world)] : [];
}

const isToBeDoneAgain = (lane: Lane): boolean =>
  isClosed(lane.status) || (lane.status === 'blocked' && openBlockers(lane).length === 0);

export function refuseNoResumption(lane: Lane): void {
  const remedy = (code: 'issue_terminal_status' | 'issue_dependencies_blocked') => sentenceOf(code, lane, lane.assignee ?? '');
  if (lane.status === 'cancelled')
    throw new Rejected('issue_terminal_status', `${remedy('issue_terminal_status')}: reopen it instead of resuming it`);
  if (openBlockers(lane).length > 0)
    throw new Rejected(
      'issue_dependencies_blocked',
      `${remedy('issue_dependencies_blocked')}: close or remove these before it is resumed`,
    );
}

/** Every demand that a comment makes, taken in one after the other. `before` is the task as the author found it. */
export function wakesOf(lane: Lane, before: Lane, said: Said, world: World): LaneEvent[] {
  return asksOf(lane, before, said).reduce<LaneEvent[]>((events, ask, ordinal) => {
    const code = isLoop(before, said, ask.agent, world) ? 'comment_loop' : undefined;
    return [...events, ...takeIn(after(lane, events), ask, world, { explicit: false, ordinal, code })];
  }, []);
}

/** The assignee is woken as such, and not as one of those who are mentioned; nobody by what it says itself. */
function asksOf(lane: Lane, before: Lane, said: Said): Ask[] {
  const { assignee } = lane;
  const own = assignee !== null && !isClosed(lane.status) && !isAuthor(assignee, said) ? [assignee] : [];
  const others = said.mentions.filter((agent) => !own.includes(agent) && !isAuthor(agent, said));
  const reason = lane.status === before.status ? 'issue_commented' : 'issue_reopened_via_comment';
  return [
    ...own.map((agent) => ask(agent, reason, false, said)),
    ...others.map((agent) => ask(agent, 'issue_comment_mentioned', true, said)),
  ];
}

const isAuthor = (agent: AgentId, { author }: Said): boolean => author.type === 'agent' && author.id === agent;

function ask(agent: AgentId, reason: string, mention: boolean, { id, outside, resume }: Said): Ask {
  const payload: JsonObject = { commentIds: [id], ...(resume && { resumeIntent: true, followUpRequested: true }) };
  return { agent, source: 'automation', trigger: 'system', reason, payload, outside, mention, comment: true };
}

/** Agents that answer each other go on for ever, unless nobody is woken any more until a person speaks, or the task moves. */
function isLoop({ agentReplies }: Lane, { author }: Said, agent: AgentId, world: World): boolean {
  const { maxAgentReplies = usualAgentReplies } = knownAgent(world, agent).policy;
  return author.type === 'agent' && agentReplies >= maxAgentReplies;
}

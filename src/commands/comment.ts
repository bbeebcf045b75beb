import { IsArray, IsBoolean } from 'class-validator';
import { nameUuid, type Actor, type WakeupId } from '../events/event.js';
import { runningRun, type Comment, type Lane, type LaneEvent } from '../events/lane.js';
import type { CommentId } from '../events/task.js';
import { refuseNoResumption, reopened, wakesOf, type Said } from './comment-wakes.js';
import { withdrawals } from './comment-withdrawal.js';
import { decision, Rejected, type World } from './decider.js';
import { Exact, Nested, OneOf, Optional, Slug, TaskId, Text } from './fields.js';
import { handBack } from './interrupt.js';
import { after, ofTask, refuseUnopened } from './lane.js';
import { mentionsOf, namesIn } from './mentions.js';
import { taskAnswer } from './task-view.js';
import { wakeupOf } from './wakeup-view.js';

export class AuthorFields {
  @OneOf(['user', 'agent', 'system']) type!: Actor['type'];
  @Exact(200) id!: string;
}

/**
 * Something is said on a task, and whoever it concerns is woken in the same append: the assignee, and those who are mentioned, also by
 * `@name` in the body. A person's comment takes a task up again that is closed, or blocked by nothing any more.
 */
export class AddComment {
  @Slug() company!: string;
  @TaskId() task!: string;
  /** the sender's own name for it, a slug or a UUID: sent again, it adds nothing */
  @Optional() @Slug() commentId?: string;
  /** of a comment that was made elsewhere; without it, whoever sends the command */
  @Optional() @Nested(() => AuthorFields) author?: AuthorFields;
  @Optional() @Text(65_536) body?: string;
  @Optional() @IsArray() @Slug({ each: true }) mentions?: string[];
  /** the task is to be done again, also if nobody is assigned to it */
  @Optional() @IsBoolean() reopen?: boolean;
  /** the same; refused on a task that is cancelled, or still waits for another */
  @Optional() @IsBoolean() resume?: boolean;
  /** what runs on the task is stopped and done again with the comment */
  @Optional() @IsBoolean() interrupt?: boolean;
}

export const addComment = decision({
  command: AddComment,
  ...ofTask,
  agents: (command, lane) => [lane.assignee, runningRun(lane)?.agent ?? null, ...namesIn(command)],
  decide(command: AddComment, lane: Lane, world: World): LaneEvent[] {
    refuseUnopened(lane, command.task);
    if (known(lane, idOf(command, world.commandId))) return [];
    refuseForbidden(command, world);
    refuseEmpty(command);
    if (command.resume) refuseNoResumption(lane);
    return add(command, lane, world);
  },
  answer(command, outcome) {
    const addition = outcome.events.find((event) => event.type === 'CommentAdded');
    const id = addition?.data.commentId ?? idOf(command, outcome.world?.commandId ?? '');
    const comment = known(outcome.state, id);
    const wakeups = (comment?.wakeupIds ?? []).map((wakeup) => wakeupOf(outcome, wakeup));
    return { ...taskAnswer(command, outcome), comment: comment && commentView(comment), wakeups };
  },
});

const idOf = ({ commentId }: AddComment, commandId: string): CommentId => commentId ?? nameUuid('comment', commandId);

/** Among the last thousand. */
const known = (lane: Lane, id: CommentId): Comment | undefined => lane.comments.find((comment) => comment.id === id);

const commentView = ({ id, author, addedAt, removed }: Comment) => ({ id, author, addedAt, removed });

function add(command: AddComment, lane: Lane, world: World): LaneEvent[] {
  const said = saidIn(command, world);
  const reopening = reopened(lane, said, world);
  const wakes = wakesOf(after(lane, reopening), lane, said, world);
  const wakeupIds = wakes.flatMap((event) => (event.type === 'WakeupRequested' ? [event.data.wakeupId] : []));
  const events: LaneEvent[] = [added(lane, said, wakeupIds, world), ...reopening, ...wakes];
  return command.interrupt ? [...events, ...interrupted(after(lane, events), said, world)] : events;
}

function saidIn(command: AddComment, world: World): Said {
  const { body = '', author = world.actor, reopen = false, resume = false } = command;
  const outside = author.type === 'user' && world.actor.type === 'user';
  const mentions = mentionsOf(command, world);
  return { id: idOf(command, world.commandId), author, body, mentions, outside, reopen, resume };
}

function added(lane: Lane, { id: commentId, author, body, mentions }: Said, wakeupIds: WakeupId[], { now }: World): LaneEvent {
  const { type, id } = author;
  const data = { task: lane.task, commentId, author: { type, id }, body, mentions, wakeupIds };
  return { type: 'CommentAdded', data: { ...data, addedAt: now.toISOString() } };
}

/** Behind the wakes, so that the demand of the same agent has waited and joins what is done again. */
function interrupted(lane: Lane, { author }: Said, world: World): LaneEvent[] {
  const run = runningRun(lane);
  return run ? handBack(lane, run, world, { code: 'interrupted', reason: `interrupted by a comment of ${author.id}` }) : [];
}

function refuseForbidden({ author, reopen, resume, interrupt }: AddComment, { actor }: World): void {
  if (actor.type === 'user') return;
  const asked = Object.entries({ reopen, resume, interrupt }).find(([, wanted]) => wanted)?.[0];
  if (asked) throw new Rejected('not_permitted', `${actor.type} ${actor.id} may not ${asked} a task by a comment; a person may`);
  if (author && !isSame(author, actor))
    throw new Rejected('not_permitted', `${actor.type} ${actor.id} may not comment as ${author.id}; leave the author out`);
}

const isSame = (one: Actor, other: Actor): boolean => one.type === other.type && one.id === other.id;

function refuseEmpty({ body = '', mentions = [], reopen, resume, interrupt, task }: AddComment): void {
  if (body.trim() === '' && mentions.length === 0 && !reopen && !resume && !interrupt)
    throw new Rejected(
      'data_refused',
      `the comment on ${task} says nothing: give it a body, mentions, reopen, resume or interrupt`,
    );
}

/** A comment is taken back: whoever has not been told of it yet never is. */
export class RemoveComment {
  @Slug() company!: string;
  @TaskId() task!: string;
  @Slug() comment!: string;
}

export const removeComment = decision({
  command: RemoveComment,
  ...ofTask,
  decide({ task, comment: id }: RemoveComment, lane: Lane, world: World): LaneEvent[] {
    refuseUnopened(lane, task);
    const comment = known(lane, id);
    if (!comment)
      throw new Rejected('comment_not_found', `there is no comment ${id} among the last ${lane.comments.length} on ${task}`);
    refuseOthers(comment, world);
    return comment.removed ? [] : withdrawals(lane, comment, world);
  },
  answer(command, outcome) {
    const wakeups = outcome.events.flatMap(({ type, data }) => {
      if (type === 'WakeupCancelled') return [data.wakeupId];
      return type === 'RunCancelled' ? data.wakeupIds : [];
    });
    return { ...taskAnswer(command, outcome), comment: { id: command.comment, removed: true }, wakeups };
  },
});

function refuseOthers({ id, author }: Comment, { actor }: World): void {
  if (actor.type !== 'user' && !isSame(author, actor))
    throw new Rejected('not_permitted', `comment ${id} is ${author.id}'s: only its author or a person may remove it`);
}

import type { Actor, AgentId, TaskId } from '../events/event.js';
import type { CommentId } from '../events/task.js';
import { amend, create, projection } from './projection.js';

/** What somebody said on a task. Of one that was removed, all is kept but what it said. */
export interface CommentRow {
  readonly company: string;
  readonly task: TaskId;
  readonly comment_id: CommentId;
  readonly author_type: Actor['type'];
  readonly author_id: string;
  readonly body: string;
  readonly mentions: readonly AgentId[];
  readonly added_at: string;
  readonly removed_at: string | null;
  /** of the event that added it: comments of a task are in this order */
  readonly position: string;
}

export const comments = projection<CommentRow>({
  name: 'comments',
  version: 1,
  key: ['company', 'task', 'comment_id'],
  keyedBy: 'stream',
  on: {
    CommentAdded: ({ company, subject: task, position, data }) =>
      create([company, task, data.commentId], {
        company,
        task,
        comment_id: data.commentId,
        author_type: data.author.type,
        author_id: data.author.id,
        body: data.body,
        mentions: data.mentions,
        added_at: data.addedAt,
        removed_at: null,
        position,
      }),
    CommentRemoved: ({ company, subject, data: { commentId, removedAt } }) =>
      amend([company, subject, commentId], (comment) => ({ ...comment, body: '', removed_at: removedAt })),
  },
});

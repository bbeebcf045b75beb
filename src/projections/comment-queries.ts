import { beginning, type Actor, type AgentId, type Position, type TaskId } from '../events/event.js';
import type { CommentId } from '../events/task.js';
import { comments, type CommentRow } from './comments.js';
import { cursorAt, keyIn, limitOf, type Page, type PageRequest } from './paging.js';
import type { ReadModels } from './read-models.js';

/** A comment as every door shows it. */
export interface Comment {
  readonly id: CommentId;
  readonly company: string;
  readonly task: TaskId;
  readonly author: Actor;
  /** empty, if it was removed */
  readonly body: string;
  readonly mentions: readonly AgentId[];
  readonly addedAt: string;
  readonly removedAt?: string;
  /** of the event that added it */
  readonly position: Position;
}

export class CommentsQueries {
  constructor(private readonly readModels: ReadModels) {}

  /** Oldest first, as they are read. @throws InvalidCursor */
  async list(company: string, task: TaskId, page: PageRequest): Promise<Page<Comment>> {
    const db = await this.readModels.of(comments);
    const found = await db
      .selectFrom('comments')
      .selectAll()
      .where('company', '=', company)
      .where('task', '=', task)
      .where('position', '>', commentsAfter(page))
      .orderBy('position')
      .limit(limitOf(page) + 1)
      .execute();
    return commentPage(found, page);
  }
}

/** The position that a page begins after. @throws InvalidCursor */
export function commentsAfter({ cursor }: PageRequest): Position {
  const [after = beginning] = cursor === undefined ? [] : keyIn('comments', 1, cursor);
  return after;
}

/** Of the rows that come after the place of the page, present ones or those of the past. */
export function commentPage(rows: readonly CommentRow[], page: PageRequest): Page<Comment> {
  const limit = limitOf(page);
  const items = rows.slice(0, limit).map(shown);
  return { items, next: rows.length > limit ? cursorAt('comments', [items.at(-1)!.position]) : undefined };
}

const shown = (row: CommentRow): Comment => ({
  id: row.comment_id,
  company: row.company,
  task: row.task,
  author: { type: row.author_type, id: row.author_id },
  body: row.body,
  mentions: row.mentions,
  addedAt: row.added_at,
  removedAt: row.removed_at ?? undefined,
  position: row.position,
});

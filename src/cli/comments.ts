import type { Command } from 'commander';
import type { addComment, removeComment } from '../commands/comment.js';
import type { Comment } from '../projections/comment-queries.js';
import type { Page } from '../projections/paging.js';
import type { AnswerOf } from './client.js';
import { act, named, openDoor, surely, verb, type Door, type DoorOptions } from './door.js';
import { pageOptions, type PageOptions } from './options.js';
import { sayTime } from './times.js';

/** `tasks comment`, `tasks comments` and `tasks uncomment`. */
export function addTaskComments(tasks: Command): void {
  verb(tasks, 'comment <task> [text]', 'say something on it; its assignee is woken, and whoever is mentioned')
    .option('--mention <agent...>', 'wake them as well; @name in the text does the same')
    .option('--reopen', 'have it done again, should it be closed or blocked')
    .option('--resume', 'like --reopen, and what was begun is to be taken up')
    .option('--interrupt', 'do not let what runs come to its end first')
    .action((task: string, text: string | undefined, options: CommentOptions) => comment(openDoor(options), task, text, options));

  pageOptions(verb(tasks, 'comments <task>', 'what was said on it, oldest first')).action(
    (task: string, options: DoorOptions & PageOptions) => list(openDoor(options), task, options),
  );

  verb(tasks, 'uncomment <task> <comment>', 'take back a comment; whoever was not told yet is not told').action(
    (task: string, id: string, options: DoorOptions) => remove(openDoor(options), task, id),
  );
}

interface CommentOptions extends DoorOptions {
  mention?: string[];
  reopen?: true;
  resume?: true;
  interrupt?: true;
}

async function comment(
  door: Door,
  task: string,
  text: string | undefined,
  { mention: mentions, reopen, resume, interrupt }: CommentOptions,
): Promise<void> {
  const said = { body: text, mentions, reopen, resume, interrupt };
  const { id, body } = await act<AnswerOf<typeof addComment>>(door, 'tasks', task, 'comments', said);
  const woken = body.wakeups.map(({ agent, status, run, code }) => `${agent} (${run ?? code ?? status})`);
  door.output.did(
    body,
    `${body.comment?.id ?? 'it'} is said on ${id}; ${woken.length > 0 ? `wakes ${woken.join(', ')}` : 'wakes nobody'}`,
  );
}

async function list({ client, output }: Door, task: string, { limit, cursor }: PageOptions): Promise<void> {
  const page = await named(client, 'tasks', task, (id) =>
    client.get<Page<Comment>>(['tasks', id, 'comments'], { limit, cursor }),
  );
  output.list(page, [
    ['time', ({ addedAt }) => sayTime(addedAt)],
    ['comment', ({ id }) => id],
    ['by', ({ author }) => `${author.type}:${author.id}`],
    ['said', ({ body, removedAt }) => (removedAt ? '(taken back)' : body), 'wrapped'],
  ]);
}

async function remove({ client, output }: Door, task: string, comment: string): Promise<void> {
  const { body } = await surely(client, (key) =>
    client.delete<AnswerOf<typeof removeComment>>(['tasks', task, 'comments', comment], { key }),
  );
  output.did(body, `${comment} is taken back`);
}

import { Option, type Command } from 'commander';
import type { assignTask, setTaskStatus } from '../commands/task.js';
import { taskKinds, taskPriorities, taskStatuses } from '../events/task.js';
import type { Page } from '../projections/paging.js';
import type { Task } from '../projections/task-queries.js';
import { asOfOption, asOfQuery, inOption, type AsOfOptions, type InOptions } from './as-of.js';
import type { AnswerOf, Client } from './client.js';
import { addTaskBlockers } from './blockers.js';
import { addTaskComments } from './comments.js';
import { addTaskHolds } from './holds.js';
import { act, named, openDoor, surely, verb, type Door, type DoorOptions } from './door.js';
import { pageOptions, type PageOptions } from './options.js';
import { Problem, Usage } from './problem.js';

export function addTasks(program: Command): void {
  const tasks = program.command('tasks').description('lanes of work: what they are, whose they are, where they stand');

  inOption(pageOptions(verb(tasks, 'list', 'newest first')))
    .addOption(new Option('--status <status...>', 'only those').choices(taskStatuses))
    .option('--assignee <agent>')
    .action((options: ListOptions) => list(openDoor(options), options));

  asOfOption(verb(tasks, 'get <task>', 'one task')).action((task: string, options: DoorOptions & AsOfOptions) =>
    get(openDoor(options), task, options),
  );

  verb(tasks, 'set <task>', 'open a task, or change what is given of it')
    .option('--title <title>', 'needed to open one')
    .addOption(new Option('--kind <kind>', 'fixed from its opening on').choices(taskKinds))
    .addOption(new Option('--status <status>').choices(taskStatuses))
    .addOption(new Option('--priority <priority>').choices(taskPriorities))
    .option('--assignee <agent>', 'it is woken for it')
    .option('--parent <task>')
    .option('--label <label...>', 'in place of those it has')
    .action((task: string, options: SetOptions) => set(openDoor(options), task, options));

  verb(tasks, 'assign <task> [agent]', "make it an agent's, who is woken for it; without one, nobody's").action(
    (task: string, agent: string | undefined, options: DoorOptions) => assign(openDoor(options), task, agent),
  );

  verb(tasks, 'status <task> <status>', `move it: ${taskStatuses.join(', ')}`).action(
    (task: string, status: string, options: DoorOptions) => move(openDoor(options), task, status),
  );

  addTaskComments(tasks);
  addTaskBlockers(tasks);
  addTaskHolds(tasks);
}

interface ListOptions extends DoorOptions, PageOptions, InOptions {
  status?: string[];
  assignee?: string;
}

interface SetOptions extends DoorOptions {
  title?: string;
  kind?: string;
  status?: string;
  priority?: string;
  assignee?: string;
  parent?: string;
  label?: string[];
}

async function list({ client, output }: Door, { status, assignee, limit, cursor, in: schema }: ListOptions): Promise<void> {
  output.list(await client.get<Page<Task>>(['tasks'], { status, assignee, limit, cursor, in: schema }), [
    ['task', (task) => task.id],
    ['kind', (task) => task.kind],
    ['status', (task) => task.status],
    ['priority', (task) => task.priority],
    ['assignee', (task) => task.assignee],
    ['title', (task) => task.title],
  ]);
}

async function get({ client, output }: Door, task: string, when: AsOfOptions): Promise<void> {
  output.one(await named(client, 'tasks', task, (id) => client.get<Task>(['tasks', id], asOfQuery(when))), (one) => [
    ['task', one.id],
    ['title', one.title],
    ['kind', one.kind],
    ['status', one.status],
    ['priority', one.priority],
    ['assignee', one.assignee],
    ['why', one.why],
    ['held', one.held && (one.held.subtree ? `with all below it: ${one.held.reason}` : one.held.reason)],
    [
      'waits for',
      one.blockedBy
        .filter(({ open }) => open)
        .map((blocker) => blocker.task)
        .join(', '),
    ],
    ['parent', one.parent],
    ['labels', one.labels?.join(', ')],
  ]);
}

async function set({ client, output }: Door, task: string, options: SetOptions): Promise<void> {
  const { kind, status, priority, assignee, parent, label: labels } = options;
  const title = options.title ?? (await titleOf(client, task));
  const { body } = await surely(client, (key) =>
    client.put<Task>(['tasks', task], { title, kind, status, priority, assignee, parent, labels }, { key }),
  );
  output.did(body, `${task} is set`);
}

async function titleOf(client: Client, task: string): Promise<string> {
  try {
    return (await client.get<Task>(['tasks', task])).title;
  } catch (error) {
    if (error instanceof Problem && error.status === 404)
      throw new Usage(`there is no task ${task} yet: give --title to open it`);
    throw error;
  }
}

async function assign(door: Door, task: string, agent: string | undefined): Promise<void> {
  const { id, body } = await act<AnswerOf<typeof assignTask>>(door, 'tasks', task, 'assign', { agent: agent ?? null });
  door.output.did(body, `${id} is ${agent ?? 'nobody'}'s`);
}

async function move(door: Door, task: string, status: string): Promise<void> {
  const { id, body } = await act<AnswerOf<typeof setTaskStatus>>(door, 'tasks', task, 'status', { status });
  door.output.did(body, `${id} is ${status}`);
}

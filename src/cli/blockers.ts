import type { Command } from 'commander';
import type { setBlockers } from '../commands/blockers.js';
import { openBlockers } from '../events/lane.js';
import type { BlockerGraph, GraphNode, TreeNode } from '../projections/blocker-graph.js';
import type { AnswerOf } from './client.js';
import { act, named, openDoor, verb, type Door, type DoorOptions } from './door.js';
import type { Column } from './table.js';

/** `tasks block`, `tasks blockers` and `tasks tree`. */
export function addTaskBlockers(tasks: Command): void {
  verb(tasks, 'block <task> [blocker...]', 'wait for these tasks, and no others; without one, for none').action(
    (task: string, blockers: string[], options: DoorOptions) => block(openDoor(options), task, blockers),
  );

  verb(tasks, 'blockers <task>', 'what it waits for, what waits for it, and what is stalled').action(
    (task: string, options: DoorOptions) => graph(openDoor(options), task),
  );

  verb(tasks, 'tree <task>', 'the task and those below it').action((task: string, options: DoorOptions) =>
    tree(openDoor(options), task),
  );
}

async function block(door: Door, task: string, blockedBy: readonly string[]): Promise<void> {
  const { id, body } = await act<AnswerOf<typeof setBlockers>>(door, 'tasks', task, 'blockers', { blockedBy });
  door.output.did(body, `${id} waits for ${blockedBy.length > 0 ? blockedBy.join(', ') : 'no other task'}`);
}

async function graph({ client, output }: Door, task: string): Promise<void> {
  const { nodes } = await named(client, 'tasks', task, (id) => client.get<BlockerGraph>(['tasks', id, 'blockers']));
  output.list({ items: nodes }, [['task', (node) => `${wayTo(node)}${node.task}`], ...columns]);
}

/** What it waits for is above it, what waits for it below. */
const wayTo = ({ depth }: GraphNode): string => (depth === 0 ? '' : `${(depth > 0 ? '↑' : '↓').repeat(Math.abs(depth))} `);

async function tree({ client, output }: Door, task: string): Promise<void> {
  const { nodes } = await named(client, 'tasks', task, (id) => client.get<{ nodes: TreeNode[] }>(['tasks', id, 'tree']));
  output.list({ items: nodes }, [['task', (node) => `${'  '.repeat(node.depth)}${node.task}`], ...columns]);
}

const columns: readonly Column<GraphNode>[] = [
  ['status', ({ status }) => status],
  ['assignee', ({ assignee }) => assignee],
  ['waits for', ({ blockedBy: blockers }) => openBlockers({ blockers }).join(', ')],
  ['title', ({ title }) => title],
  ['stalled', ({ stalled }) => stalled?.sentence, 'wrapped'],
];

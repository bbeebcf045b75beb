import type { Command } from 'commander';
import type { setBlockers } from '../commands/blockers.js';
import type { AnswerOf } from './client.js';
import { act, openDoor, verb, type Door, type DoorOptions } from './door.js';

export function addTaskBlockers(tasks: Command): void {
  verb(tasks, 'block <task> [blocker...]', 'wait for these tasks, and no others; without one, for none').action(
    (task: string, blockers: string[], options: DoorOptions) => block(openDoor(options), task, blockers),
  );
}

async function block(door: Door, task: string, blockedBy: readonly string[]): Promise<void> {
  const { id, body } = await act<AnswerOf<typeof setBlockers>>(door, 'tasks', task, 'blockers', { blockedBy });
  door.output.did(body, `${id} waits for ${blockedBy.length > 0 ? blockedBy.join(', ') : 'no other task'}`);
}

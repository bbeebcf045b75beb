import type { Command } from 'commander';
import type { Recorded } from '../events/event.js';
import { named, openDoor, pages, verb, type Door, type DoorOptions } from './door.js';
import { Usage } from './problem.js';
import { storyColumns } from './story.js';

export function addReplay(program: Command): void {
  verb(program, 'replay <task|run>', 'the whole story of a task or a run: each event, when, by whom, and what it says')
    .option('--at <time|position>', 'as it was then: an ISO time, or a position of the log')
    .option('--json', 'the same as -o json')
    .action((id: string, options: ReplayOptions) => {
      const door = openDoor({ ...options, output: options.output ?? (options.json ? 'json' : undefined) });
      return replay(door, id, until(options.at));
    });
}

interface ReplayOptions extends DoorOptions {
  at?: string;
  json?: boolean;
}

async function replay({ client, output }: Door, id: string, isBefore: (fact: Recorded) => boolean): Promise<void> {
  const kind = isRun(id) ? 'runs' : 'tasks';
  const facts = await named(client, kind, id, async (whole) => {
    const told: Recorded[] = [];
    for await (const fact of pages<Recorded>(client, [kind, whole, 'events'])) {
      if (!isBefore(fact)) break;
      told.push(fact);
    }
    return told;
  });
  output.list({ items: facts }, storyColumns);
}

/** `<task>.<n>`; a task has no dot in its name. */
const isRun = (id: string): boolean => id.includes('.');

function until(at: string | undefined): (fact: Recorded) => boolean {
  if (at === undefined) return () => true;
  if (!at.includes('-')) return ({ position }) => Number(position) <= wholePosition(at);
  const time = Date.parse(at);
  if (Number.isNaN(time))
    throw new Usage(`--at ${at} is neither a time nor a position: give an ISO time such as 2026-04-20T12:00:00Z`);
  return ({ recordedAt }) => Date.parse(recordedAt) <= time;
}

function wholePosition(at: string): number {
  if (!/^\d+$/.test(at)) throw new Usage(`--at ${at} is neither a time nor a position: take a position from replay -o json`);
  return Number(at);
}

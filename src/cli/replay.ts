import type { Command } from 'commander';
import { positionInWords } from '../events/positions.js';
import type { Replay, ReplayedEvent } from '../projections/replay/replay-queries.js';
import { differencesInWords, stateInWords } from '../projections/replay/difference-in-words.js';
import { named, openDoor, verb, type Door, type DoorOptions } from './door.js';
import { plain, type Column } from './table.js';
import { sayTime } from './times.js';

export function addReplay(program: Command): void {
  verb(
    program,
    'replay <task|run>',
    'the whole story of a task or a run: each event, when, by whom, what led to it, what it says and what it changed; ' +
      'and what held its agents meanwhile',
  )
    .option('--at <time|position>', 'until then, and how it stood: an ISO time, or a position of the log')
    .option('--json', 'the same as -o json')
    .action((id: string, options: ReplayOptions) => {
      const door = openDoor({ ...options, output: options.output ?? (options.json ? 'json' : undefined) });
      return replay(door, id, options.at);
    });
}

interface ReplayOptions extends DoorOptions {
  at?: string;
  json?: boolean;
}

async function replay({ client, output }: Door, id: string, at: string | undefined): Promise<void> {
  const kind = isRun(id) ? 'runs' : 'tasks';
  const told = await named(client, kind, id, async (whole) => {
    const items: ReplayedEvent[] = [];
    for (let cursor: string | undefined; ;) {
      const page = await client.get<Replay>([kind, whole, 'replay'], { at, cursor, limit: mostOfAPage });
      items.push(...page.items);
      if (!page.next) return { items, state: page.state };
      cursor = page.next;
    }
  });
  output.list(told, columns);
  if (output.format !== 'table' || at === undefined) return;
  output.line(`\nAs of ${at}:`);
  for (const line of stateInWords(told.state ?? {})) output.line(plain(line));
}

/** As much as a page can have: a story is seldom longer. */
const mostOfAPage = 10_000;

const columns: readonly Column<ReplayedEvent>[] = [
  ['time', ({ recordedAt }) => sayTime(recordedAt)],
  ['position', ({ position }) => positionInWords(position)],
  ['event', ({ type }) => type],
  ['by', ({ metadata: { actor } }) => `${actor.type}:${actor.id}`],
  ['what', (event) => event.sentence + ledTo(event) + changed(event), 'wrapped'],
];

/** Where it is not simply what somebody asked for. */
const ledTo = ({ cause }: ReplayedEvent): string => (cause.kind === 'command' ? '' : ` (${cause.sentence})`);

function changed({ changes }: ReplayedEvent): string {
  const words = differencesInWords(changes);
  return words && ` · ${words}`;
}

/** `<task>.<n>`; a task has no dot in its name. */
const isRun = (id: string): boolean => id.includes('.');

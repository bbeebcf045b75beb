import type { Command } from 'commander';
import type { Reason, Why } from '../projections/why/reason.js';
import { named, openDoor, verb, type Door, type DoorOptions } from './door.js';
import { Problem } from './problem.js';
import type { Column } from './table.js';
import { sayDue, sayTime } from './times.js';

export function addWhy(program: Command): void {
  verb(
    program,
    'why <run|task|wakeup>',
    'why it stands where it stands: what keeps it, who clears that, and by which command',
  ).action((id: string, options: DoorOptions) => whyAny(openDoor(options), id));
}

type Kind = 'runs' | 'tasks' | 'wakeups';

/** `ledger runs why`, `ledger wakeups why`. */
export function addWhyOf(parent: Command, kind: Kind, usage: string): void {
  verb(parent, `why <${usage}>`, 'why it stands where it stands').action((id: string, options: DoorOptions) =>
    why(openDoor(options), kind, id),
  );
}

async function why({ client, output }: Door, kind: Kind, id: string): Promise<void> {
  const told = await named(client, kind, id, async (whole) => ({
    whole,
    answer: await client.get<Why>([kind, whole, 'why']),
  }));
  const { status, reasons, more } = told.answer;
  if (output.format !== 'table') return output.did(told.answer, '');
  output.line(`${told.whole} is ${status}`);
  output.list({ items: reasons }, columns);
  if (more) output.note(`and ${more} more`);
}

const columns: readonly Column<Reason>[] = [
  ['code', ({ code }) => code],
  ['since', ({ since }) => sayTime(since)],
  ['clears', ({ clearsAt, clearedBy }) => (clearsAt ? sayDue(clearsAt) : clearedBy)],
  ['why', ({ sentence, action }) => (action ? `${sentence} → ${action}` : sentence), 'wrapped'],
];

/**
 * By the form of the id; a short one of hexadecimal digits may be the beginning of a wakeup's, or a task's name. Of what is neither, the
 * answer is that there is none, and not that it could not be the other.
 */
async function whyAny(door: Door, id: string): Promise<void> {
  const [first, second] = kindsOf(id);
  try {
    return await why(door, first, id);
  } catch (error) {
    if (!second || !isNone(error, 400, 404)) throw error;
    return why(door, second, id).catch((other: unknown) => {
      throw isNone(error, 404) && isNone(other, 400, 404) ? error : other;
    });
  }
}

const isNone = (error: unknown, ...statuses: readonly number[]): boolean =>
  error instanceof Problem && statuses.includes(error.status);

function kindsOf(id: string): readonly [Kind, Kind?] {
  if (id.includes('.')) return ['runs'];
  if (/^[0-9a-f]{8}-[0-9a-f-]*$/i.test(id)) return ['wakeups', 'tasks'];
  return /^[0-9a-f]{4,}$/i.test(id) ? ['tasks', 'wakeups'] : ['tasks'];
}

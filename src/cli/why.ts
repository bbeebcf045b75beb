import type { Command } from 'commander';
import type { Routine } from '../projections/routines/routine-queries.js';
import type { Reason, Why } from '../projections/why/reason.js';
import { named, openDoor, verb, type Door, type DoorOptions } from './door.js';
import type { Output } from './output.js';
import { Problem } from './problem.js';
import type { Column } from './table.js';
import { sayDue, sayTime } from './times.js';

export function addWhy(program: Command): void {
  verb(
    program,
    'why <run|task|wakeup|fire>',
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
  tell(output, told.whole, told.answer);
}

/** `<routine>@<n>`, where the beginning of the routine's name does. */
async function whyFire({ client, output }: Door, fire: string): Promise<void> {
  const at = fire.lastIndexOf('@');
  const { id: routine } = await named(client, 'routines', fire.slice(0, at), (id) => client.get<Routine>(['routines', id]));
  const whole = `${routine}${fire.slice(at)}`;
  tell(output, whole, await client.get<Why>(['routines', routine, 'fires', whole, 'why']));
}

function tell(output: Output, id: string, why: Why): void {
  if (output.format !== 'table') return output.did(why, '');
  output.line(`${id} is ${why.status}`);
  output.list({ items: why.reasons }, columns);
  if (why.more) output.note(`and ${why.more} more`);
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
  if (id.indexOf('@') > 0) return whyFire(door, id);
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

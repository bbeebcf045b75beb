import { InvalidArgumentError, Option, type Command } from 'commander';
import type { RoutineView } from '../../commands/routines/routine-view.js';
import { catchUpPolicies, concurrencyPolicies, gapPolicies, overlapPolicies, signings } from '../../events/routine.js';
import { taskPriorities } from '../../events/task.js';
import type { Routine } from '../../projections/routines/routine-queries.js';
import { asItIs, openDoor, surely, verb, type Door, type DoorOptions } from '../door.js';
import { duration } from '../options.js';
import { Usage } from '../problem.js';
import { changedBy, definitionIn, type Changes } from './definition.js';
import { jsonIn } from './input.js';
import { tellSecrets, type WithSecrets } from './secrets.js';
import { variable } from './variables.js';

export function addSetting(routines: Command): void {
  const set = verb(routines, 'set <routine>', 'define a routine, or change what is given of it')
    .option('--title <template>', 'of its tasks, needed to define one: {{name}} is a variable, {{date}} the day')
    .option('--description <template>', 'likewise')
    .option('--agent <agent>', 'who does it; without one it is paused')
    .addOption(new Option('--priority <priority>', 'of its tasks').choices(taskPriorities))
    .addOption(new Option('--concurrency <policy>', 'while the same work is open').choices(concurrencyPolicies))
    .addOption(new Option('--catch-up <policy>', 'of times that passed while no server ran').choices(catchUpPolicies))
    .option(
      '--variable <name:type...>',
      'branch:text=main, build:number!, stage:test|live=test; in place of those it has',
      variable,
    )
    .option(
      '--ignore <path...>',
      'of the payload, such as delivery.id: two fires that differ in it are the same work all the same',
    )
    .option('--spread <duration>', 'its times come up to so much later, each trigger by its own share', duration)
    .option('--active-from <time>', 'nothing is due before it, and fires that nobody asks for by hand are suppressed')
    .option('--active-until <time>', 'from it on, too')
    .option('--file <file>', 'the whole definition as JSON, in place of all other options; - is standard input');
  triggerOptions(set).action((routine: string, options: SetOptions) => define(openDoor(options), routine, options));
}

const triggerOptions = (command: Command): Command =>
  command
    .option('--cron <expression>', 'due by the clock, such as "0 9 * * mon-fri": its trigger `schedule`')
    .option('--no-cron', 'not due by the clock any more')
    .option('--zone <zone>', 'whose clock, such as Europe/Berlin; UTC without it')
    .addOption(new Option('--dst-gap <policy>', 'what is due in an hour that is skipped').choices(gapPolicies))
    .addOption(new Option('--dst-overlap <policy>', 'what is due in an hour that comes twice').choices(overlapPolicies))
    .option('--webhook [signing]', `a URL of its own: its trigger \`webhook\` (${signings.join(', ')})`, signing)
    .option('--no-webhook', 'no URL any more')
    .option('--window <duration>', 'how old a call may be that hmac_sha256 signs; 5m without it', duration)
    .option('--api', 'fired by whoever may call the API: its trigger `api`')
    .option('--no-api', 'not by them any more')
    .option('--enable <trigger...>', 'switch on')
    .option('--disable <trigger...>', 'switch off: its fires are suppressed');

function signing(text: string): string {
  if (signings.some((one) => one === text)) return text;
  throw new InvalidArgumentError(`"${text}" is no way to sign: give ${signings.join(', ')}.`);
}

interface SetOptions extends DoorOptions, Changes {
  file?: string;
}

async function define(door: Door, routine: string, { file, output: _, company: __, ...changes }: SetOptions): Promise<void> {
  const { client, output } = door;
  if (file !== undefined && Object.keys(changes).length > 0)
    throw new Usage('--file is the whole definition: write into it what the other options say');
  const { before, etag } = await asItIs<Routine>(client, ['routines', routine]);
  if (!before && !file && changes.title === undefined)
    throw new Usage(`there is no routine ${routine} yet: give --title to define it`);
  const body = file === undefined ? changedBy(changes, before) : definitionIn(jsonIn(file, '--file'));
  const { body: after } = await surely(client, (key) =>
    client.put<RoutineView & WithSecrets>(['routines', routine], body, { key, ifMatch: file === undefined ? etag : undefined }),
  );
  output.did(after, said(after, before));
  tellSecrets(door, after, before);
}

function said({ id, status, reason }: RoutineView, before: Routine | undefined): string {
  const done = `${id} is ${before ? 'changed' : 'defined'}`;
  if (status !== 'paused') return done;
  return before?.status === 'paused'
    ? `${done}, and still paused (${reason}): ledger routines resume ${id} lets it go on`
    : `${done}, and paused: ${reason}`;
}

import { Option, type Command } from 'commander';
import type { FireView } from '../../commands/routines/fire-view.js';
import type { Page } from '../../projections/paging.js';
import type { Fire } from '../../projections/routines/fire-queries.js';
import { fireOutcomes } from '../../projections/routines/routine-fires.js';
import { inOption, type InOptions } from '../as-of.js';
import { named, openDoor, surely, verb, type Door, type DoorOptions } from '../door.js';
import { pageOptions, type PageOptions } from '../options.js';
import { sayTime } from '../times.js';
import { inputOf, inputOptions, type InputOptions } from './input.js';

/** `fire` and `fires`. */
export function addFiring(routines: Command): void {
  inputOptions(verb(routines, 'fire <routine>', 'ask for its work now, also while it is paused'))
    .option('--trigger <trigger>', 'by this one, as an api trigger is meant to be; without it, by hand')
    .option('--agent <agent>', 'in place of its own')
    .option('--key <key>', 'the same key again is answered as the first time')
    .action((routine: string, options: FireOptions) => fire(openDoor(options), routine, options));

  const fires = verb(routines, 'fires <routine> [fire]', 'its fires, newest first, each with what came of it; or one of them');
  inOption(pageOptions(fires))
    .addOption(new Option('--outcome <outcome...>', 'only those').choices(fireOutcomes))
    .option('--trigger <trigger...>', 'only by those')
    .action((routine: string, fire: string | undefined, options: ListOptions) =>
      fire === undefined ? list(openDoor(options), routine, options) : get(openDoor(options), routine, fire, options),
    );
}

interface FireOptions extends DoorOptions, InputOptions {
  trigger?: string;
  agent?: string;
  key?: string;
}

interface ListOptions extends DoorOptions, PageOptions, InOptions {
  outcome?: string[];
  trigger?: string[];
}

async function fire({ client, output }: Door, routine: string, { trigger, agent, key, ...options }: FireOptions): Promise<void> {
  const asked = { trigger, agent, ...inputOf(options) };
  const { body } = await named(client, 'routines', routine, (id) =>
    surely(client, (random) => client.post<FireView>(['routines', id, 'fire'], asked, { key: key ?? random })),
  );
  output.did(body, cameOf(body));
}

function cameOf({ id, routine, outcome, code, reason, task, run, into }: FireView): string {
  switch (outcome) {
    case 'created':
      return `${id} has opened ${task}${run ? `, ${run} is queued` : ''}`;
    case 'coalesced':
      return `${id} has joined ${task}${into ? `, which ${into} opened` : ''}`;
    case 'pending':
      return `${id} is under way; look again with ledger routines fires ${routine}`;
    default:
      return `${id} ${outcome === 'failed' ? outcome : `is ${outcome}`}: ${[code, reason, task].filter(Boolean).join(', ')}`;
  }
}

async function list({ client, output }: Door, routine: string, { in: schema, ...options }: ListOptions): Promise<void> {
  const { limit, cursor, outcome, trigger } = options;
  const page = await named(client, 'routines', routine, (id) =>
    client.get<Page<Fire>>(['routines', id, 'fires'], { outcome, trigger, limit, cursor, in: schema }),
  );
  output.list(page, [
    ['fire', ({ id }) => id],
    ['fired', ({ firedAt }) => sayTime(firedAt)],
    ['by', ({ trigger: by, source }) => by ?? source],
    ['outcome', (one) => one.outcome],
    ['code', (one) => (one.count === undefined ? one.code : `${one.code} × ${one.count}`)],
    ['task', (one) => one.task],
    ['run', (one) => one.run],
    ['slot', slotsOf],
    ['concluded', ({ concluded }) => concluded && `${concluded.outcome} ${sayTime(concluded.at)}`],
  ]);
}

/** Of slots that were missed, the first and the last. */
const slotsOf = ({ slot, lastSlot }: Fire): string =>
  [...new Set([slot, lastSlot].filter(Boolean))].map((one) => sayTime(one)).join(' – ');

/** `3` is the third fire of the routine. */
async function get({ client, output }: Door, routine: string, fire: string, { in: schema }: InOptions): Promise<void> {
  const found = await named(client, 'routines', routine, (id) =>
    client.get<Fire>(['routines', id, 'fires', /^\d+$/.test(fire) ? `${id}@${fire}` : fire], { in: schema }),
  );
  output.one(found, (one) => [
    ['fire', one.id],
    ['fired', `${sayTime(one.firedAt)} by ${byWhat(one)}`],
    ['slot', slotsOf(one)],
    ['slots', one.count],
    ['outcome', one.outcome],
    ['code', one.code],
    ['reason', one.reason],
    ['task', one.task],
    ['run', one.run],
    ['joined', one.into],
    ['concluded', one.concluded && `${one.concluded.outcome} at ${sayTime(one.concluded.at)}: ${one.concluded.status}`],
    ['why', one.concluded?.reason],
    ['fingerprint', one.fingerprint],
  ]);
}

/** A trigger is often called by its kind. */
const byWhat = ({ trigger = '', source }: Fire): string => (['', source].includes(trigger) ? source : `${trigger} (${source})`);

import { Option, type Command } from 'commander';
import { routineStatuses } from '../../events/routine.js';
import type { Page } from '../../projections/paging.js';
import type { Routine } from '../../projections/routines/routine-queries.js';
import { sayDuration } from '../../projections/say-duration.js';
import { inOption, type InOptions } from '../as-of.js';
import { act, named, openDoor, verb, type Door, type DoorOptions } from '../door.js';
import { pageOptions, type PageOptions } from '../options.js';
import { sayDue, sayTime } from '../times.js';
import { addFiring } from './fires.js';
import { addNext } from './next.js';
import { addPreview } from './preview.js';
import { addRotation } from './secrets.js';
import { addSetting } from './set.js';

export function addRoutines(program: Command): void {
  const routines = program
    .command('routines')
    .description('work that comes by a schedule, a webhook or a call, and what came of it');

  inOption(pageOptions(verb(routines, 'list', 'newest first')))
    .addOption(new Option('--status <status...>', 'only those').choices(routineStatuses))
    .option('--agent <agent>')
    .action((options: ListOptions) => list(openDoor(options), options));

  verb(routines, 'get <routine>', 'one routine, and when it is due').action((routine: string, options: DoorOptions) =>
    get(openDoor(options), routine),
  );

  addSetting(routines);
  addPreview(routines);
  addFiring(routines);
  addNext(routines);

  for (const [step, description] of [
    ['pause', 'suppress its fires, those excepted that are asked for by hand'],
    ['resume', 'let it fire again'],
    ['archive', 'end it for good; what it has opened stays'],
  ] as const) {
    verb(routines, `${step} <routine>`, description)
      .option('--reason <reason>', 'kept with the change')
      .action((routine: string, { reason, ...options }: DoorOptions & { reason?: string }) =>
        steer(openDoor(options), routine, step, { reason }),
      );
  }

  addRotation(routines);
}

interface ListOptions extends DoorOptions, PageOptions, InOptions {
  status?: string[];
  agent?: string;
}

async function list({ client, output }: Door, { status, agent, limit, cursor, in: schema }: ListOptions): Promise<void> {
  output.list(await client.get<Page<Routine>>(['routines'], { status, agent, limit, cursor, in: schema }), [
    ['routine', (routine) => routine.id],
    ['status', (routine) => routine.status],
    ['agent', (routine) => routine.agent],
    ['fired by', (routine) => routine.triggers.map(firedBy).join(', ')],
    ['next', (routine) => sayDue(routine.nextDueAt)],
    ['last fire', (routine) => routine.lastFire],
    ['title', (routine) => routine.title],
  ]);
}

const firedBy = (trigger: Routine['triggers'][number]): string => {
  const by = trigger.kind === 'schedule' ? trigger.cron : trigger.kind;
  return trigger.enabled ? by : `${by} (off)`;
};

async function get({ client, output }: Door, routine: string): Promise<void> {
  output.one(await named(client, 'routines', routine, (id) => client.get<Routine>(['routines', id])), (one) => [
    ['routine', one.id],
    ['title', one.title],
    ['description', one.description],
    ['status', one.status === 'active' ? one.status : `${one.status} since ${sayTime(one.since)}: ${one.reason ?? ''}`],
    ['agent', one.agent],
    ['priority', one.priority],
    ['concurrency', one.concurrency],
    ['catch-up', one.catchUp],
    ['variables', one.variables.map(variableInWords).join(', ')],
    ['ignored', one.fingerprintIgnore.join(', ')],
    ['spread over', one.spreadSec > 0 ? sayDuration(one.spreadSec * 1_000) : undefined],
    ['active from', sayTime(one.activeFrom)],
    ['active until', sayTime(one.activeUntil)],
    ...one.triggers.map((trigger) => [`trigger ${trigger.id}`, triggerInWords(trigger)] as const),
    ['next', sayDue(one.nextDueAt)],
    ['fires', one.fires],
    ['last fire', one.lastFire && `${one.lastFire} at ${sayTime(one.lastFiredAt)}`],
  ]);
}

function variableInWords({ name, type, options, default: otherwise, required }: Routine['variables'][number]): string {
  const kind = type === 'select' ? options.join('|') : type;
  return `${name}:${kind}${required ? '!' : ''}${otherwise === null ? '' : `=${otherwise}`}`;
}

function triggerInWords(trigger: Routine['triggers'][number]): string {
  const off = trigger.enabled ? '' : ', switched off';
  switch (trigger.kind) {
    case 'schedule': {
      const { cron, zone, dst } = trigger;
      return `${cron} in ${zone}, a skipped hour: ${dst.gap}, a repeated one: ${dst.overlap}${off}`;
    }
    case 'webhook': {
      const { signing, windowSec } = trigger;
      return `webhook by ${signing}${signing === 'hmac_sha256' ? `, at most ${sayDuration(windowSec * 1_000)} old` : ''}${off}`;
    }
    case 'api':
      return `api${off}`;
  }
}

type Step = 'pause' | 'resume' | 'archive';

async function steer(door: Door, routine: string, step: Step, body: object): Promise<void> {
  const { id, body: after } = await act<Pick<Routine, 'status'>>(door, 'routines', routine, step, body);
  door.output.did(after, `${id} is ${after.status}`);
}

import { Option, type Command } from 'commander';
import type { cancelWakeup, requestWakeup } from '../commands/wakeup.js';
import { wakeupSources } from '../events/wakeup.js';
import type { Page } from '../projections/paging.js';
import type { Wakeup } from '../projections/wakeup-queries.js';
import { wakeupStatuses } from '../projections/wakeup-requests.js';
import { asOfOption, asOfQuery, inOption, type AsOfOptions, type InOptions } from './as-of.js';
import type { AnswerOf } from './client.js';
import { act, named, openDoor, surely, verb, type Door, type DoorOptions } from './door.js';
import { jsonObject, pageOptions, type PageOptions } from './options.js';
import { sayTime } from './times.js';
import { addWhyOf } from './why.js';

export function addWakeups(program: Command): void {
  const wakeups = program.command('wakeups').description('demands that an agent runs, and what became of them');

  inOption(asOfOption(pageOptions(verb(wakeups, 'list', 'newest first')), 'with --task: as they were then'))
    .addOption(new Option('--status <status...>', 'only those').choices(wakeupStatuses))
    .option('--agent <agent>')
    .option('--task <task>')
    .option('--reason <reason>')
    .action((options: ListOptions) => list(openDoor(options), options));

  asOfOption(verb(wakeups, 'get <wakeup>', 'one demand, and what became of it')).action(
    (wakeup: string, options: DoorOptions & AsOfOptions) => get(openDoor(options), wakeup, options),
  );

  verb(wakeups, 'request <agent>', 'ask that an agent runs')
    .option('--task <task>', "on that task; without it, on the agent's own lane")
    .option('--reason <reason>', 'kept with the wakeup, and given to the command')
    .addOption(new Option('--source <source>').choices(wakeupSources).default('on_demand'))
    .option('--payload <json>', 'given to the command', jsonObject)
    .option('--key <key>', 'the same key again is answered as the first time')
    .action((agent: string, options: RequestOptions) => request(openDoor(options), agent, options));

  addWhyOf(wakeups, 'wakeups', 'wakeup');

  verb(wakeups, 'cancel <wakeup>', 'withdraw a demand that has not been delivered')
    .option('--reason <reason>', 'kept with the cancellation', 'withdrawn by an operator')
    .action((wakeup: string, options: DoorOptions & { reason: string }) => cancel(openDoor(options), wakeup, options.reason));
}

interface ListOptions extends DoorOptions, PageOptions, AsOfOptions, InOptions {
  status?: string[];
  agent?: string;
  task?: string;
  reason?: string;
}

interface RequestOptions extends DoorOptions {
  task?: string;
  reason?: string;
  source: string;
  payload?: object;
  key?: string;
}

async function list(
  { client, output }: Door,
  { status, agent, task, reason, limit, cursor, asOf, in: schema }: ListOptions,
): Promise<void> {
  const query = { status, agent, task, reason, limit, cursor, in: schema, ...asOfQuery({ asOf }) };
  output.list(await client.get<Page<Wakeup>>(['wakeups'], query), [
    ['wakeup', (wakeup) => wakeup.id.slice(0, 13)],
    ['agent', (wakeup) => wakeup.agent],
    ['task', (wakeup) => wakeup.task],
    ['status', (wakeup) => wakeup.status],
    ['run', (wakeup) => wakeup.run],
    ['requested', (wakeup) => sayTime(wakeup.requestedAt)],
    ['reason', (wakeup) => wakeup.reason],
    ['code', (wakeup) => wakeup.code],
  ]);
}

async function get({ client, output }: Door, wakeup: string, when: AsOfOptions): Promise<void> {
  const found = await named(client, 'wakeups', wakeup, (id) => client.get<Wakeup>(['wakeups', id], asOfQuery(when)));
  output.one(found, (one) => [
    ['wakeup', one.id],
    ['agent', one.agent],
    ['task', one.task],
    ['status', one.held ? `${one.status} (held)` : one.status],
    ['code', one.code],
    ['run', one.run],
    ['joined', one.coalescedInto],
    ['reason', one.reason],
    ['requested', `${sayTime(one.requestedAt)} by ${one.requestedBy}`],
    ['claimed', sayTime(one.claimedAt)],
    ['ended', sayTime(one.finishedAt)],
  ]);
}

async function request(
  { client, output }: Door,
  agent: string,
  { task, reason, source, payload, key }: RequestOptions,
): Promise<void> {
  const { body } = await surely(client, (random) =>
    client.post<AnswerOf<typeof requestWakeup>>(['wakeups'], { agent, task, reason, source, payload }, { key: key ?? random }),
  );
  output.did(body, disposition(agent, body));
}

function disposition(agent: string, { wakeup }: AnswerOf<typeof requestWakeup>): string {
  if (!wakeup) return `nothing to do for ${agent}`;
  switch (wakeup.status) {
    case 'queued':
      return `${wakeup.run} is queued${wakeup.behind ? ` behind ${wakeup.behind}` : ''}`;
    case 'coalesced':
      return `joined ${wakeup.run ?? 'a demand that waits already'}`;
    case 'deferred':
      return `waits for the end of ${wakeup.behind ?? 'the running run'}`;
    default:
      return `${wakeup.status}${wakeup.code ? `: ${wakeup.code}` : ''}`;
  }
}

async function cancel(door: Door, wakeup: string, reason: string): Promise<void> {
  const { id, body } = await act<AnswerOf<typeof cancelWakeup>>(door, 'wakeups', wakeup, 'cancel', { reason });
  door.output.did(body, `${id} is cancelled`);
}

import { Option, type Command } from 'commander';
import type { retryNow, scheduleRetry } from '../commands/retry.js';
import type { cancelRun } from '../commands/run.js';
import { runStatuses, silenceDecisions } from '../events/run.js';
import type { Recorded } from '../events/event.js';
import type { Page } from '../projections/paging.js';
import type { Run } from '../projections/run-queries.js';
import type { AnswerOf } from './client.js';
import { asOfOption, asOfQuery, inOption, type AsOfOptions, type InOptions } from './as-of.js';
import { act, named, openDoor, verb, type Door, type DoorOptions } from './door.js';
import { pageOptions, type PageOptions } from './options.js';
import { storyColumns } from './story.js';
import type { Column } from './table.js';
import { sayDue, sayTime } from './times.js';
import { addWhyOf } from './why.js';
import { addRunsWatch } from './watch.js';

export function addRuns(program: Command): void {
  const runs = program.command('runs').description('attempts at a task: look at them, cancel them, have them tried again');

  inOption(asOfOption(pageOptions(verb(runs, 'list', 'newest first')), 'with --task: as they were then'))
    .addOption(new Option('--status <status...>', 'only those').choices(runStatuses))
    .option('--agent <agent>')
    .option('--task <task>')
    .option('--chain <run>', 'a run and its retries')
    .option('--error-code <code>')
    .option('--search <text>', 'in errors')
    .action((options: ListOptions) => list(openDoor(options), options));

  asOfOption(verb(runs, 'get <run>', 'all that is known of one run')).action((run: string, options: DoorOptions & AsOfOptions) =>
    get(openDoor(options), run, options),
  );

  pageOptions(verb(runs, 'events <run>', 'what happened to one run')).action((run: string, options: DoorOptions & PageOptions) =>
    events(openDoor(options), run, options),
  );

  addRunsWatch(runs);

  addWhyOf(runs, 'runs', 'run');

  verb(runs, 'cancel <run>', 'end a run that is queued, parked or running')
    .option('--reason <reason>', 'kept with the cancellation', 'cancelled by an operator')
    .addOption(
      new Option('--intent <intent>', 'stop: for good; requeue: the same attempt again')
        .choices(['stop', 'requeue'])
        .default('stop'),
    )
    .action((run: string, options: CancelOptions) => cancel(openDoor(options), run, options));

  verb(runs, 'retry <run>', 'try a failed or timed out run again, after the next delay of its agent')
    .option('--reason <reason>', 'kept with the retry')
    .action((run: string, options: DoorOptions & { reason?: string }) => retry(openDoor(options), run, options.reason));

  verb(runs, 'retry-now <run>', 'start a parked retry without waiting for its due time').action(
    (run: string, options: DoorOptions) => retryAtOnce(openDoor(options), run),
  );

  verb(runs, 'silence <run> <decision>', `a run says nothing: ${silenceDecisions.join(', ')}`)
    .option('--until <time>', 'raise it again then: an ISO time; needed to snooze, half an hour from now for continue')
    .option('--reason <reason>', 'kept with the decision')
    .action((run: string, decision: string, { until, reason, ...options }: SilenceOptions) =>
      silence(openDoor(options), run, { decision, until, reason }),
    );
}

interface ListOptions extends DoorOptions, PageOptions, AsOfOptions, InOptions {
  status?: string[];
  agent?: string;
  task?: string;
  chain?: string;
  errorCode?: string;
  search?: string;
}

interface SilenceOptions extends DoorOptions {
  until?: string;
  reason?: string;
}

interface CancelOptions extends DoorOptions {
  reason: string;
  intent: 'stop' | 'requeue';
}

export const runColumns: readonly Column<Run>[] = [
  ['run', (run) => run.id],
  ['agent', (run) => run.agent],
  ['status', (run) => (run.held ? `${run.status} (held)` : run.status)],
  ['attempt', (run) => (run.maxAttempts ? `${run.attempt}/${run.maxAttempts}` : run.attempt)],
  ['queued', (run) => sayTime(run.queuedAt)],
  ['next', (run) => nextStep(run)],
  ['error', (run) => [run.errorFamily, run.error].filter(Boolean).join(': ')],
];

function nextStep({ status, scheduledRetryAt, behind, finishedAt, exhausted }: Run): string {
  if (status === 'scheduled_retry') return `due ${sayDue(scheduledRetryAt)}`;
  if (status === 'queued') return behind ? `behind ${behind}` : '';
  return [finishedAt && `ended ${sayTime(finishedAt)}`, exhausted && 'exhausted'].filter(Boolean).join(', ');
}

async function list(
  { client, output }: Door,
  { status, agent, task, chain, errorCode, search: q, limit, cursor, asOf, in: schema }: ListOptions,
): Promise<void> {
  const query = { status, agent, task, chain, errorCode, q, limit, cursor, in: schema, ...asOfQuery({ asOf }) };
  output.list(await client.get<Page<Run>>(['runs'], query), runColumns);
}

async function get({ client, output }: Door, run: string, when: AsOfOptions): Promise<void> {
  const found = await named(client, 'runs', run, (id) => client.get<Run>(['runs', id], asOfQuery(when)));
  output.one(found, (one) => [
    ['run', one.id],
    ['task', one.task],
    ['agent', one.agent],
    ['status', one.held ? `${one.status} (held)` : one.status],
    ['attempt', one.maxAttempts ? `${one.attempt} of ${one.maxAttempts}` : one.attempt],
    ['cause', one.cause],
    ['retry of', one.retryOf],
    ['retry reason', one.retryReason],
    ['due', one.scheduledRetryAt && sayDue(one.scheduledRetryAt)],
    ['behind', one.behind],
    ['queued', sayTime(one.queuedAt)],
    ['started', sayTime(one.startedAt)],
    ['ended', sayTime(one.finishedAt)],
    ['worker', one.worker],
    ['exit code', one.exitCode],
    ['error family', one.errorFamily],
    ['error code', one.errorCode],
    ['error', one.error],
  ]);
}

async function events({ client, output }: Door, run: string, { limit, cursor }: PageOptions): Promise<void> {
  output.list(
    await named(client, 'runs', run, (id) => client.get<Page<Recorded>>(['runs', id, 'events'], { limit, cursor })),
    storyColumns,
  );
}

async function cancel(door: Door, run: string, { reason, intent }: CancelOptions): Promise<void> {
  const { id, body } = await act<AnswerOf<typeof cancelRun>>(door, 'runs', run, 'cancel', { reason, intent });
  const follows = body.next && 'run' in body.next ? `; next: ${body.next.run}` : '';
  door.output.did(body, `${id} is ${body.run?.status ?? 'cancelled'}${follows}`);
}

async function retry(door: Door, run: string, reason: string | undefined): Promise<void> {
  const { id, body } = await act<AnswerOf<typeof scheduleRetry>>(door, 'runs', run, 'schedule-retry', { reason });
  door.output.did(
    body,
    body.outcome === 'scheduled'
      ? `${body.run?.id ?? 'a retry'} is parked until ${sayDue(body.dueAt)}: attempt ${body.attempt} of ${body.maxAttempts}`
      : `${id} is not retried: its ${body.maxAttempts} retries are used up`,
  );
}

async function retryAtOnce(door: Door, run: string): Promise<void> {
  const { id, body } = await act<AnswerOf<typeof retryNow>>(door, 'runs', run, 'retry-now');
  const name = body.run?.id ?? id;
  const sentences = {
    promoted: `${name} is queued`,
    already_promoted: `${name} was promoted before`,
    no_scheduled_retry: `${id} has no parked retry`,
    gate_suppressed: `${name} stays parked: ${body.code ?? 'something holds it'}`,
  };
  door.output.did(body, sentences[body.outcome]);
}

async function silence(door: Door, run: string, decision: { decision: string; until?: string; reason?: string }): Promise<void> {
  const { id, body } = await act<object>(door, 'runs', run, 'silence', decision);
  const sentences: Readonly<Record<string, string>> = {
    snooze: `is left alone until ${sayTime(decision.until)}`,
    continue: `may go on being silent${decision.until ? ` until ${sayTime(decision.until)}` : ' for half an hour'}`,
    dismiss: 'is not raised again before it has said something, and stopped',
  };
  door.output.did(body, `${id} ${sentences[decision.decision] ?? decision.decision}`);
}

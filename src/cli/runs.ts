import { Option, type Command } from 'commander';
import type { Next, RunView } from '../commands/run-view.js';
import { runStatuses } from '../events/run.js';
import type { Recorded } from '../events/event.js';
import type { Page } from '../projections/paging.js';
import type { Run } from '../projections/run-queries.js';
import { named, openDoor, surely, verb, type Door, type DoorOptions } from './door.js';
import { pageOptions, type PageOptions } from './options.js';
import { storyColumns } from './story.js';
import type { Column } from './table.js';
import { sayDue, sayTime } from './times.js';

export function addRuns(program: Command): void {
  const runs = program.command('runs').description('attempts at a task: look at them, cancel them, have them tried again');

  pageOptions(verb(runs, 'list', 'newest first'))
    .addOption(new Option('--status <status...>', 'only those').choices(runStatuses))
    .option('--agent <agent>')
    .option('--task <task>')
    .option('--chain <run>', 'a run and its retries')
    .option('--error-code <code>')
    .option('--search <text>', 'in ids and errors')
    .action((options: ListOptions) => list(openDoor(options), options));

  verb(runs, 'get <run>', 'all that is known of one run').action((run: string, options: DoorOptions) =>
    get(openDoor(options), run),
  );

  pageOptions(verb(runs, 'events <run>', 'what happened to one run')).action((run: string, options: DoorOptions & PageOptions) =>
    events(openDoor(options), run, options),
  );

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
    (run: string, options: DoorOptions) => retryNow(openDoor(options), run),
  );
}

interface ListOptions extends DoorOptions, PageOptions {
  status?: string[];
  agent?: string;
  task?: string;
  chain?: string;
  errorCode?: string;
  search?: string;
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
  { status, agent, task, chain, errorCode, search: q, limit, cursor }: ListOptions,
): Promise<void> {
  output.list(await client.get<Page<Run>>(['runs'], { status, agent, task, chain, errorCode, q, limit, cursor }), runColumns);
}

async function get({ client, output }: Door, run: string): Promise<void> {
  const found = await named(client, 'runs', run, (id) => client.get<Run>(['runs', id]));
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

async function cancel({ client, output }: Door, run: string, { reason, intent }: CancelOptions): Promise<void> {
  const { body } = await named(client, 'runs', run, (id) =>
    surely(client, (key) => client.post<{ run?: RunView; next?: Next }>(['runs', id, 'cancel'], { reason, intent }, { key })),
  );
  const follows = body.next && 'run' in body.next ? `; next: ${body.next.run}` : '';
  output.did(body, `${body.run?.id ?? run} is ${body.run?.status ?? 'cancelled'}${follows}`);
}

interface Retried {
  outcome: 'scheduled' | 'retry_exhausted';
  run?: RunView;
  dueAt?: string;
  attempt: number;
  maxAttempts: number;
}

async function retry({ client, output }: Door, run: string, reason: string | undefined): Promise<void> {
  const { body } = await named(client, 'runs', run, (id) =>
    surely(client, (key) => client.post<Retried>(['runs', id, 'schedule-retry'], { reason }, { key })),
  );
  const { outcome, attempt, maxAttempts, dueAt, run: next } = body;
  const sentences = {
    scheduled: `${next?.id ?? 'a retry'} is parked until ${sayDue(dueAt)}: attempt ${attempt} of ${maxAttempts}`,
    retry_exhausted: `${run} is not retried: its ${maxAttempts} retries are used up`,
  };
  output.did(body, sentences[outcome]);
}

interface RetriedNow {
  outcome: 'promoted' | 'already_promoted' | 'no_scheduled_retry' | 'gate_suppressed';
  code?: string;
  run?: RunView;
}

async function retryNow({ client, output }: Door, run: string): Promise<void> {
  const { body } = await named(client, 'runs', run, (id) =>
    surely(client, (key) => client.post<RetriedNow>(['runs', id, 'retry-now'], {}, { key })),
  );
  const name = body.run?.id ?? run;
  const sentences = {
    promoted: `${name} is queued`,
    already_promoted: `${name} was promoted before`,
    no_scheduled_retry: `${run} has no parked retry`,
    gate_suppressed: `${name} stays parked: ${body.code ?? 'something holds it'}`,
  };
  output.did(body, sentences[body.outcome]);
}

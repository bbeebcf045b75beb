import type { Command } from 'commander';
import type { promoteDueRetries } from '../commands/promote-due-retries.js';
import type { Page } from '../projections/paging.js';
import type { Run } from '../projections/run-queries.js';
import type { AnswerOf } from './client.js';
import { openDoor, surely, verb, type Door, type DoorOptions } from './door.js';
import { pageOptions, wholeNumber, type PageOptions } from './options.js';
import { sayDue } from './times.js';

export function addRetries(program: Command): void {
  const retries = program.command('retries').description('parked runs: when they are due, and promotion by hand');

  pageOptions(verb(retries, 'list', 'by due time')).action((options: DoorOptions & PageOptions) =>
    list(openDoor(options), options),
  );

  verb(retries, 'promote', 'queue every parked run that is due; the server does so by itself')
    .option('--limit <n>', 'at most so many', wholeNumber)
    .action((options: DoorOptions & { limit?: number }) => promote(openDoor(options), options.limit));
}

async function list({ client, output }: Door, { limit, cursor }: PageOptions): Promise<void> {
  output.list(await client.get<Page<Run>>(['retries'], { limit, cursor }), [
    ['run', (run) => run.id],
    ['agent', (run) => run.agent],
    ['due', (run) => sayDue(run.scheduledRetryAt)],
    ['attempt', (run) => (run.maxAttempts ? `${run.attempt}/${run.maxAttempts}` : run.attempt)],
    ['held', (run) => (run.held ? 'held' : '')],
    ['reason', (run) => run.retryReason],
    ['retry of', (run) => run.retryOf],
  ]);
}

async function promote({ client, output }: Door, limit: number | undefined): Promise<void> {
  const { body } = await surely(client, (key) =>
    client.post<AnswerOf<typeof promoteDueRetries>>(['retries', 'promote-due'], { limit }, { key }),
  );
  const which = body.runIds.length > 0 ? `: ${body.runIds.slice(0, 10).join(', ')}${body.promoted > 10 ? ' …' : ''}` : '';
  output.did(body, `${body.promoted} promoted${which}${body.held > 0 ? `; ${body.held} due but held` : ''}`);
}

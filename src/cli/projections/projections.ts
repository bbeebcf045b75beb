import type { Command } from 'commander';
import { positionInWords } from '../../events/positions.js';
import type { LaggingCheckpoint } from '../../projections/operations/checkpoint-queries.js';
import { openDoor, verb, type Door, type DoorOptions } from '../door.js';
import { wholeNumber } from '../options.js';
import {
  ofProjection,
  ofRebuild,
  phaseInWords,
  reasoned,
  rebuildNamed,
  sent,
  type ProjectionView,
  type ReasonOptions,
} from './requests.js';
import { addAsOf } from './as-of.js';
import { addParked } from './parked.js';
import { addRebuilding } from './rebuild.js';
import type { Column } from '../table.js';
import { sayTime } from '../times.js';

export function addProjections(program: Command): void {
  const projections = program
    .command('projections')
    .description('read models: how far they are; building them anew, comparing, cutting over and back');

  verb(projections, 'list', 'how far each read model is').action((options: DoorOptions) => list(openDoor(options)));

  verb(projections, 'show <projection>', 'its read models, the versions that the server knows, and what is being built').action(
    (projection: string, options: DoorOptions) => show(openDoor(options), projection),
  );

  addRebuilding(projections);

  reasoned(projections, 'cut-over <rebuild|projection>', 'ask what was built instead of what it was compared with')
    .option('--accept-differences', 'repair what is asked by the same version, built anew')
    .action((of: string, options: CutOverOptions) => cutOver(openDoor(options), of, options));

  reasoned(projections, 'rollback <projection>', 'ask again what was asked before the last cut-over').action(
    (projection: string, options: ReasonOptions) => rollback(openDoor(options), projection, options),
  );

  reasoned(projections, 'pause <rebuild|projection>', 'let a rebuild rest, with what it has').action(
    (of: string, options: ReasonOptions) => steer(openDoor(options), of, 'pause', { reason: options.reason }),
  );

  reasoned(projections, 'resume <rebuild|projection>', 'let a rebuild go on, or at another rate')
    .option('--rate <n>', 'no more events per second than this; 0 for as fast as it can', wholeNumber)
    .action((of: string, { rate, reason, ...options }: ReasonOptions & { rate?: number }) =>
      steer(openDoor(options), of, 'resume', { eventsPerSecond: rate === 0 ? null : rate, reason }),
    );

  reasoned(projections, 'abandon <rebuild|projection>', 'give a rebuild up, and drop what it has built').action(
    (of: string, options: ReasonOptions) => steer(openDoor(options), of, 'abandon', { reason: options.reason }),
  );

  reasoned(projections, 'drop <projection> <read-model>', 'remove one for good that is neither asked nor being built').action(
    (projection: string, readModel: string, options: ReasonOptions) => drop(openDoor(options), projection, readModel, options),
  );

  addParked(projections);
  addAsOf(projections);
}

async function list({ client, output }: Door): Promise<void> {
  const page = await client.get<{ items: LaggingCheckpoint[] }>('/v1/projections');
  output.list(page, columns);
}

const columns: readonly Column<LaggingCheckpoint>[] = [
  ['projection', ({ name }) => name],
  ['read model', ({ readModel }) => readModel],
  ['asked', ({ live, liveSince }) => (live ? `since ${sayTime(liveSince)}` : '')],
  ['position', ({ position }) => positionInWords(position)],
  ['behind', ({ lag }) => lag ?? 'filling'],
  ['parked', ({ parkedStreams }) => parkedStreams],
  ['halted', ({ halted }) => halted, 'wrapped'],
];

async function show({ client, output }: Door, projection: string): Promise<void> {
  const view = await client.get<ProjectionView>(ofProjection(projection));
  if (output.format !== 'table') return output.did(view, '');
  output.list({ items: view.readModels }, columns);
  output.line(`versions that the server knows: ${view.versions.join(', ')}`);
  if (view.rebuild) output.line(`being built: ${view.rebuild.id}, ${phaseInWords(view.rebuild)}`);
}

interface Live {
  readonly projection: string;
  readonly live: string;
  readonly before: string | null;
}

interface CutOverOptions extends ReasonOptions {
  readonly acceptDifferences?: true;
}

async function cutOver(door: Door, of: string, { reason, acceptDifferences }: CutOverOptions): Promise<void> {
  const { id } = await rebuildNamed(door.client, of, ({ phase }) => phase === 'former' || phase === 'live');
  const { body } = await sent<Live>(door.client, ofRebuild(id, 'cut-over'), { reason, acceptDifferences });
  await tellLive(door, body);
}

async function rollback(door: Door, projection: string, { reason }: ReasonOptions): Promise<void> {
  const { readModels } = await door.client.get<ProjectionView>(ofProjection(projection));
  const from = readModels.find(({ live }) => live)?.readModel;
  const { body } = await sent<Live>(door.client, ofProjection(projection, 'rollback'), { from, reason });
  await tellLive(door, body);
}

/** The record may be ahead of what is so. */
async function tellLive({ client, output }: Door, change: Live): Promise<void> {
  const { readModels } = await client.get<ProjectionView>(ofProjection(change.projection));
  const isSo = readModels.some(({ readModel, live }) => live && readModel === change.live);
  output.did(
    change,
    isSo
      ? `${change.live} is asked${change.before ? `; ledger projections rollback ${change.projection} asks ${change.before} again` : ''}`
      : `recorded: ${change.live} is asked as soon as it is not behind; look again with ledger projections show ${change.projection}`,
  );
}

async function steer({ client, output }: Door, of: string, step: 'pause' | 'resume' | 'abandon', body: object): Promise<void> {
  const { id } = await rebuildNamed(client, of, () => false);
  const done = { pause: 'rests', resume: 'goes on', abandon: 'is given up, and what it had built is dropped' }[step];
  output.did((await sent<object>(client, ofRebuild(id, step), body)).body, `${id} ${done}`);
}

async function drop({ client, output }: Door, projection: string, readModel: string, { reason }: ReasonOptions): Promise<void> {
  const { body } = await sent<object>(client, ofProjection(projection, 'drop'), { readModel, reason });
  output.did(body, `${readModel} is dropped`);
}

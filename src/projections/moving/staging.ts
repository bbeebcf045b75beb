import type pg from 'pg';
import type { Position } from '../../events/event.js';
import type { Comparison } from '../../events/operations.js';
import type { EventStore } from '../../event-store/event-store.js';
import { compareAsTheyAre } from '../rebuild/compare.js';
import { fill } from '../rebuild/fill.js';
import type { LogToFill } from '../rebuild/log-of-part.js';
import { addIndexes, createTable, dropReadModel } from '../rebuild/schema.js';
import { CopiedLog } from './copied-log.js';
import type { Successor } from './followed.js';

/** What is done just now, and how many events it has come by of how many. */
export type Moved = (work: {
  readonly name: string;
  readonly phase: string;
  readonly done: number;
  readonly total: number;
}) => void;

export interface Staging {
  /** at least four connections that may be silent for long: `admin` */
  readonly db: pg.Pool;
  readonly from: { readonly store: EventStore; readonly head: Position };
  readonly to: { readonly store: EventStore; readonly head: Position };
  /** that both have, up to their heads */
  readonly events: number;
  readonly signal: AbortSignal;
  readonly moved: Moved;
}

/** Rows that the new log does not fold to as they are: nothing was changed. */
export class ReadModelDiffers extends Error {
  override readonly name = 'ReadModelDiffers';
  constructor(
    readonly readModel: string,
    readonly comparison: Comparison,
  ) {
    super(
      `the rows of ${readModel} are not what the new log folds to: nothing was changed. If the copy is right, they are not what the old ` +
        `log folds to either: ledger store unseal, rebuild that read model and cut over to it, then seal, copy and adopt again`,
    );
  }
}

/** Where it is built until it stands in the other's place: nobody sees it, and whoever begins anew drops it. */
export const stagingOf = ({ readModel }: Pick<Successor, 'readModel'>): string => `${readModel}_moving`;
const proofOf = ({ readModel }: Pick<Successor, 'readModel'>): string => `${readModel}_proof`;

/**
 * Builds what is to stand in a read model's place, from the new log, and proves that it says the same. Rows without positions are the same
 * as they are; those that have some are folded once more, from the new log with the positions of the old one.
 *
 * @throws ReadModelDiffers
 */
export async function stage(staging: Staging, successor: Successor): Promise<void> {
  const { from, to } = staging;
  await build(staging, successor, { schema: stagingOf(successor), phase: 'filling', store: to.store, upTo: to.head });
  if ((await compare(staging, successor, stagingOf(successor))).agrees) return;
  const copied = new CopiedLog(from.store, to.store);
  await build(staging, successor, { schema: proofOf(successor), phase: 'proving', store: copied, upTo: from.head });
  const comparison = await compare(staging, successor, proofOf(successor));
  if (!comparison.agrees) throw new ReadModelDiffers(successor.followed.readModel, comparison);
  await dropReadModel(staging.db, proofOf(successor));
}

/** What this and other moves have begun and not finished. */
export async function dropStaged(db: pg.Pool, successors: readonly Successor[]): Promise<void> {
  for (const successor of successors)
    for (const schema of [stagingOf(successor), proofOf(successor)]) await dropReadModel(db, schema);
}

interface Building {
  readonly schema: string;
  readonly phase: string;
  readonly store: LogToFill;
  readonly upTo: Position;
}

async function build(
  { db, signal, moved, events }: Staging,
  { projection, readModel }: Successor,
  building: Building,
): Promise<void> {
  const { schema, phase, upTo } = building;
  const store = counted(building.store, events);
  await createTable(db, projection, schema);
  await fill({
    db,
    store,
    projection,
    readModel: schema,
    upTo,
    pace: atOnce,
    signal,
    moved: (done, total = 0) => moved({ name: readModel, phase, done, total }),
  });
  moved({ name: readModel, phase: 'indexing', done: 0, total: 0 });
  await addIndexes(db, projection, schema);
}

/** Not every store can tell how many they are without reading them all. */
const counted = (log: LogToFill, events: number): LogToFill => ({
  readAll: (asked) => log.readAll(asked),
  readByStream: (asked) => log.readByStream(asked),
  streamBounds: (asked) => log.streamBounds(asked),
  count: () => Promise.resolve(events),
  countOfTypes: (asked) => log.countOfTypes(asked),
});

const atOnce = { take: () => Promise.resolve() };

function compare({ db, moved }: Staging, { projection, followed, readModel }: Successor, rebuilt: string): Promise<Comparison> {
  moved({ name: readModel, phase: 'comparing', done: 0, total: 0 });
  return compareAsTheyAre({ db, projection, live: { projection, readModel: followed.readModel }, rebuilt });
}

import type pg from 'pg';
import { beginning } from '../../events/event.js';
import { operations } from '../../events/evolve-operations.js';
import { operationsStream, type Operations, type OperationsEvent } from '../../events/operations.js';
import type { EventStore } from '../../event-store/event-store.js';
import type { AnyProjection } from '../projection.js';
import { refuseAnotherLog, type Checkpoint } from '../projector/checkpoint.js';
import { behindAtHead } from './at-head.js';
import { changeOver, type ProvenMove } from './change-over.js';
import { definitionOf, followedReadModels, successorsOf, type Followed, type Successor } from './followed.js';
import { obstacles } from './obstacles.js';
import { Places } from './places.js';
import { dropStaged, stage, type Moved } from './staging.js';

export interface MoveOfReadModels {
  /** of the read models; at least four connections that may be silent for long: `admin` */
  readonly db: pg.Pool;
  /** closed for writes */
  readonly from: EventStore;
  /** a complete copy of it */
  readonly to: EventStore;
  /** as the logs were proven to be */
  readonly proven: Omit<ProvenMove, 'readModels'>;
  readonly projections: readonly AnyProjection[];
  readonly signal: AbortSignal;
  readonly moved: Moved;
  /** asked last, right before all is changed: throws when the logs are not what they were */
  readonly isStill: () => Promise<void>;
}

/** What keeps the ledger from being moved. */
export class MoveRefused extends Error {
  override readonly name = 'MoveRefused';
  constructor(readonly obstacles: readonly string[]) {
    super(obstacles.join('\n'));
  }
}

/** What has to be done before, as far as it is known without comparing the logs; none is best. */
export async function obstaclesToMove({
  db,
  from,
  projections,
}: Pick<MoveOfReadModels, 'db' | 'from' | 'projections'>): Promise<string[]> {
  return obstacles(db, await followedReadModels(db), await stateOf(from), projections);
}

/**
 * Builds each read model anew from the new log, proves that it says the same, and lets the database belong to that log, at once and
 * altogether. Cut off anywhere before that, nothing has changed, and it begins anew.
 *
 * @throws MoveRefused
 * @throws ReadModelDiffers
 */
export async function moveReadModels(move: MoveOfReadModels): Promise<void> {
  const { db, from, to, signal, proven } = move;
  const former = await from.head();
  refuse(await behindAtHead(db, former, signal));
  const followed = await followedReadModels(db);
  for (const each of followed) await refuseAnotherLog(from, each.readModel, each);
  const successors = await successorsIn(move, followed);
  const places = new Places(to);
  const head = await headOf(followed, places);
  const staging = { ...move, from: { store: from, head: former }, to: { store: to, head: head.position }, events: proven.events };
  try {
    await dropStaged(db, successors);
    for (const successor of successors) await stage(staging, successor);
    await move.isStill();
    const readModels = Object.fromEntries(successors.map(inPlaceOf));
    await changeOver(db, { move: { ...proven, readModels }, former, head, places, successors });
  } finally {
    await dropStaged(db, successors).catch(() => {});
  }
}

function refuse(found: readonly string[]): void {
  if (found.length > 0) throw new MoveRefused(found);
}

const inPlaceOf = ({ followed, projection, readModel }: Successor) =>
  [followed.readModel, { projection: projection.name, readModel }] as const;

/** All that are followed are at one event: the last one of the old log. */
async function headOf([first]: readonly Followed[], places: Places): Promise<Checkpoint> {
  if (!first || first.position === beginning) return { position: beginning, eventId: '', stream: null, revision: null };
  const { eventId, stream, revision } = first;
  return { position: await places.of(first.readModel, first), eventId, stream, revision };
}

async function successorsIn({ db, from, projections }: MoveOfReadModels, followed: readonly Followed[]): Promise<Successor[]> {
  const state = await stateOf(from);
  refuse(await obstacles(db, followed, state, projections));
  const { rows } = await db.query<{ name: string }>('select read_model as name from checkpoints');
  const defined = followed.map((each) => ({ ...each, projection: definitionOf(projections, each)! }));
  return successorsOf(
    defined,
    rows.map(({ name }) => name),
    state,
  );
}

async function stateOf(store: EventStore): Promise<Operations> {
  const events = await store.readStream<OperationsEvent>(operationsStream);
  return events.reduce(operations.evolve, operations.initial);
}

import type pg from 'pg';
import { inTransaction } from '../../database.js';
import type { Position } from '../../events/event.js';
import type { LedgerEvent } from '../../events/ledger-event.js';
import type { Comparison } from '../../events/operations.js';
import type { EventStore } from '../../event-store/event-store.js';
import { pause } from '../../pause.js';
import type { AnyProjection } from '../projection.js';
import { Halted, takeCheckpoint } from '../projector/checkpoint.js';
import type { Page } from '../projector/log-pages.js';
import type { Owners, Ownership } from '../projector/owner.js';
import { projectorOf } from '../projector/projector.js';
import { ProjectorTerm, TermOver, Unfoldable } from '../projector/projector-term.js';
import { compareTables } from './compare-tables.js';

export interface Comparing {
  /** connections that may be silent for long (`admin`) */
  readonly db: pg.Pool;
  readonly store: EventStore;
  readonly owners: Owners;
  /** of the rebuilt read model */
  readonly projection: AnyProjection;
  readonly live: { readonly projection: AnyProjection; readonly readModel: string };
  /** its name; it is filled, has its indexes and is followed */
  readonly rebuilt: string;
  readonly signal: AbortSignal;
}

const triesAgain = 5;
const askEveryMs = 50;
const pageSize = 5_000;

/**
 * Compares two read models of one projection row by row, as they are at one position: that of the live one, which is neither held nor
 * locked. The other one's projector is put off meanwhile, in whatever process it is, and is brought to that position.
 *
 * Rows of a stream that either has parked are differences, as are those of events that the live one was told to skip. Columns that the
 * projection's `differs` names are meant to differ, unless both are of one version; a column that only one of both has is not compared.
 *
 * @throws Halted when the live one does not go on, and so never comes to a position to be compared at
 * @throws Unfoldable with the event that the rebuilt one cannot fold
 */
export async function compare(comparing: Comparing): Promise<Comparison> {
  const { db, owners, live, rebuilt, signal } = comparing;
  refuseOtherKeys(comparing);
  const ownership = await owners.seize(projectorOf(rebuilt));
  try {
    const checkpoint = await takeCheckpoint(db, rebuilt, ownership.term);
    if (!checkpoint) throw new TermOver(`${rebuilt}: a later owner has the checkpoint`);
    await reached(db, live.readModel, checkpoint.position, AbortSignal.any([signal, ownership.signal]));
    return await inOneSnapshot(comparing, ownership);
  } finally {
    await ownership.release().catch(() => {});
  }
}

/**
 * Compares them as they are, each where it stands: for a live one that does not go on, and so never comes to a position that both of them
 * have been at. The position that is answered is the live one's.
 */
export function compareAsTheyAre(comparing: Pick<Comparing, 'db' | keyof Compared>): Promise<Comparison> {
  refuseOtherKeys(comparing);
  return inTransaction(comparing.db, async (client) => {
    await client.query('set transaction isolation level repeatable read');
    const position = await positionOf(client, comparing.live.readModel);
    return { position, ...(await differences(client, comparing)) };
  });
}

type Compared = Pick<Comparing, 'projection' | 'live' | 'rebuilt'>;

function refuseOtherKeys({ projection, live }: Compared): void {
  const [old, now] = [live.projection.key.join(', '), projection.key.join(', ')];
  if (old === now) return;
  throw new Error(
    `${projection.name} is keyed by ${old} in version ${live.projection.version} and by ${now} in version ${projection.version}, so ` +
      `their rows cannot be told to be the same: give the new rows another projection's name, or keep the key`,
  );
}

/** The live one may be behind the rebuilt one, and its position is the one that counts. */
async function reached(db: pg.Pool, readModel: string, position: Position, signal: AbortSignal): Promise<void> {
  for (;;) {
    signal.throwIfAborted();
    const { rows } = await db.query<{ position: Position; halted: string | null }>(
      'select position, halted from checkpoints where read_model = $1',
      [readModel],
    );
    const [live] = rows;
    if (!live) throw new Error(`there is no read model ${readModel} to compare with`);
    if (live.position >= position) return;
    if (live.halted !== null) throw new Halted(`${readModel} stands at position "${live.position}": ${live.halted}`);
    await pause(askEveryMs, signal);
  }
}

/** The projector that was put off may be in the middle of a write; what it did is seen the next time. */
async function inOneSnapshot(comparing: Comparing, ownership: Ownership): Promise<Comparison> {
  for (let tries = 1; ; tries++) {
    try {
      return await inTransaction(comparing.db, (client) => compareIn(client, comparing, ownership));
    } catch (error) {
      if (!isSerializationFailure(error) || tries > triesAgain) throw error;
    }
  }
}

const isSerializationFailure = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === '40001';

/** What the rebuilt one writes is seen by its own transaction; the live one's rows stay those of the snapshot. */
async function compareIn(client: pg.PoolClient, comparing: Comparing, { term }: Ownership): Promise<Comparison> {
  const { store, projection, live, rebuilt, signal } = comparing;
  await client.query('set transaction isolation level repeatable read');
  const position = await positionOf(client, live.readModel);
  // A term asks its database for nothing but `query` as long as it only goes on.
  const begun = await ProjectorTerm.begin(client as unknown as pg.Pool, store, projection, rebuilt, term);
  await advanceTo(position, begun, { client, store, signal });
  return { position, ...(await differences(client, comparing)) };
}

function differences(client: pg.PoolClient, { projection, live, rebuilt }: Compared): Promise<Omit<Comparison, 'position'>> {
  const { name, key, version, differs = [] } = projection;
  const meant = live.projection.version === version ? [] : differs;
  return compareTables(client, { name, key, live: live.readModel, rebuilt, meant });
}

async function positionOf(client: pg.PoolClient, readModel: string): Promise<Position> {
  const { rows } = await client.query<{ position: Position }>('select position from checkpoints where read_model = $1', [
    readModel,
  ]);
  return rows[0]!.position;
}

type Term = ProjectorTerm<Record<string, unknown>>;

async function advanceTo(
  position: Position,
  term: Term,
  { client, store, signal }: Pick<Comparing, 'store' | 'signal'> & { client: pg.PoolClient },
): Promise<void> {
  while (term.position < position) {
    signal.throwIfAborted();
    const page = await store.readAll<LedgerEvent>({ after: term.position, upTo: position, limit: pageSize });
    if (page.length === 0) throw new Halted(`the log ends before position "${position}", which the live read model has folded`);
    await advance(client, term, page);
  }
}

/** An event that cannot be folded is found by going on in steps of one. Without the savepoint, what Postgres refuses would be its last word. */
async function advance(client: pg.PoolClient, term: Term, page: Page): Promise<void> {
  await client.query('savepoint page');
  try {
    await term.advance(page);
  } catch (error) {
    if (!(error instanceof Unfoldable)) throw error;
    await client.query('rollback to savepoint page');
    term.forgetRows();
    for (const event of page) await term.advance([event]).catch((cause: unknown) => refuse(event, cause));
  }
}

function refuse({ type, position, stream, revision }: Page[number], cause: unknown): never {
  if (!(cause instanceof Unfoldable)) throw cause;
  throw new Unfoldable(`${type} at position ${position} (${stream} revision ${revision}) cannot be folded: ${cause.message}`, {
    cause,
  });
}

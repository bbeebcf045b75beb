import type pg from 'pg';
import { inTransaction } from '../../database.js';
import type { Position } from '../../events/event.js';
import type { StoreMoved } from '../../events/operations.js';
import type { Checkpoint } from '../projector/checkpoint.js';
import type { Successor } from './followed.js';
import type { Places } from './places.js';
import { stagingOf } from './staging.js';

/** What both logs were proven to have, and what stands in whose place. */
export type ProvenMove = Omit<StoreMoved['data'], 'reason' | 'movedAt'>;

export interface ChangeOver {
  readonly move: ProvenMove;
  /** where all read models stand in the old log, and the same event in the new one */
  readonly former: Position;
  readonly head: Checkpoint;
  readonly places: Places;
  readonly successors: readonly Successor[];
}

/**
 * Lets the database belong to the new log, in one transaction: what was built from it is asked, policies and their parked reactions have
 * their places in it, and whoever owned a loop under the old log owns it no more. What was asked before is followed by nobody.
 */
export function changeOver(db: pg.Pool, change: ChangeOver): Promise<void> {
  return inTransaction(db, async (client) => {
    await follow(client, change);
    await endTerms(client);
    for (const successor of change.successors) await succeed(client, change, successor);
    await movePolicies(client, change.places);
    await moveParkedReactions(client, change.places);
    await moveSkippedEvents(client, change.places);
    await record(client, change.move);
  });
}

async function follow(client: pg.PoolClient, { move: { from, to } }: ChangeOver): Promise<void> {
  const { rowCount } = await client.query(
    `update followed_log
     set id = $2, since = clock_timestamp()
     where id = $1`,
    [from, to],
  );
  if (rowCount !== 1) throw new Error(`this database does not follow log ${from} any more: look at ledger store status`);
}

/** The lock comes before the rows, as others write several of them at once. */
async function endTerms(client: pg.PoolClient): Promise<void> {
  await client.query('lock table owners in share row exclusive mode');
  await client.query(`update owners set term = term + 1, expires_at = '-infinity'`);
}

async function succeed(client: pg.PoolClient, { former, head }: ChangeOver, successor: Successor): Promise<void> {
  const { followed, projection, readModel, generation } = successor;
  const { rowCount } = await client.query(
    `update checkpoints
     set filling = true, moved_at = clock_timestamp()
     where read_model = $1
       and position = $2
       and not filling`,
    [followed.readModel, former],
  );
  if (rowCount !== 1) throw new Error(`${followed.readModel} was moved meanwhile: begin again`);
  await client.query(`alter schema ${stagingOf(successor)} rename to ${readModel}`);
  await client.query(`delete from fill_parts where split_part(read_model, '.', 1) = $1`, [stagingOf(successor)]);
  await client.query(
    `insert into checkpoints (read_model, projection, version, generation, position, event_id, stream, revision)
     values ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [readModel, projection.name, projection.version, generation, head.position, head.eventId, head.stream, head.revision],
  );
  await client.query(
    `update projection_versions
     set read_model = $2, live_since = clock_timestamp()
     where read_model = $1`,
    [followed.readModel, readModel],
  );
}

/** Each goes on behind the event that it came by last. */
async function movePolicies(client: pg.PoolClient, places: Places): Promise<void> {
  const { rows } = await client.query<Checkpoint & { policy: string }>(
    `select policy, position, event_id as "eventId", stream, revision
     from policy_checkpoints
     where stream is not null
     order by policy
     for update`,
  );
  for (const { policy, ...at } of rows)
    await client.query(
      `update policy_checkpoints
       set position = $2, term = term + 1, halted = null
       where policy = $1`,
      [policy, await places.of(`policy ${policy}`, at)],
    );
}

/** They are in the order of the events that they are to. */
async function moveParkedReactions(client: pg.PoolClient, places: Places): Promise<void> {
  await client.query('lock table parked_reactions in share row exclusive mode');
  const { rows } = await client.query<{ policy: string; commandId: string; stream: string; revision: number }>(
    `select policy, command_id as "commandId", event_stream as stream, event_revision as revision
     from parked_reactions`,
  );
  for (const { policy, commandId, ...of } of rows)
    await client.query(
      `update parked_reactions
       set position = $3
       where policy = $1
         and command_id = $2`,
      [policy, commandId, await places.ofRevision(`a reaction of policy ${policy}`, of)],
    );
}

async function moveSkippedEvents(client: pg.PoolClient, places: Places): Promise<void> {
  const { rows } = await client.query<{ eventId: string; stream: string }>(
    'select distinct event_id as "eventId", stream from skipped_events',
  );
  for (const { eventId, stream } of rows)
    await client.query('update skipped_events set position = $2 where event_id = $1', [
      eventId,
      await places.ofEvent(stream, eventId),
    ]);
}

async function record(client: pg.PoolClient, { from, to, events, digest, readModels }: ProvenMove): Promise<void> {
  await client.query(
    `insert into log_moves (from_log, to_log, events, digest, read_models)
     values ($1, $2, $3, $4, $5)`,
    [from, to, events, digest, readModels],
  );
}

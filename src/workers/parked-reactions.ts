import type pg from 'pg';
import { WaitingReactions, type WaitingReaction } from '../commands/operations/parked-reaction.js';
import { inTransaction } from '../database.js';
import type { Position, StreamId } from '../events/event.js';

/** What a policy could not carry out; without a command, an event that the policy itself failed at. */
export interface ParkedReaction {
  readonly stream: StreamId;
  /** of the event that is reacted to */
  readonly position: Position;
  readonly eventStream: StreamId;
  readonly eventRevision: number;
  readonly command: string | null;
  readonly fields: object | null;
  readonly commandId: string;
  readonly error: string;
}

/** The reactions of one policy that wait until they can be carried out. */
export class ParkedReactions {
  constructor(
    private readonly db: pg.Pool,
    private readonly policy: string,
  ) {}

  async streams(): Promise<StreamId[]> {
    const { rows } = await this.db.query<{ stream: StreamId }>(
      `select stream
       from parked_reactions
       where policy = $1
       group by stream
       order by min(position)`,
      [this.policy],
    );
    return rows.map(({ stream }) => stream);
  }

  /** The one that the others of its stream wait behind. */
  async first(stream: StreamId): Promise<ParkedReaction | undefined> {
    const { rows } = await this.db.query<ParkedReaction>(
      `select stream, position, event_stream as "eventStream", event_revision as "eventRevision", command, fields,
         command_id as "commandId", error
       from parked_reactions
       where policy = $1
         and stream = $2
       order by position, n
       limit 1`,
      [this.policy, stream],
    );
    return rows[0];
  }

  /** One that is parked already stays where it is. */
  async park(parked: ParkedReaction): Promise<void> {
    const { stream, position, eventStream, eventRevision, command, fields, commandId, error } = parked;
    await this.db.query(
      `insert into parked_reactions (policy, stream, position, event_stream, event_revision, command, fields, command_id, error)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
       on conflict (policy, command_id) do nothing`,
      [this.policy, stream, position, eventStream, eventRevision, command, fields, commandId, error],
    );
  }

  async failedAgain(commandId: string, error: string): Promise<void> {
    await this.db.query(
      `update parked_reactions
       set error = $3
       where policy = $1
         and command_id = $2`,
      [this.policy, commandId, error],
    );
  }

  async remove(commandId: string): Promise<void> {
    await this.db.query('delete from parked_reactions where policy = $1 and command_id = $2', [this.policy, commandId]);
  }
}

const shownAtOnce = 200;

/** What all policies could not carry out, for whoever looks at it. */
export class AllParkedReactions extends WaitingReactions {
  constructor(private readonly db: pg.Pool) {
    super();
  }

  /** The first two hundred, in the order in which they are tried. */
  async list(policy?: string): Promise<(WaitingReaction & { parkedAt: string })[]> {
    const { rows } = await this.db.query<WaitingReaction & { parkedAt: string }>(
      `select policy, command_id as reaction, stream, position, command, error, parked_at as "parkedAt"
       from parked_reactions
       where policy = coalesce($1, policy)
       order by policy, stream, position, n
       limit $2`,
      [policy, shownAtOnce],
    );
    return rows;
  }

  async find(reaction: string): Promise<WaitingReaction | undefined> {
    const { rows } = await this.db.query<WaitingReaction>(
      `select policy, command_id as reaction, stream, position, command, error
       from parked_reactions
       where command_id = $1`,
      [reaction],
    );
    return rows[0];
  }

  async drop({ reaction }: WaitingReaction, record: () => Promise<void>): Promise<void> {
    await inTransaction(this.db, async (client) => {
      const { rowCount } = await client.query('delete from parked_reactions where command_id = $1', [reaction]);
      // It may have been carried out meanwhile.
      if (rowCount === 1) await record();
    });
  }
}

import type pg from 'pg';
import type { Checkpoint } from '../projections/projector/checkpoint.js';

/** How far the policies have come by the log. Only the owner of the last term moves one, and only from where it believes it to be. */
export class PolicyCheckpoints {
  constructor(private readonly db: pg.Pool) {}

  /** From now on only this term moves it. Answers undefined when a later term has it already. */
  async take(policy: string, term: number): Promise<Checkpoint | undefined> {
    const { rows } = await this.db.query<Checkpoint>(
      `insert into policy_checkpoints as checkpoint (policy, term)
       values ($1, $2)
       on conflict (policy) do update
       set term = excluded.term
       where checkpoint.term <= excluded.term
       returning position, event_id as "eventId", stream, revision`,
      [policy, term],
    );
    return rows[0];
  }

  /** False when it was elsewhere, or another term's. */
  async move(policy: string, term: number, from: Checkpoint, to: Checkpoint): Promise<boolean> {
    // A crash of the server may take it back, and the reactions since then are sent again: nothing waits for the disk.
    const { rows } = await this.db.query<{ moved: boolean }>(
      `with moved as (
         update policy_checkpoints
         set position = $5, event_id = $6, stream = $7, revision = $8, halted = null, moved_at = clock_timestamp()
         where policy = $1
           and term = $2
           and position = $3
           and event_id = $4
         returning policy
       )
       select exists (select from moved) as moved, set_config('synchronous_commit', 'off', true)`,
      [policy, term, from.position, from.eventId, to.position, to.eventId, to.stream, to.revision],
    );
    return rows[0]?.moved ?? false;
  }

  async halt(policy: string, term: number, reason: string): Promise<void> {
    await this.db.query(
      `update policy_checkpoints
       set halted = $3
       where policy = $1
         and term = $2`,
      [policy, term, reason],
    );
  }
}

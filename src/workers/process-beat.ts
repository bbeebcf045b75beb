import type pg from 'pg';
import { pause } from '../pause.js';
import type { ProcessIdentity } from '../projections/projector/process-identity.js';
import type { Loop } from './loop.js';

const everyMs = 5_000;

/** A clock that is set right by the database's, and knows how far this machine's is off. */
interface Skewed {
  readonly skewMs: number;
}

/** Says that this process lives, which roles it has, and how its clock is; who reads it counts on a word every 5 s, in the database's time. */
export class ProcessBeat implements Loop {
  readonly name = 'the beat of this process';

  constructor(
    private readonly db: pg.Pool,
    private readonly me: ProcessIdentity,
    private readonly roles: readonly string[],
    private readonly clock: Skewed,
  ) {}

  async turn(signal: AbortSignal): Promise<void> {
    await pause(everyMs, signal);
    if (!signal.aborted) await this.beat();
  }

  async beat(): Promise<void> {
    await this.db.query(
      `insert into processes (holder, host, pid, roles, skew_ms)
       values ($1, $2, $3, $4, $5)
       on conflict (holder) do update
       set seen_at = clock_timestamp(), skew_ms = excluded.skew_ms`,
      [this.me.holder, this.me.host, this.me.pid, this.roles, Math.round(this.clock.skewMs)],
    );
  }

  /** It ends as it should: nobody has to wait for its silence. Without the database, it is missed a little later. */
  async end(): Promise<void> {
    await this.db.query('delete from processes where holder = $1', [this.me.holder]).catch(() => {});
  }
}

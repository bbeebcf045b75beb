import { createHmac, randomUUID } from 'node:crypto';
import type pg from 'pg';
import { isOutage } from './database.js';
import { outOfReach } from './event-store/postgres-errors.js';

/** What goes back to a client, kept as it is so that asking again is answered the same. */
export interface Answered {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON */
  readonly body: string;
}

/** What a client asks under a key of its own, so that asking again is harmless. */
export interface Keyed {
  /** the concrete path */
  readonly path: string;
  readonly key: string;
  /** what a repeat must have in common with the first request */
  readonly compared: string | Buffer;
  /** what a repeat takes over from the first request, whatever it says itself */
  readonly target?: object;
}

export interface Reservation {
  readonly commandId: string;
  /** this request has the body of the first one */
  readonly sameBody: boolean;
  readonly target: object | undefined;
  /** undefined: it is not known yet what came of it */
  readonly known: Answered | undefined;
}

interface Row {
  body_hash: Buffer;
  command_id: string;
  target: object | null;
  status: number | null;
  headers: Answered['headers'] | null;
  body: string | null;
}

/**
 * Keys are reserved before the command, and settled with its answer; one that is still pending is asked again.
 *
 * A reservation has to be as durable as the command. In the same Postgres, the append that comes after it brings it to the disk; a log that
 * is kept elsewhere would outlive it in a crash of Postgres, and a repeat would be another command: there it waits for the disk itself.
 */
export class IdempotencyKeys {
  private secret: Promise<Buffer> | undefined;

  constructor(
    private readonly db: pg.Pool,
    private readonly log: { readonly isElsewhere: boolean } = { isElsewhere: false },
  ) {}

  /** @throws StoreUnavailable */
  async reserve({ path, key, compared, target }: Keyed): Promise<Reservation> {
    const hash = await this.hashOf(compared);
    // Not made from the key: after its 24 hours a key may come again, and is then another command.
    const commandId = randomUUID();
    const { isElsewhere } = this.log;
    const [row] = await this.query<Row>('idempotency-reserve', reserve, [path, key, hash, target, commandId, isElsewhere]);
    if (!row) throw new Error(`${path}: the key ${key} was neither reserved nor found`);
    return {
      commandId: row.command_id,
      sameBody: row.body_hash.equals(hash),
      target: row.target ?? undefined,
      known: answeredOf(row),
    };
  }

  /**
   * Its loss does no harm: the command is found by its id, and answered the same. A reservation that a crash of Postgres took back before
   * the command was appended, by somebody who did not give up, is made up for.
   */
  async settle({ path, key, compared, target }: Keyed, commandId: string, { status, headers, body }: Answered): Promise<void> {
    const values = [path, key, await this.hashOf(compared), target, commandId, status, headers, body];
    await this.query('idempotency-settle', settle, values).catch(() => {});
  }

  /** Nothing was decided, so the key is free for a request that can be. */
  async forget({ path, key }: Keyed): Promise<void> {
    await this.query('idempotency-forget', 'delete from idempotency_keys where path = $1 and key = $2 and status is null', [
      path,
      key,
    ]);
  }

  /** Removes keys of more than 24 hours, at most `limit`; answers how many. */
  async expire(limit: number): Promise<number> {
    return (await this.query('idempotency-expire', expire, [limit])).length;
  }

  private async hashOf(compared: Keyed['compared']): Promise<Buffer> {
    return createHmac('sha256', await this.readSecret())
      .update(compared)
      .digest();
  }

  private readSecret(): Promise<Buffer> {
    this.secret ??= this.query<{ secret: Buffer }>('idempotency-secret', 'select secret from idempotency_secret', []).then(
      ([row]) => row!.secret,
      (error: unknown) => {
        this.secret = undefined;
        throw error;
      },
    );
    return this.secret;
  }

  private async query<R extends pg.QueryResultRow>(name: string, text: string, values: unknown[]): Promise<R[]> {
    try {
      return (await this.db.query<R>({ name, text, values })).rows;
    } catch (error) {
      throw isOutage(error) ? outOfReach(error) : error;
    }
  }
}

const answeredOf = ({ status, headers, body }: Row): Answered | undefined =>
  status === null ? undefined : { status, headers: headers ?? {}, body: body ?? '' };

/** The update changes nothing: it makes the row that is there come back. */
const reserve = `
  with relaxed as materialized (
    select set_config('synchronous_commit', case when $6 then current_setting('synchronous_commit') else 'off' end, true)
  )
  insert into idempotency_keys as known (path, key, body_hash, target, command_id)
  select $1, $2, $3, $4, $5
  from relaxed
  on conflict (path, key) do update
  set key = excluded.key
  returning body_hash, command_id, target, status, headers, body`;

const settle = `
  with relaxed as materialized (
    select set_config('synchronous_commit', 'off', true)
  )
  insert into idempotency_keys as known (path, key, body_hash, target, command_id, status, headers, body)
  select $1, $2, $3, $4, $5, $6, $7, $8
  from relaxed
  on conflict (path, key) do update
  set status = excluded.status,
    headers = excluded.headers,
    body = excluded.body
  where known.command_id = excluded.command_id`;

const expire = `
  delete from idempotency_keys
  where ctid in (
    select ctid
    from idempotency_keys
    where reserved_at < clock_timestamp() - interval '24 hours'
    order by reserved_at
    limit $1
    for update skip locked
  )
  returning true`;

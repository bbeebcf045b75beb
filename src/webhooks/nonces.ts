import type pg from 'pg';
import type { Clock } from '../commands/ledger.js';
import type { Signature } from './signatures.js';

/** A signature that came to an address. */
export interface Nonce extends Signature {
  /** SHA-256 of the public id */
  readonly address: Buffer;
}

export interface ReservedNonce {
  /** of the request that came first with it */
  readonly commandId: string;
  /** that command was decided; before, a repeat finishes it */
  readonly isSettled: boolean;
}

/** Signatures are reserved before their command and settled after it, so that one can be sent twice only to find out what became of it. */
export class WebhookNonces {
  constructor(
    private readonly db: pg.Pool,
    private readonly clock: Pick<Clock, 'now'>,
  ) {}

  async reserve({ address, nonce, keptMs }: Nonce, commandId: string): Promise<ReservedNonce> {
    const until = new Date(this.clock.now().getTime() + keptMs);
    const { rows } = await this.db.query<ReservedNonce>({
      name: 'webhook-nonce-reserve',
      text: reserve,
      values: [address, nonce, commandId, until],
    });
    return rows[0]!;
  }

  /** Its loss does no harm: a repeat is then answered as the first one was. */
  async settle({ address, nonce }: Nonce): Promise<void> {
    const settled = { name: 'webhook-nonce-settle', text: settle, values: [address, nonce] };
    await this.db.query(settled).catch(() => {});
  }

  /** Removes those whose request would be too old by now, at most `limit`; answers how many. */
  async expire(limit: number): Promise<number> {
    return (await this.db.query(expire, [this.clock.now(), limit])).rowCount ?? 0;
  }
}

/** The update changes nothing: it makes the row that is there come back. */
const reserve = `
  insert into webhook_nonces as known (public_hash, nonce, command_id, kept_until)
  values ($1, $2, $3, $4)
  on conflict (public_hash, nonce) do update
  set command_id = known.command_id
  returning command_id as "commandId", settled_at is not null as "isSettled"`;

const settle = `
  update webhook_nonces
  set settled_at = clock_timestamp()
  where public_hash = $1
    and nonce = $2`;

const expire = `
  delete from webhook_nonces
  where ctid in (
    select ctid
    from webhook_nonces
    where kept_until < $1
    order by kept_until
    limit $2
    for update skip locked
  )`;

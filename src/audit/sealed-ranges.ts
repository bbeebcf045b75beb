import type pg from 'pg';
import type { Position } from '../events/event.js';
import type { Sealed } from './chain.js';

const columns = `
  range,
  first_position as first,
  last_position as last,
  encode(root, 'hex') as root,
  encode(chain, 'hex') as chain,
  encode(signature, 'hex') as signature,
  encode(public_key, 'hex') as "publicKey"`;

/** What has been sealed of the log. */
export class SealedRanges {
  constructor(private readonly db: pg.Pool) {}

  /** By number, from the first that is `from` or more. */
  async from(from: number, limit: number): Promise<Sealed[]> {
    return this.find('where range >= $1 order by range limit $2', [from, limit]);
  }

  async get(range: number): Promise<Sealed | undefined> {
    return (await this.find('where range = $1', [range]))[0];
  }

  async last(): Promise<Sealed | undefined> {
    return (await this.find('order by range desc limit 1', []))[0];
  }

  /** The one in which the position lies. */
  async covering(position: Position): Promise<Sealed | undefined> {
    const [found] = await this.find('where last_position >= $1 order by last_position limit 1', [position]);
    return found && found.first <= position ? found : undefined;
  }

  /** False: that range is sealed already. */
  async add({ range, first, last, root, chain, signature, publicKey }: Sealed): Promise<boolean> {
    const { rowCount } = await this.db.query(
      `insert into public.audit_ranges (range, first_position, last_position, root, chain, signature, public_key)
       values ($1, $2, $3, decode($4, 'hex'), decode($5, 'hex'), decode($6, 'hex'), decode($7, 'hex'))
       on conflict (range) do nothing`,
      [range, first, last, root, chain, signature, publicKey],
    );
    return rowCount === 1;
  }

  private async find(which: string, values: readonly unknown[]): Promise<Sealed[]> {
    const { rows } = await this.db.query<Row>(`select ${columns} from public.audit_ranges ${which}`, [...values]);
    return rows.map(({ signature, publicKey, ...row }) => ({ ...row, ...(signature && publicKey && { signature, publicKey }) }));
  }
}

interface Row extends Omit<Sealed, 'signature' | 'publicKey'> {
  readonly signature: string | null;
  readonly publicKey: string | null;
}

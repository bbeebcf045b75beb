import type pg from 'pg';
import type { Position } from '../events/event.js';
import type { LogMark, LogMarks } from '../event-store/log-marks.js';
import type { StoredLog } from '../event-store/stored-log.js';
import { rangeSize, type Sealed } from './chain.js';

const columns = `
  range,
  first_position as first,
  last_position as last,
  encode(root, 'hex') as root,
  encode(chain, 'hex') as chain,
  encode(signature, 'hex') as signature,
  encode(public_key, 'hex') as "publicKey"`;

/** What has been sealed of a log; its ranges are the marks of that log. */
export class SealedRanges implements LogMarks {
  constructor(
    private readonly db: pg.Pool,
    private readonly log: Pick<StoredLog, 'id'>,
  ) {}

  /** By number, from the first that is `from` or more. */
  async from(from: number, limit: number): Promise<Sealed[]> {
    return this.find('and range >= $2 order by range limit $3', [from, limit]);
  }

  async get(range: number): Promise<Sealed | undefined> {
    return (await this.find('and range = $2', [range]))[0];
  }

  async last(): Promise<Sealed | undefined> {
    return (await this.find('order by range desc limit 1', []))[0];
  }

  /** The one in which the position lies. */
  async covering(position: Position): Promise<Sealed | undefined> {
    const [found] = await this.find('and last_position >= $2 order by last_position limit 1', [position]);
    return found && found.first <= position ? found : undefined;
  }

  async upTo(position: Position): Promise<LogMark | undefined> {
    return markAt((await this.find('and last_position <= $2 order by last_position desc limit 1', [position]))[0]);
  }

  async before(time: string): Promise<LogMark | undefined> {
    return markAt((await this.find('and last_recorded_at <= $2 order by range desc limit 1', [time]))[0]);
  }

  /** `recordedAt`: the time of the last event. False: that range is sealed already. */
  async add({ range, first, last, root, chain, signature, publicKey }: Sealed, recordedAt: string): Promise<boolean> {
    const { rowCount } = await this.db.query(
      `insert into public.audit_ranges
         (log, range, first_position, last_position, root, chain, signature, public_key, last_recorded_at)
       values ($1, $2, $3, $4, decode($5, 'hex'), decode($6, 'hex'), decode($7, 'hex'), decode($8, 'hex'), $9)
       on conflict (log, range) do nothing`,
      [await this.log.id(), range, first, last, root, chain, signature, publicKey, recordedAt],
    );
    return rowCount === 1;
  }

  private async find(which: string, values: readonly unknown[]): Promise<Sealed[]> {
    const { rows } = await this.db.query<Row>(`select ${columns} from public.audit_ranges where log = $1 ${which}`, [
      await this.log.id(),
      ...values,
    ]);
    return rows.map(({ signature, publicKey, ...row }) => ({ ...row, ...(signature && publicKey && { signature, publicKey }) }));
  }
}

const markAt = (range: Sealed | undefined): LogMark | undefined =>
  range && { position: range.last, events: (range.range + 1) * rangeSize };

interface Row extends Omit<Sealed, 'signature' | 'publicKey'> {
  readonly signature: string | null;
  readonly publicKey: string | null;
}

import type { Projection } from '../projection.js';

/** Of a read model's table, in its order; `type` as Postgres writes it. */
export interface Column {
  readonly name: string;
  readonly type: string;
}

/**
 * The statements of one read model. Those that move the checkpoint take, before anything else: $1 read model, $2 term, $3 position and
 * $4 event id where it is, $5 position, $6 event id, $7 stream and $8 revision where it goes.
 */
export function statements<Row extends object>({ name, key }: Projection<Row>, readModel: string, columns: readonly Column[]) {
  const table = `${readModel}.${name}`;
  const names = columns.map((column) => column.name);
  const keyColumns = key.map((part) => columns.find((column) => column.name === part)!);
  const sameKey = key.map((column) => `stored.${column} = given.${column}`).join(' and ');
  const rowsAndKeys = `
      ${moved},
      written as (
        insert into ${table} (${names.join(', ')})
        select given.*
        from unnest(${lists(columns, 9)}) as given (${names.join(', ')})
        where exists (select from moved)
        on conflict (${key.join(', ')}) do update
        set ${names.map((column) => `${column} = excluded.${column}`).join(', ')}
      ),
      removed as (
        delete from ${table} stored
        using unnest(${lists(keyColumns, 9 + columns.length)}) as given (${key.join(', ')})
        where ${sameKey}
          and exists (select from moved)
      )`;
  return {
    load: `
      select stored.*
      from unnest(${lists(keyColumns, 1)}) as given (${key.join(', ')})
      join ${table} stored on ${sameKey}`,
    loadAll: `
      select *
      from ${table}
      limit $1`,
    // Rows and checkpoint are lost together if the server crashes, so nothing waits for the disk.
    write: `
      with ${rowsAndKeys}
      select exists (select from moved) as moved, set_config('synchronous_commit', 'off', true)`,
    unpark: `
      with ${rowsAndKeys},
      freed as (
        delete from parked_streams
        where read_model = $1
          and stream = $${9 + columns.length + key.length}
          and exists (select from moved)
      )
      select exists (select from moved) as moved`,
    park: `
      with ${moved}
      insert into parked_streams (read_model, stream, position, revision, event_id, error)
      select read_model, $9, $10, $11, $12, $13
      from moved`,
  };
}

/** Only the owner of this term moves it, and only from where it believes it to be; whoever else tries writes nothing. */
const moved = `moved as (
        update checkpoints
        set position = $5, event_id = $6, stream = $7, revision = $8, halted = null, moved_at = clock_timestamp()
        where read_model = $1
          and term = $2
          and position = $3
          and event_id = $4
        returning read_model
      )`;

/** One list per column, from parameter number `first` on. */
const lists = (columns: readonly Column[], first: number): string =>
  columns.map(({ type }, place) => `$${first + place}::${type}[]`).join(', ');

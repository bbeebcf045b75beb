import pg from 'pg';
import { newStream, sampleEvent, sampleMetadata } from './samples.mjs';

const table = `
  create table plain_events (
    position bigserial primary key,
    stream text collate "C" not null,
    revision int not null,
    id uuid not null,
    type text collate "C" not null,
    schema smallint not null,
    data jsonb not null,
    metadata jsonb not null,
    recorded_at timestamptz not null default clock_timestamp(),
    unique (stream, revision)
  );
  create function plain_append(stream text, expected int, id uuid, type text, schema int, data jsonb, metadata jsonb)
  returns bigint language plpgsql as $$
  #variable_conflict use_column
  declare appended bigint;
  begin
    insert into plain_events (stream, revision, id, type, schema, data, metadata)
    values ($1, $2 + 1, $3, $4, $5, $6, $7)
    on conflict (stream, revision) do nothing
    returning position into appended;
    return appended;
  end $$`;

const columns = 'insert into plain_events (stream, revision, id, type, schema, data, metadata) select';
const lists = 'unnest($2::uuid[], $3::text[], $4::jsonb[], $5::jsonb[]) with ordinality as e (id, type, data, metadata, n)';

/** What a log is without a ledger: a table like ours, one function call per event, on as many connections as there are callers. */
export async function plainAppend(url, connections, { create = true } = {}) {
  const pool = new pg.Pool({ connectionString: url, max: connections });
  if (create) await pool.query(table);
  return {
    one(stream = newStream(), revision = -1) {
      const { id, type, data } = sampleEvent();
      const values = [stream, revision, id, type, 1, JSON.stringify(data), JSON.stringify(sampleMetadata())];
      return pool.query({ name: 'one', text: 'select plain_append($1, $2, $3, $4, $5, $6, $7)', values });
    },
    /** to one stream, behind a revision of it */
    batch: (size, stream = newStream(), revision = -1) =>
      pool.query({
        name: 'batch',
        text: `${columns} $1, n + $6::int, id, type, 1, data, metadata from ${lists}`,
        values: [stream, ...sampleLists(size), revision],
      }),
    /** each to its own stream */
    spread(size) {
      const streams = Array.from({ length: size }, newStream);
      const text = `${columns} ($1::text[])[n], 0, id, type, 1, data, metadata from ${lists}`;
      return pool.query({ name: 'spread', text, values: [streams, ...sampleLists(size)] });
    },
    close: () => pool.end(),
  };
}

function sampleLists(size) {
  const events = Array.from({ length: size }, sampleEvent);
  return [
    events.map(({ id }) => id),
    events.map(({ type }) => type),
    events.map(({ data }) => JSON.stringify(data)),
    events.map(() => JSON.stringify(sampleMetadata())),
  ];
}

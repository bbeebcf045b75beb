import pg from 'pg';
import { PostgresEventStore } from '../../dist/event-store/postgres.js';
import { bareClient } from './bare-client.mjs';
import { plainAppend } from './plain-append.mjs';
import { sampleEvent, sampleMetadata } from './samples.mjs';

/** Postgres takes a hundred connections as it is delivered; more callers than this share them. */
const mostConnections = 64;

/** The event store of an engine, by the name of the engine. */
export const engines = {
  postgres: async (url) => new PostgresEventStore({ url }),
  async eventstoredb(url) {
    const { EventStoreDbEventStore } = await import('../../dist/event-store/eventstoredb.js');
    return new EventStoreDbEventStore({ url });
  },
};

/**
 * What is asked for the same: our engines, and what each stands beside. `append(size, stream, revision)` adds events behind a revision
 * of a stream, -1 when there is none yet; `page(after, limit)` answers events of the whole log, each with its position.
 */
export const stores = {
  postgres: async (url) => ourStore(await engines.postgres(url)),
  eventstoredb: async (url) => ourStore(await engines.eventstoredb(url)),
  plain: plainStore,
  bare: bareClient,
};

function ourStore(store) {
  return {
    async append(size, stream, revision) {
      const events = Array.from({ length: size }, sampleEvent);
      const expectedRevision = revision < 0 ? 'no-stream' : revision;
      const [result] = await store.append([{ stream, expectedRevision, events, metadata: sampleMetadata() }]);
      if (result.outcome !== 'appended' || result.replayed) throw new Error(`not appended: ${JSON.stringify(result)}`);
    },
    page: (after, limit) => store.readAll({ after, limit }),
    close: () => store.close(),
  };
}

/** One function call per event; and our own table read by its key, and parsed. */
async function plainStore(url) {
  const calls = await plainAppend(url, mostConnections);
  const reader = new pg.Client({ connectionString: url, types: { getTypeParser: () => (text) => text } });
  await reader.connect();
  const text = `
    select position, stream, revision, id, type, schema, data, metadata, recorded_at
    from events
    where position > $1
    order by position
    limit $2`;
  return {
    append: (size, ...behind) => (size === 1 ? calls.one(...behind) : calls.batch(size, ...behind)),
    async page(after, limit) {
      const { rows } = await reader.query({ name: 'page', text, values: [Number(after), limit] });
      return rows.map(({ data, metadata, ...row }) => ({ ...row, data: JSON.parse(data), metadata: JSON.parse(metadata) }));
    },
    close: () => Promise.all([calls.close(), reader.end()]),
  };
}

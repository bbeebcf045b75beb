// One process of appenders, for processes.test.ts: <compiled postgres.js> <database url> <its number>. Prints what was acknowledged.
import { randomUUID } from 'node:crypto';

const [compiled, url, number] = process.argv.slice(2);
const { PostgresEventStore } = await import(compiled);
const store = new PostgresEventStore({ url });
const metadata = { actor: { type: 'system', id: number }, correlationId: number, causationId: number, commandId: number };
const acknowledged = [];

await Promise.all(Array.from({ length: 8 }, (_, appender) => appendMany(appender)));
await store.close();
console.log(JSON.stringify(acknowledged));

/** Every third write goes to a stream that all processes share. */
async function appendMany(appender) {
  let revision = 'no-stream';
  for (let i = 0; i < 60; i += 1) {
    const shared = i % 3 === 0;
    const stream = shared ? `task-acme.SHARED-${i % 4}` : `task-acme.P${number}-${appender}`;
    const events = Array.from({ length: 1 + (i % 3) }, () => ({ id: randomUUID(), type: 'RunQueued', schema: 1, data: { i } }));
    const [result] = await store.append([{ stream, expectedRevision: shared ? 'any' : revision, events, metadata }]);
    if (result.outcome !== 'appended') throw new Error(`${stream}: ${JSON.stringify(result)}`);
    if (!shared) revision = result.revision;
    acknowledged.push(...result.events.map(({ id, position }) => [id, position]));
  }
}

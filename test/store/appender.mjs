// A process that appends until the log is closed: <compiled postgres.js> <database url> <its number>. Prints a line when it has begun,
// and at its end what was acknowledged and how it ended.
import { randomUUID } from 'node:crypto';

const [compiled, url, number] = process.argv.slice(2);
const { PostgresEventStore } = await import(compiled);
const store = new PostgresEventStore({ url });
const metadata = { actor: { type: 'system', id: number }, correlationId: number, causationId: number, commandId: number };
const acknowledged = [];
const errors = new Set();

await Promise.all(Array.from({ length: 8 }, (_, appender) => appendUntilRefused(appender)));
await store.close();
console.log(JSON.stringify({ acknowledged, errors: [...errors] }));

async function appendUntilRefused(appender) {
  const stream = `task-acme.P${number}-${appender}`;
  try {
    for (;;) {
      const events = [{ id: randomUUID(), type: 'RunQueued', schema: 1, data: {} }];
      const [result] = await store.append([{ stream, expectedRevision: 'any', events, metadata }]);
      acknowledged.push(events[0].id);
      if (acknowledged.length === 50) console.log('it has begun');
      if (result.outcome !== 'appended') throw new Error(JSON.stringify(result));
    }
  } catch (error) {
    errors.add(error.name);
  }
}

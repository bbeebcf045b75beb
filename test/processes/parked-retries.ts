import { taskStream, nameUuid, type Recorded } from '../../src/events/event.js';
import type { LedgerEvent } from '../../src/events/ledger-event.js';
import type { Write } from '../../src/event-store/event-store.js';
import { PostgresEventStore } from '../../src/event-store/postgres.js';
import { put } from './ask.js';
import { failedRun } from './runs.js';

const pattern = 'PATTERN';
const atATime = 10_000;

/** Has one run of a task fail, and gives `count` tasks that very history: each then has a retry that is due at the same time. */
export async function parkRetries(serverUrl: string, databaseUrl: string, count: number): Promise<void> {
  await put(serverUrl, 'agents/coder', {});
  await put(serverUrl, `tasks/${pattern}`, { title: 'Translate' });
  await failedRun(serverUrl, 'coder', pattern);
  const store = new PostgresEventStore({ url: databaseUrl });
  try {
    const history = await store.readStream<LedgerEvent>(taskStream('acme', pattern));
    for (let from = 0; from < count - 1; from += atATime) {
      const writes = Array.from({ length: Math.min(atATime, count - 1 - from) }, (_, n) => copy(history, from + n));
      const results = await store.append(writes);
      if (results.some(({ outcome }) => outcome !== 'appended')) throw new Error('a history could not be copied');
    }
  } finally {
    await store.close();
  }
}

/** The same facts of another task, under ids of their own. */
function copy(history: readonly Recorded<LedgerEvent>[], n: number): Write<LedgerEvent> {
  const task = `ACME-${n}`;
  const events = history.map(({ id, type, schema, data }) => ({ id, type, schema, data }));
  const text = JSON.stringify(events)
    .replaceAll(pattern, task)
    .replace(uuids, (id) => nameUuid('copy', id, n));
  const commandId = nameUuid('copy', task);
  const metadata = { actor: { type: 'system', id: 'test' }, correlationId: task, causationId: commandId, commandId } as const;
  return { stream: taskStream('acme', task), expectedRevision: 'no-stream', events: JSON.parse(text), metadata };
}

const uuids = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;

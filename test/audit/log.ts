import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import type pg from 'pg';
import { Sealer } from '../../src/audit/sealer.js';
import { SealedRanges } from '../../src/audit/sealed-ranges.js';
import { PostgresLog } from '../../src/event-store/postgres-log.js';
import { PostgresEventStore } from '../../src/event-store/postgres.js';
import { nameUuid, taskStream } from '../../src/events/event.js';
import type { EventStore } from '../../src/event-store/event-store.js';

export const keyPair = () => generateKeyPairSync('ed25519');

const perStream = 40;

/** Events of many streams, `perStream` of each in a row. Their payloads have what is hard to write the same way twice. */
export async function fill(store: EventStore, count: number, from = 0): Promise<void> {
  for (let done = 0; done < count; done += perStream) {
    const streamNumber = (from + done) / perStream;
    const events = Array.from({ length: Math.min(perStream, count - done) }, (_, n) => ({
      id: nameUuid('audited', from + done + n),
      type: 'CommentAdded',
      schema: 1,
      data: { zulu: n, alpha: { ключ: [1e21, 0.1, -0, 1e-7, null, 'a\u2028b'] }, body: `comment ${n}` },
    }));
    const metadata = {
      actor: { type: 'user', id: 'ada' },
      correlationId: 'c',
      causationId: 'c',
      commandId: nameUuid('command', streamNumber),
    } as const;
    const stream = taskStream('acme', `T-${streamNumber}`);
    const [result] = await store.append([{ stream, expectedRevision: 'no-stream', events, metadata }]);
    if (result?.outcome !== 'appended') throw new Error(`not appended: ${JSON.stringify(result)}`);
  }
}

/** `from`: how many it has been filled with before, a multiple of forty or none of its streams goes on. */
export async function filledLog(url: string, count: number, from = 0): Promise<void> {
  const store = new PostgresEventStore({ url, log: { info: () => {}, warn: () => {} } });
  await fill(store, count, from).finally(() => store.close());
}

export function auditOf(db: pg.Pool) {
  const events = new PostgresLog(db);
  return { events, ranges: new SealedRanges(db, events) };
}

/** All that is complete. */
export async function seal(db: pg.Pool, key?: KeyObject, sealer = new Sealer({ ...auditOf(db), key })): Promise<Sealer> {
  while (await sealer.advance());
  return sealer;
}

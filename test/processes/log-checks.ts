import pg from 'pg';
import { beginning, type Position, type Recorded } from '../../src/events/event.js';
import type { LaneEvent } from '../../src/events/lane.js';
import type { LedgerEvent } from '../../src/events/ledger-event.js';
import { PostgresEventStore } from '../../src/event-store/postgres.js';
import { foldLog, keyOf } from '../../src/projections/projector/fold.js';
import { brokenLaws } from '../laws.js';
import { projectionsOfTheLedger } from '../../src/projections/all.js';
import { type AnyProjection } from '../../src/projections/projection.js';
import type { Acknowledged } from './load.js';
import { get } from './ask.js';
import { until } from './until.js';

export type Log = readonly Recorded<LedgerEvent>[];

/** The log as a reader gets it from its engine. */
export async function readLog(url: string): Promise<Log> {
  const store = new PostgresEventStore({ url });
  try {
    return await store.readAll<LedgerEvent>({ after: beginning, limit: 1_000_000 });
  } finally {
    await store.close();
  }
}

/** How many promotions the log has, and those of them that promote once more what was promoted; read by pages, as it may be long. */
export async function promotionsIn(url: string): Promise<{ count: number; doubled: string[] }> {
  const store = new PostgresEventStore({ url });
  const promoted = new Set<string>();
  const doubled: string[] = [];
  try {
    const after = (position: Position) =>
      store.readAll<LedgerEvent>({ after: position, limit: 20_000, types: ['RetryPromoted'] });
    for (let page = await after(beginning); page.length > 0; page = await after(page.at(-1)!.position))
      for (const { company, subject, type, data } of page) {
        if (type !== 'RetryPromoted') continue;
        const run = `${company} ${subject} ${data.runId}`;
        if (promoted.has(run)) doubled.push(run);
        promoted.add(run);
      }
    return { count: promoted.size + doubled.length, doubled };
  } finally {
    await store.close();
  }
}

/** Of positions that count events: none is missing. Others only go on. */
const digitsOfCount = 16;

/** Holes, doubles, and whatever else no log may have; nothing when it is sound. `maxAttempts`: the most that an agent's policy gives. */
export function faultsOf(log: Log, maxAttempts: number): string[] {
  const isCounted = log.every(({ position }) => position.length === digitsOfCount);
  const faults = log.flatMap(({ position }, i) => {
    const isInPlace = isCounted ? Number(position) === i + 1 : i === 0 || position > log[i - 1]!.position;
    return isInPlace ? [] : [`position ${position} is at place ${i + 1}`];
  });
  if (new Set(log.map(({ id }) => id)).size !== log.length) faults.push('an event id is there twice');
  for (const [stream, events] of byStream(log)) {
    faults.push(...events.flatMap(({ revision }, i) => (revision === i ? [] : [`${stream}: revision ${revision} at ${i}`])));
    if (!stream.startsWith('task-')) continue;
    faults.push(...appendedTwice(events).map((command) => `${stream}: ${command} was carried out twice`));
    faults.push(...brokenLaws(events as readonly Recorded<LaneEvent>[], { maxAttempts }).map((broken) => `${stream}: ${broken}`));
  }
  return faults;
}

function byStream(log: Log): Map<string, Recorded<LedgerEvent>[]> {
  const streams = new Map<string, Recorded<LedgerEvent>[]>();
  for (const event of log) {
    const events = streams.get(event.stream);
    if (events) events.push(event);
    else streams.set(event.stream, [event]);
  }
  return streams;
}

/** Commands whose events are not all of one append. */
function appendedTwice(events: Log): string[] {
  const last = new Map<string, number>();
  return events.flatMap(({ metadata: { commandId }, revision }) => {
    const before = last.get(commandId);
    last.set(commandId, revision);
    return before === undefined || before === revision - 1 ? [] : [commandId];
  });
}

/** Acknowledged commands of which the log has nothing. Promotions may have had nothing to do. */
export async function lostCommands(url: string, acknowledged: readonly Acknowledged[], log: Log): Promise<string[]> {
  const written = new Set(log.map(({ metadata }) => metadata.commandId));
  const ids = await commandIds(url);
  return acknowledged
    .filter(({ path }) => path !== 'retries/promote-due')
    .filter(({ path, key }) => !written.has(ids.get(`/v1/companies/acme/${path} ${key}`) ?? ''))
    .map(({ method, path, key }) => `${method} ${path} (${key})`);
}

/** By path and idempotency key. */
async function commandIds(url: string): Promise<Map<string, string>> {
  const client = new pg.Client(url);
  await client.connect();
  const { rows } = await client.query<{ path: string; key: string; command_id: string }>(
    'select path, key, command_id from idempotency_keys',
  );
  await client.end();
  return new Map(rows.map(({ path, key, command_id }) => [`${path} ${key}`, command_id]));
}

/** Waits until every read model has folded what the log has now; answers how long that took in ms. */
export async function caughtUp(url: string, ms = 12_000): Promise<number> {
  const began = performance.now();
  const { head } = (await get(url, '/v1/projections')).body;
  const behind = ({ position }: { position: string }) => position < head;
  await until('read models at the head', async () => !(await get(url, '/v1/projections')).body.items.some(behind), ms);
  return performance.now() - began;
}

/** Read models whose rows are not a fold of the log. */
export async function unfaithful(db: pg.Pool, log: Log): Promise<string[]> {
  const names = [];
  for (const projection of projectionsOfTheLedger) if (!(await isFaithful(db, projection, log))) names.push(projection.name);
  return names;
}

async function isFaithful(db: pg.Pool, projection: AnyProjection, log: Log): Promise<boolean> {
  const { name, version, key } = projection;
  const { rows } = await db.query<Record<string, unknown>>(`select * from ${name}_v${version}.${name}`);
  const keyed = (row: object) => keyOf(key.map((column) => row[column as never]));
  const sorted = (list: object[]) => JSON.stringify(list.toSorted((a, b) => (keyed(a) < keyed(b) ? -1 : 1)).map(canonical));
  return sorted(rows) === sorted(foldLog(projection, log));
}

/** `jsonb` has an order of keys of its own. */
function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, inner]) => [name, canonical(inner)]),
  );
}

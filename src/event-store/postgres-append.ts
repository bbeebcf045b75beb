import type pg from 'pg';
import type { Recorded } from '../events/event.js';
import type { ExpectedRevision, WriteResult } from './event-store.js';
import type { Call } from './gatherer.js';
import { positionOf } from './position.js';
import { isDataError } from './postgres-errors.js';
import { query, type Statement } from './postgres-query.js';
import { isoTime } from './postgres-rows.js';
import { recordedEvents, type PreparedWrite } from './prepared-write.js';

/** A replayed write comes without its events: they are read afterwards, so that the next call need not wait for that. */
export type Answer = WriteResult | { readonly outcome: 'replayed'; readonly revision: number };

interface AnswerRow {
  outcome: 'appended' | 'replayed' | 'conflict';
  revision: string;
  position: string | null;
  recorded_ms: string | null;
}

const appendOne: Statement<AnswerRow> = {
  name: 'append_one',
  text: 'select outcome, revision, position, recorded_ms from public.append_one($1, $2, $3, $4)',
};

const appendEvents: Statement<AnswerRow> = {
  name: 'append_events',
  text: 'select outcome, revision, position, recorded_ms from public.append_events($1, $2, $3, $4, $5)',
};

/** The round trips of the gatherer: one write by the simpler function, several by the one for lists. */
export class PostgresAppend implements Call<PreparedWrite, Answer> {
  readonly #pool: pg.Pool;
  readonly #timeoutMs: number;
  readonly #appended: () => void;

  /** `appended` is called after each round trip that added to the log. */
  constructor(pool: pg.Pool, timeoutMs: number, appended: () => void) {
    this.#pool = pool;
    this.#timeoutMs = timeoutMs;
    this.#appended = appended;
  }

  async send(writes: readonly PreparedWrite[]): Promise<Answer[]> {
    const [first] = writes;
    const rows =
      first && writes.length === 1
        ? await query(
            this.#pool,
            appendOne,
            [first.stream, expectation(first.expected), `[${first.events.join()}]`, first.metadata],
            this.#timeoutMs,
          )
        : await query(this.#pool, appendEvents, columns(writes), this.#timeoutMs);
    if (rows.some(({ outcome }) => outcome === 'appended')) this.#appended();
    return writes.map((write, i) => answer(write, rows[i]!));
  }

  refusal({ stream }: PreparedWrite, error: unknown): Answer | undefined {
    if (!isDataError(error)) return undefined;
    return { outcome: 'refused', reason: `${stream}: Postgres cannot store the write: ${error.message} (${error.code})` };
  }
}

const columns = (writes: readonly PreparedWrite[]): unknown[] => [
  writes.map(({ stream }) => stream),
  writes.map(({ expected }) => expectation(expected)),
  writes.map(({ ids }) => ids.length),
  writes.map(({ metadata }) => metadata),
  `[${writes.flatMap(({ events }, i) => events.map((event) => numbered(event, i + 1))).join()}]`,
];

/** With the number of its write as one more field of the JSON object. */
const numbered = (event: string, write: number): string => `{"write":${write},${event.slice(1)}`;

/** The numbers that the functions of 0001_events.sql take. */
const expectation = (expected: ExpectedRevision): number => (typeof expected === 'number' ? expected : wildcards[expected]);
const wildcards = { 'no-stream': -1, 'stream-exists': -2, any: -3 };

function answer(write: PreparedWrite, row: AnswerRow): Answer {
  const revision = Number(row.revision);
  switch (row.outcome) {
    case 'conflict':
      return { outcome: 'conflict', actual: revision < 0 ? 'no-stream' : revision };
    case 'replayed':
      return { outcome: 'replayed', revision };
    case 'appended': {
      const place = Number(row.position);
      const events: Recorded[] = recordedEvents(write, revision, place, isoTime(row.recorded_ms ?? ''));
      return { outcome: 'appended', revision, position: positionOf(place), replayed: false, events };
    }
  }
}

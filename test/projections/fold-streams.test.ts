import { taskStream, type StreamId } from '../../src/events/event.js';
import { anyProjection, change, create, type AnyProjection, type Fact } from '../../src/projections/projection.js';
import type { Page } from '../../src/projections/projector/log-pages.js';
import { Fold, mostRows, type Row, type Share } from '../../src/projections/rebuild/fold-events.js';
import { foldInShares } from '../../src/projections/rebuild/fold-log.js';
import { foldStreams } from '../../src/projections/rebuild/fold-streams.js';

const on = {
  CommentRemoved: ({ subject, revision }: Fact<'CommentRemoved'>) => [
    create([subject, String(revision)], { task: subject, line: String(revision), events: 1 }),
    change<{ task: string; line: string; events: number }>([subject, 'all'], (row) => ({
      task: subject,
      line: 'all',
      events: (row?.events ?? 0) + 1,
    })),
  ],
};
/** A row per event, and one for all of a task. */
const lines = anyProjection({ name: 'lines', version: 1, key: ['task', 'line'], keyedBy: 'stream', on });

const pageSize = 500;

describe('folding stream by stream', () => {
  it('holds the rows of a page and of what is unfinished, however many streams there are', async () => {
    const log = new Log(Array.from({ length: 2_000 }, (_, n) => [taskStream('acme', `T-${n}`), 50] as const));
    const { most, rows } = await log.foldStreams(lines);
    expect(most).toBeLessThan(2 * pageSize);
    expect(rows).toEqual({ distinct: 102_000, written: 102_000, counted: 200_000 });
  });

  it('holds no more than its bound when one stream alone has more rows', async () => {
    const log = new Log([
      [taskStream('acme', 'T-1'), 10],
      [taskStream('acme', 'T-2'), mostRows + 500],
      [taskStream('acme', 'T-3'), mostRows + 10],
      [taskStream('acme', 'T-4'), 10],
    ]);
    const events = 2 * mostRows + 530;
    const { most, rows, folded } = await log.foldStreams(lines);
    expect(most).toBeLessThanOrEqual(mostRows + 2 * pageSize);
    expect(rows).toEqual({ distinct: events + 4, written: events + 4, counted: 2 * events });
    expect(folded).toBe(events);
  });
});

describe('folding the log in its order', () => {
  it('holds no more than its bound, however many rows come of it', async () => {
    const log = new Log([
      [taskStream('acme', 'T-1'), mostRows],
      [taskStream('acme', 'T-2'), 1.5 * mostRows],
    ]);
    const { most, rows, folded } = await log.foldInOrder(lines);
    expect(most).toBeLessThanOrEqual(mostRows + 2 * pageSize);
    expect(rows).toEqual({ distinct: 2.5 * mostRows + 2, written: 2.5 * mostRows + 2, counted: 5 * mostRows });
    expect(folded).toBe(2.5 * mostRows);
  });

  it('holds nothing of rows that are gone', async () => {
    const gone = anyProjection({
      ...lines,
      on: {
        CommentRemoved: ({ subject, revision }: Fact<'CommentRemoved'>) =>
          change([subject, String(Math.floor(revision / 2))], (row) =>
            row ? undefined : { task: subject, line: '', events: 1 },
          ),
      },
    });
    const { most, rows } = await new Log([[taskStream('acme', 'T-1'), 10_000]]).foldInOrder(gone);
    expect(most).toBeLessThan(2);
    expect(rows.written).toBe(0);
  });
});

/** Events of streams, so many of each, and how many rows are held between the pages that are made of them. */
class Log {
  private most = 0;
  private readonly seen = new Set<string>();
  private written = 0;
  private counted = 0;
  private fold: Fold | undefined;

  constructor(private readonly streams: readonly (readonly [StreamId, number])[]) {}

  async foldStreams(projection: AnyProjection) {
    return this.told(
      await foldStreams({
        ...this.parts(projection),
        pages: (behind) => this.pages(this.streams.slice(this.streams.findIndex(([stream]) => stream === behind) + 1)),
        pagesOf: (wanted) => this.pages(this.streams.filter(([stream]) => stream === wanted)),
      }),
    );
  }

  async foldInOrder(projection: AnyProjection) {
    return this.told(await foldInShares({ ...this.parts(projection), pages: () => this.pages(this.streams) }));
  }

  private parts(projection: AnyProjection) {
    return {
      fold: (share: Share) => (this.fold = new Fold(projection, new Set(), share)),
      rows: { add: (row: Row) => this.add(row), copyWhenMany: async () => {} },
    };
  }

  private told(folded: number) {
    const { most, written, counted } = this;
    return { folded, most, rows: { distinct: this.seen.size, written, counted } };
  }

  private add({ task, line, events }: Row): void {
    this.seen.add(`${String(task)} ${String(line)}`);
    this.written += 1;
    this.counted += Number(events);
  }

  private async *pages(streams: readonly (readonly [StreamId, number])[]): AsyncGenerator<Page> {
    let page: Page[number][] = [];
    for (const [stream, count] of streams)
      for (let revision = 0; revision < count; revision++) {
        page.push(removed(stream, revision));
        if (page.length === pageSize) {
          yield page;
          page = [];
          this.most = Math.max(this.most, this.fold?.rows.size ?? 0);
        }
      }
    yield page;
  }
}

const metadata = {
  actor: { type: 'user', id: 'ada' },
  correlationId: 'chain-1',
  causationId: 'command-1',
  commandId: 'command-1',
} as const;

const removed = (stream: StreamId, revision: number): Page[number] => ({
  id: `${stream} ${revision}`,
  type: 'CommentRemoved',
  schema: 1,
  data: { task: 'T-1', commentId: 'comment-1', wakeupIds: [], removedAt: '2026-04-20T12:00:00.000Z' },
  stream,
  company: 'acme',
  subject: stream.slice('task-acme.'.length),
  revision,
  position: String(revision),
  recordedAt: '2026-04-20T12:00:00.000Z',
  metadata,
});

import type { Position } from '../../events/event.js';
import { pause } from '../../pause.js';
import type { StoredEvent, StoredLog } from '../stored-log.js';
import { Comparison, type Difference } from './comparison.js';
import { LogsDiffer, logsDiffer, targetHasMore } from './logs-differ.js';
import { pagesUpTo } from './pages.js';
import { patiently } from './patiently.js';

export type Source = Pick<StoredLog, 'id' | 'after' | 'head' | 'isSealed'>;
export type Target = Pick<StoredLog, 'id' | 'after' | 'take'>;

export interface Copy {
  readonly source: Source;
  readonly target: Target;
  /** goes on until the source is closed for writes, or the signal is aborted */
  readonly follow?: AbortSignal;
  readonly progress?: (progress: CopyProgress) => void;
}

export interface CopyProgress {
  /** `comparing`: what the target has already; then `copying` what it has not; `following`: all, and more may come */
  readonly phase: 'comparing' | 'copying' | 'following';
  /** events that are alike in both */
  readonly done: number;
}

/**
 * `complete`: the source is closed for writes, and the target has all of it. `open`: what is written to the source from now on is not
 * in the target. `moved`: the target has all of it, and the ledger goes on there already.
 */
export type CopyEnd = 'complete' | 'open' | 'moved';

export interface Copied {
  readonly end: CopyEnd;
  /** that both have in the same places, each compared as it was read from either */
  readonly events: number;
  /** of these, by this copy */
  readonly written: number;
  readonly streams: number;
  /** of all these events: `Digests.total` */
  readonly digest: string;
}

const pageSize = 1_000;
const lookMs = 500;

/**
 * Brings a log to be the beginning of another, or all of it: the nth event there is the nth event here. First compares what the target has
 * already, which may be from a copy that was cut off, wherever; then adds what is missing, and compares that too as it is read back. So
 * all of it is proven, each time. Two copies at once do no harm. The source may be written to: without `follow`, the copy ends with the event
 * that was the last when it began.
 *
 * @throws LogsDiffer when the target has another event anywhere; nothing is written behind it.
 */
export async function copyLog({ source, target, follow, progress }: Copy): Promise<Copied> {
  await refuseItself(source, target);
  const copying = new Copying(source, target, progress);
  for (;;) {
    const isSealed = await patiently(() => source.isSealed());
    const head = await patiently(() => source.head());
    await copying.upTo(head);
    const end = await copying.endAt(head, isSealed);
    if (end !== 'open' || !follow || follow.aborted) return copying.result(end);
    copying.say('following');
    await pause(lookMs, follow);
  }
}

async function refuseItself(source: Source, target: Target): Promise<void> {
  const id = await source.id();
  if (id === (await target.id()))
    throw new LogsDiffer(`source and target are one and the same log (${id}): copy it to another store`);
}

class Copying {
  private readonly both = new Comparison();
  private sourceAfter: Position | undefined;
  private targetAfter: Position | undefined;
  private written = 0;
  /** all that it had of itself is compared */
  private targetIsAtEnd = false;
  private checking = Promise.resolve();

  constructor(
    private readonly source: Source,
    private readonly target: Target,
    private readonly progress: Copy['progress'],
  ) {}

  async upTo(head: Position): Promise<void> {
    const read = (after: Position | undefined, limit: number) => patiently(() => this.source.after(after, limit));
    for await (const page of pagesUpTo(read, { after: this.sourceAfter, upTo: head, limit: pageSize })) {
      const there = this.targetIsAtEnd ? [] : await this.there(page.length);
      this.compare(page.slice(0, there.length), there);
      if (there.length < page.length) await this.write(page.slice(there.length));
      this.sourceAfter = page.at(-1)!.position;
      this.say(this.targetIsAtEnd ? 'copying' : 'comparing');
    }
    await this.checking;
    this.refuseDifference();
  }

  /** Behind the last event of the source, the target may have what another copy has written, that saw a later head. */
  async endAt(head: Position, isSealed: boolean): Promise<CopyEnd> {
    const [more] = await this.there(1);
    if ((await patiently(() => this.source.head())) !== head) return 'open';
    if (!more) return isSealed ? 'complete' : 'open';
    if (more.type === 'StoreMoved' && more.data.to === (await this.target.id())) return 'moved';
    throw targetHasMore(this.both.events + 1, more);
  }

  result(end: CopyEnd): Copied {
    const { events, streams } = this.both;
    return { end, events, written: this.written, streams, digest: this.both.digest() };
  }

  say(phase: CopyProgress['phase']): void {
    this.progress?.({ phase, done: this.both.events });
  }

  /** While the next page is written, this one is read back. */
  private async write(events: readonly StoredEvent[]): Promise<void> {
    this.refuseDifference();
    this.targetIsAtEnd = true;
    await patiently(() => this.target.take(events));
    await this.checking;
    this.written += events.length;
    this.checking = this.readBack(events);
    // Its failure is found by whoever waits for it next.
    this.checking.catch(() => {});
  }

  private async readBack(events: readonly StoredEvent[]): Promise<void> {
    const there = await this.there(events.length);
    this.compare(events.slice(0, there.length), there);
    this.refuseDifference();
    if (there.length < events.length)
      throw new LogsDiffer(`the target has lost events that it has taken: it ends after ${this.both.events}`);
  }

  private there(limit: number): Promise<StoredEvent[]> {
    return patiently(() => this.target.after(this.targetAfter, limit));
  }

  private compare(source: readonly StoredEvent[], target: readonly StoredEvent[]): void {
    this.both.add(source, target);
    this.targetAfter = target.at(-1)?.position ?? this.targetAfter;
  }

  private refuseDifference(): void {
    if (hasDifference(this.both)) throw logsDiffer(this.both);
  }
}

const hasDifference = (both: Comparison): both is Comparison & { readonly first: Difference } => both.first !== undefined;

import type { ServerResponse } from 'node:http';
import type { Position } from '../../events/event.js';
import type { LiveLog } from './live-log.js';
import { messages, type Told } from './messages.js';
import type { StreamFilter } from './stream-filter.js';

export interface StreamTimes {
  /** how often a silent connection shows that it lives, and how far it is */
  readonly beatMs: number;
  /** how long a reader may take nothing */
  readonly stalledMs: number;
  /** how often, at most, the dashboard is said to have changed */
  readonly dashboardMs: number;
  /** how soon, at the earliest, a reader is asked to come back; twice that at the latest */
  readonly retryMs: number;
}

/** What is written at once; a reader that does not take it gets no more until it has. */
const pieceBytes = 64 * 1024;
/** For the last message to be taken. */
const lastMs = 30_000;

/**
 * The log as one reader is told it. Nothing is kept for a reader that is slow: it is written to as fast as it takes, and what it has
 * not been written is in the log; so it holds a page of that, and a piece of text, at most. Who takes nothing for `stalledMs` is told
 * to resume.
 */
export class LiveStream {
  /** everything up to here is written, or does not concern the reader */
  private place: Position;
  private dashboardChanged: boolean;

  constructor(
    private readonly raw: ServerResponse,
    private readonly filter: StreamFilter,
    private readonly times: StreamTimes,
    after: Position,
  ) {
    this.place = after;
    // What has changed while the reader was away, nobody has told it.
    this.dashboardChanged = filter.topics.has('dashboard');
  }

  /** Until the reader takes nothing any more, or `ended`. */
  async run(log: LiveLog, ended: AbortSignal): Promise<void> {
    const { beatMs, dashboardMs, retryMs } = this.times;
    // Those whose server ends do not all come back at the same time.
    this.raw.write(messages.ready(this.place, Math.round(retryMs * (1 + Math.random()))));
    const timers = [setInterval(() => this.beat(), beatMs), setInterval(() => this.tellDashboard(), dashboardMs)];
    this.tellDashboard();
    try {
      while (await this.tell(await log.after(this.place, ended), ended));
    } finally {
      for (const timer of timers) clearInterval(timer);
    }
  }

  /** The last message, and the end; a connection that does not take it is cut when its time is over. */
  end(reason: string): void {
    const { raw } = this;
    raw.end(messages.resume(this.place, reason));
    const cut = setTimeout(() => raw.destroy(), lastMs).unref();
    raw.once('close', () => clearTimeout(cut));
  }

  /** False when there is an end to it: the reader does not take it, or has gone, or the server goes. */
  private async tell(page: readonly Told[], ended: AbortSignal): Promise<boolean> {
    if (ended.aborted) return false;
    let piece = '';
    for (const told of page) {
      const topic = this.filter.topicOf(told.event);
      if (topic) piece += messages.event(topic, told);
      this.dashboardChanged ||= this.filter.changesDashboard(told.event);
      if (piece.length < pieceBytes && told !== page.at(-1)) continue;
      if (!(await this.write(piece, told.event.position, ended))) return false;
      piece = '';
    }
    return true;
  }

  private async write(piece: string, place: Position, ended: AbortSignal): Promise<boolean> {
    this.place = place;
    if (piece === '' || this.raw.write(piece)) return true;
    await this.drained(ended);
    return this.isTaking && !ended.aborted;
  }

  /** Until the reader has taken what was written, or its time is over. */
  private drained(ended: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(late);
        this.raw.off('drain', done);
        ended.removeEventListener('abort', done);
        resolve();
      };
      const late = setTimeout(done, this.times.stalledMs);
      this.raw.once('drain', done);
      ended.addEventListener('abort', done);
    });
  }

  private get isTaking(): boolean {
    const { destroyed, writableEnded, writableNeedDrain } = this.raw;
    return !destroyed && !writableEnded && !writableNeedDrain;
  }

  private beat(): void {
    if (this.isTaking) this.raw.write(messages.beat(this.place));
  }

  private tellDashboard(): void {
    if (!this.dashboardChanged || !this.isTaking) return;
    this.dashboardChanged = false;
    this.raw.write(messages.dashboard(this.place));
  }
}

import type { Position, Recorded } from '../events/event.js';
import type { Changes } from './changes.js';

export interface Follow {
  /** Events after a position, at most `limit`; may give up with `undefined` once `signal` is aborted. What it throws ends the following. */
  readonly read: (after: Position, limit: number) => Promise<Recorded[] | undefined>;
  readonly changes: Changes;
  /** how long an announcement may be missed */
  readonly pollMs: number;
  readonly after: Position;
  readonly limit: number;
  readonly signal: AbortSignal;
}

/**
 * Pages of events, first what is there, then what comes. While a full page is consumed, the next one is already being read.
 * The store's order has no holes, so "after the last event that was handed out" is all there is to remember.
 */
export async function* follow({ read, changes, pollMs, after, limit, signal }: Follow): AsyncGenerator<Recorded[]> {
  let seen = changes.count;
  let next = ahead(read(after, limit));
  while (!signal.aborted) {
    const page = await unlessAborted(next, signal);
    if (page === undefined || signal.aborted) return;
    const last = page.at(-1);
    if (last) after = last.position;
    const full = page.length === limit;
    if (full) {
      seen = changes.count;
      next = ahead(read(after, limit));
    }
    if (last) yield page;
    if (full) continue;
    await changes.beyond(seen, pollMs, signal);
    seen = changes.count;
    next = ahead(read(after, limit));
  }
}

/** A page that nobody waits for any more may fail unheard. */
function ahead<T>(page: Promise<T>): Promise<T> {
  page.catch(() => {});
  return page;
}

/** `Promise.race` with one long-lived promise would keep every page alive until that one settles. */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  const stopped = new AbortController();
  const abort = new Promise<undefined>((done) =>
    signal.addEventListener('abort', () => done(undefined), { signal: stopped.signal }),
  );
  try {
    return await Promise.race([work, abort]);
  } finally {
    stopped.abort();
  }
}

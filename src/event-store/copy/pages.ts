import type { Position } from '../../events/event.js';
import type { StoredEvent } from '../stored-log.js';

type Read = (after: Position | undefined, limit: number) => Promise<StoredEvent[]>;

/** The events of a log behind a position, up to another, page by page; while one is worked on, the next is read. */
export async function* pagesUpTo(
  read: Read,
  { after, upTo, limit }: { after: Position | undefined; upTo: Position; limit: number },
): AsyncGenerator<StoredEvent[]> {
  let next = ahead(read(after, limit));
  for (;;) {
    const page = await next;
    const last = page.at(-1);
    const isLast = page.length < limit || last!.position >= upTo;
    if (!isLast) next = ahead(read(last!.position, limit));
    const wanted = isLast ? page.filter(({ position }) => position <= upTo) : page;
    if (wanted.length > 0) yield wanted;
    if (isLast) return;
  }
}

/** A page that nobody waits for any more may fail unheard. */
function ahead(page: Promise<StoredEvent[]>): Promise<StoredEvent[]> {
  page.catch(() => {});
  return page;
}

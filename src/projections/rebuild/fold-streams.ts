import type { StreamId } from '../../events/event.js';
import type { Page } from '../projector/log-pages.js';
import { everything } from './fold-events.js';
import { foldInShares, type Folding } from './fold-log.js';

/** Events of a range of streams, whole streams one after the other. */
export interface StreamFolding extends Omit<Folding, 'pages'> {
  /** behind all events of a stream, or all */
  readonly pages: (behind?: StreamId) => AsyncIterable<Page>;
  readonly pagesOf: (stream: StreamId) => AsyncIterable<Page>;
}

/** Folds streams each of which has rows of its own: they are complete when the next stream begins. Answers how many events there are. */
export async function foldStreams(folding: StreamFolding): Promise<number> {
  let { events, large } = await foldUntilLarge(folding);
  while (large !== undefined) {
    const stream = large;
    events += await foldInShares({ ...folding, pages: () => folding.pagesOf(stream) });
    const next = await foldUntilLarge(folding, stream);
    events += next.events;
    large = next.large;
  }
  return events;
}

/** Stops at a stream whose rows outgrow the memory. `events`: those of the streams before it. */
async function foldUntilLarge(
  { pages, fold, rows }: StreamFolding,
  behind?: StreamId,
): Promise<{ events: number; large?: StreamId }> {
  const streams = fold(everything);
  let stream: StreamId | undefined;
  let [events, ofStream] = [0, 0];
  const complete = () => {
    for (const row of streams.drain()) rows.add(row);
    events += ofStream;
    ofStream = 0;
  };
  for await (const page of pages(behind)) {
    for (const event of page) {
      if (event.stream !== stream) complete();
      stream = event.stream;
      streams.take(event);
      ofStream += 1;
      if (streams.outgrown) return { events, large: stream };
    }
    await rows.copyWhenMany();
  }
  complete();
  return { events };
}

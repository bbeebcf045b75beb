import type { Page } from '../projector/log-pages.js';
import { everything, Fold, type Row, type Share } from './fold-events.js';

/** Where a fold gets its events, more than once when it must, and where its rows go. */
export interface Folding {
  /** all events of it, in order, in pages */
  readonly pages: () => AsyncIterable<Page>;
  readonly fold: (share: Share) => Fold;
  readonly rows: { add(row: Row): void; copyWhenMany(): Promise<void> };
}

/**
 * Folds events whose rows are complete at their end only. When they outgrow the memory, it begins anew with half of their keys, and does
 * the other half after it, each in halves again if need be: the events are read more often, and the memory is never more. Answers how many
 * events there are.
 */
export async function foldInShares(folding: Folding, share = everything): Promise<number> {
  const fold = folding.fold(share);
  let events = 0;
  for await (const page of folding.pages()) {
    fold.takeAll(page);
    events += page.length;
    if (!fold.outgrown) continue;
    fold.rows.clear();
    await foldInShares(folding, { n: share.n, of: 2 * share.of });
    return foldInShares(folding, { n: share.n + share.of, of: 2 * share.of });
  }
  await handOver(fold, folding);
  return events;
}

const addedAtOnce = 5_000;

async function handOver(fold: Fold, { rows }: Folding): Promise<void> {
  let added = 0;
  for (const row of fold.drain()) {
    rows.add(row);
    if (++added % addedAtOnce === 0) await rows.copyWhenMany();
  }
  await rows.copyWhenMany();
}

import type { Recorded } from '../events/event.js';
import type { LedgerEvent } from '../events/ledger-event.js';
import { story } from '../projections/story.js';
import type { Column } from './table.js';
import { sayTime } from './times.js';

/** When, where in the stream, what, by whom, and the sentence that says it to a person. */
export const storyColumns: readonly Column<Recorded>[] = [
  ['time', ({ recordedAt }) => sayTime(recordedAt)],
  ['rev', ({ revision }) => revision],
  ['event', ({ type }) => type],
  ['by', ({ metadata: { actor } }) => `${actor.type}:${actor.id}`],
  // What a server of a later version writes may not be one of these; it has no sentence, and is told by its name alone.
  ['what', (fact) => story(fact as Recorded<LedgerEvent>), 'wrapped'],
];

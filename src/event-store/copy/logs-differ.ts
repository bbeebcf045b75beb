import { positionInWords } from '../../events/positions.js';
import type { StoredEvent } from '../stored-log.js';
import type { Comparison, Difference } from './comparison.js';

/** The target holds something else than the source's events in their order: it cannot become a copy. */
export class LogsDiffer extends Error {
  override readonly name = 'LogsDiffer';
  constructor(
    message: string,
    readonly first?: Difference,
    /** those whose digests differ, as far as both were read */
    readonly streams: readonly string[] = [],
  ) {
    super(message);
  }
}

export function logsDiffer(comparison: Comparison & { readonly first: Difference }): LogsDiffer {
  const { first, events } = comparison;
  const streams = comparison.differingStreams();
  const named = streams.slice(0, 10).join(', ');
  const which = streams.length === 1 ? `stream ${named} differs` : `${streams.length} streams differ: ${named}`;
  return new LogsDiffer(
    `the target is no copy of the source: ${inWords(first)}. Of the first ${events} events, ${which}${streams.length > 10 ? ' …' : ''}. ` +
      'Copy into an empty store',
    first,
    streams,
  );
}

/** The target has an event, and the source, which is at its end, has none. */
export const targetHasMore = (place: number, event: StoredEvent): LogsDiffer =>
  new LogsDiffer(
    `the target has more than the source, and does not say that the ledger was moved there: its event ${place} is ${nameOf(event)}. ` +
      'Copy into an empty store',
  );

function inWords({ place, source, target, fields }: Difference): string {
  if (source.id === target.id && source.stream === target.stream)
    return `event ${place}, ${nameOf(source)}, has another ${fields.join(', ')} there`;
  return `event ${place} is ${nameOf(target)} there, and ${nameOf(source)} in the source`;
}

const nameOf = ({ type, stream, revision, id, position }: StoredEvent): string =>
  `${type} ${id} (revision ${revision} of ${stream}, position ${positionInWords(position)})`;

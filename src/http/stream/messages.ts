import { beginning, type Position, type Recorded } from '../../events/event.js';
import type { LedgerEvent } from '../../events/ledger-event.js';
import { story } from '../../projections/story.js';
import type { Topic } from './topics.js';

/**
 * Messages as they are sent: WHATWG HTML, "Server-sent events". The id of each is a position, and whoever comes back with it as its
 * `Last-Event-ID` is told what comes after it.
 */
export const messages = {
  /** The first one: where the stream begins, and how long to wait before coming back. */
  ready: (id: Position, retryMs: number): string => `retry: ${retryMs}\n${message('ready', id, { position: id })}`,
  event: (topic: Topic, { event, json }: Told): string => `event: ${topic}\nid: ${event.position}\ndata: ${json}\n\n`,
  dashboard: (id: Position): string => message('dashboard', id, { position: id }),
  /** Keeps the connection alive; without data, so that a reader hears of no message and still goes on from there. */
  beat: (id: Position): string => `: still here\nid: ${id}\n\n`,
  /** The last one: come back, with this id. */
  resume: (id: Position, reason: string): string => message('resume', id, { position: id, reason }),
};

const message = (event: string, id: Position, data: object): string =>
  `event: ${event}\nid: ${id}\ndata: ${JSON.stringify(data)}\n\n`;

/** Before the first event, as an id: an empty one would say that there is none. */
export const beforeAll: Position = '0'.repeat(16);

/** Where the log is read on for who was told this id last, in zeros as many as its positions have. */
export const readAfter = (id: Position): Position => (/^0+$/.test(id) ? beginning : id);

/** An event with what readers are told of it, which is made once however many they are. */
export class Told {
  private made: string | undefined;

  constructor(readonly event: Recorded) {}

  /** The event as it was recorded, and the sentence that says it to a person. */
  get json(): string {
    return (this.made ??= JSON.stringify({ ...this.event, sentence: sentenceOf(this.event) }));
  }
}

/** None where a later version has written what this one does not know: no reader is to miss what comes after it. */
function sentenceOf(event: Recorded): string | undefined {
  try {
    return story(event as Recorded<LedgerEvent>);
  } catch {
    return undefined;
  }
}

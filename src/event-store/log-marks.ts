import type { Position } from '../events/event.js';

/** A place of the log of which more is known than where it is. */
export interface LogMark {
  readonly position: Position;
  /** how many events the log has up to and with this one */
  readonly events: number;
}

/** Where an engine begins to read that can neither count events nor find one by time or by a position that no event has. */
export interface LogMarks {
  /** The last mark that is not behind this position. */
  upTo(position: Position): Promise<LogMark | undefined>;
  /** The last mark whose event was recorded at or before this time (ISO 8601). */
  before(time: string): Promise<LogMark | undefined>;
}

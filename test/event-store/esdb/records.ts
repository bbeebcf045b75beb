/** What stays of an event: where it lies, when it came, and its bytes as they were sent. */
export interface LogRecord {
  readonly stream: string;
  readonly revision: bigint;
  /** the offset of its first byte: later records have greater ones, with gaps */
  readonly position: bigint;
  /** ticks of 100 ns since 1970 */
  readonly created: bigint;
  readonly id: string;
  readonly type: string;
  readonly contentType: string;
  readonly data: Uint8Array;
  readonly metadata: Uint8Array;
}

export type Proposed = Pick<LogRecord, 'id' | 'type' | 'contentType' | 'data' | 'metadata'>;

export interface Stream {
  readonly records: LogRecord[];
  /** what lies before it is not read; `forever` hides everything until somebody writes again */
  hiddenBefore: bigint;
  tombstoned: boolean;
}

/** No event has this revision but the one that ends a stream for good. */
export const forever = 2n ** 63n - 1n;

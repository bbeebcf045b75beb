import { beginning, type Position } from '../events/event.js';

/** Where a record lies in the log of EventStoreDB: offsets in bytes, with gaps. */
export interface RecordPosition {
  readonly commit: bigint;
  /** another than `commit` only for events of an explicit transaction, which clients of today no longer write */
  readonly prepare: bigint;
}

const width = 20;
const form = new RegExp(`^\\d{${width}}(\\.\\d{${width}})?$`);

const digits = (offset: bigint): string => String(offset).padStart(width, '0');

export const positionOfRecord = ({ commit, prepare }: RecordPosition): Position =>
  commit === prepare ? digits(commit) : `${digits(commit)}.${digits(prepare)}`;

/** `start` for `beginning`. */
export function recordAt(position: Position): RecordPosition | 'start' {
  if (position === beginning) return 'start';
  const [commit = '', prepare = commit] = position.split('.');
  return { commit: BigInt(commit), prepare: BigInt(prepare) };
}

/** Refuses what no event of an EventStoreDB can have: a typing error, or the position of another store. */
export function checkPosition(position: Position): Position {
  if (position !== beginning && !form.test(position))
    throw new RangeError(`"${position}" is not a position of this store: use one that it handed out`);
  return position;
}

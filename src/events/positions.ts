import { beginning, type Position } from './event.js';

/**
 * How engines write positions, all of them digits that `<` on strings sorts. Memory and Postgres count 1, 2, 3 … in sixteen; EventStoreDB
 * has commit positions in twenty, with gaps, and behind a point the prepare position where it is another (explicit transactions).
 */
const counted = 16;
const committed = 20;
const form = new RegExp(`^(\\d{${counted}}|\\d{${committed}}(\\.\\d{${committed}})?)$`);

/** Whether an engine can have written it. */
export const isPosition = (text: string): boolean => form.test(text);

/** What a person typed, with zeros before it or not, as the log with this head writes it. */
export const positionFrom = (digits: string, head: Position): Position =>
  digits.padStart(head.length < committed ? counted : committed, '0');

/** The place before the event at a position: what is read after it begins with that event. No event need be there. */
export function justBefore(position: Position): Position {
  const [commit = ''] = position.split('.');
  const before = BigInt(commit || 0) - 1n;
  return before <= 0n ? beginning : String(before).padStart(commit.length, '0');
}

/** As a sentence says it: without the zeros before it. */
export const positionInWords = (position: Position): string => position.replace(/^0+(?=\d)/, '') || 'the beginning';

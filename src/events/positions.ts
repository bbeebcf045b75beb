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

/** What can be meant for one: whole, or without the zeros before it. */
export const typedPosition = new RegExp(`^\\d{1,${committed}}(\\.\\d{${committed}})?$`);

/** What a person typed, with zeros before it or not, as the log with this head writes it. */
export function positionFrom(text: string, head: Position): Position {
  const [commit = '', ...prepare] = text.split('.');
  const digits = commit.replace(/^0+/, '').padStart(head.length < committed ? counted : committed, '0');
  return [digits, ...prepare].join('.');
}

/** The place before the event at a position: what is read after it begins with that event. No event need be there. */
export function justBefore(position: Position): Position {
  const [commit = ''] = position.split('.');
  const before = BigInt(commit || 0) - 1n;
  return before <= 0n ? beginning : String(before).padStart(commit.length, '0');
}

/** As a sentence says it: without the zeros before it. */
export const positionInWords = (position: Position): string => position.replace(/^0+(?=\d)/, '') || 'the beginning';

/** Whether one log can have both. They are not comparable otherwise: one is of a log that the ledger has been moved from. */
export const areOfOneForm = (one: Position, other: Position): boolean =>
  one === beginning || other === beginning || one.split('.')[0]!.length === other.split('.')[0]!.length;

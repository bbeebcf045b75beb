/** A page of a list; `next` continues it, and is absent at its end. A page may be shorter than asked for and still have a `next`. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly next?: string;
}

/** As a caller wrote it: what cannot be read as a number counts as not given. */
export interface PageRequest {
  readonly limit?: string | number;
  readonly cursor?: string;
}

/** A cursor that no list of this ledger gave out. */
export class InvalidCursor extends Error {
  override readonly name = 'InvalidCursor';
  constructor(cursor: string) {
    super(
      `the cursor "${cursor.slice(0, 100)}" is not one of this list: give the "next" of its page before, or none for the first page`,
    );
  }
}

export function limitOf({ limit }: PageRequest, { otherwise = 50, most = 1_000 } = {}): number {
  const asked = typeof limit === 'string' && limit.trim() === '' ? NaN : Math.floor(Number(limit ?? NaN));
  return Number.isFinite(asked) ? Math.min(Math.max(asked, 1), most) : otherwise;
}

/** Opaque to callers: the list and the key of the last row, as base64url of JSON. */
export const cursorAt = (list: string, key: readonly string[]): string =>
  Buffer.from(JSON.stringify([list, ...key])).toString('base64url');

/** The key in a cursor of this list, `length` columns of it. @throws InvalidCursor */
export function keyIn(list: string, length: number, cursor: string): string[] {
  const [name, ...key] = parsed(cursor);
  if (name !== list || key.length !== length || !key.every(isPlain)) throw new InvalidCursor(cursor);
  return key;
}

function parsed(cursor: string): unknown[] {
  try {
    const value: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    return Array.isArray(value) ? value : [];
  } catch {
    return [];
  }
}

const isPlain = (part: unknown): part is string => typeof part === 'string' && part.length <= 300 && !part.includes('\0');

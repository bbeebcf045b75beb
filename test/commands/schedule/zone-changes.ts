import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A time in which a zone's clock goes on without a jump; instants and offset in ms. */
export interface Piece {
  readonly start: number;
  readonly end: number;
  readonly offset: number;
}

/** The release of the time zone database that the file was made from. */
export const release = '2025b';
export const lastYear = 2040;

/** By name, gapless from 1970 on; ICU has had no part in it. */
export const zonePieces: ReadonlyMap<string, readonly Piece[]> = new Map(
  readFileSync(join(__dirname, 'zone-changes.txt'), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split(' '))
    .map(([name, first, ...changes]) => [name!, pieces(`0${first}`, ...changes)]),
);

function pieces(...changes: string[]): Piece[] {
  let at = 0;
  const starts = changes.map((change) => {
    const [, since, offset] = /^(\w+)([+-]\w+)$/.exec(change)!;
    at += parseInt(since!, 36) * 1_000;
    return { start: at, offset: parseInt(offset!, 36) * 1_000 };
  });
  return starts.map((one, n) => ({ ...one, end: starts[n + 1]?.start ?? Date.UTC(lastYear + 1, 0, 1) }));
}

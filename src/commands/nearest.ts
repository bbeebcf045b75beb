/** The names that `name` may have been meant for, the nearest first: those which a few letters tell from it. */
export function nearest(name: string, names: readonly string[]): string[] {
  return names
    .map((one) => ({ one, apart: distance(one, name) }))
    .filter(({ apart }) => apart <= 1 + name.length / 4)
    .toSorted((a, b) => a.apart - b.apart)
    .map(({ one }) => one);
}

/** Letters to be put in, left out or replaced: Levenshtein's. */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, n) => n);
  for (const letter of from) {
    const above = row;
    row = [above[0]! + 1];
    for (let n = 1; n <= to.length; n++)
      row.push(Math.min(above[n]! + 1, row[n - 1]! + 1, above[n - 1]! + (letter === to[n - 1] ? 0 : 1)));
  }
  return row.at(-1)!;
}

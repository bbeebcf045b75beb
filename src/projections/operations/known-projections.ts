import { Rejected } from '../../commands/decider.js';
import type { Projection } from '../projection.js';

/** The projections that this version of the ledger can follow. */
export class KnownProjections {
  constructor(private readonly known: readonly Pick<Projection<object>, 'name' | 'version'>[]) {}

  /** By name. */
  get names(): string[] {
    return [...new Set(this.known.map(({ name }) => name))].toSorted();
  }

  /** Those of one projection, the lowest first. @throws Rejected that names what is near, and all that there are */
  versionsOf(projection: string): number[] {
    const versions = this.known.filter(({ name }) => name === projection).map(({ version }) => version);
    if (versions.length > 0) return versions.toSorted((a, b) => a - b);
    const near = this.names.filter((name) => distance(name, projection) <= 1 + projection.length / 4);
    throw new Rejected(
      'projection_not_found',
      `there is no projection ${projection}${near.length > 0 ? `, but ${near.join(' and ')}` : ''}; all that there are: ${this.names.join(', ')}`,
    );
  }
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

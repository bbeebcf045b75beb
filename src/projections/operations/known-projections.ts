import { Rejected } from '../../commands/decider.js';
import { nearest } from '../../commands/nearest.js';
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
    const near = nearest(projection, this.names);
    throw new Rejected(
      'projection_not_found',
      `there is no projection ${projection}${near.length > 0 ? `, but ${near.join(' and ')}` : ''}; all that there are: ${this.names.join(', ')}`,
    );
  }
}

import type pg from 'pg';
import { Rejected } from '../../commands/decider.js';
import type { Position } from '../../events/event.js';
import { positionInWords } from '../../events/positions.js';
import { ReadModels } from '../read-models.js';

/** Read models as they were, in a schema of their own: queries ask them as they ask those that are live. */
export class SideReadModels extends ReadModels {
  constructor(
    db: pg.Pool,
    known: ReadModels['known'],
    readonly schema: string,
    readonly position: Position,
    /** which version of each projection is there */
    private readonly versions: ReadonlyMap<string, number>,
  ) {
    super(db, known);
  }

  override async nameOf(projection: string): Promise<string> {
    await this.versionOf(projection);
    return this.schema;
  }

  /** @throws Rejected where the schema does not have what is asked, or not as this version of the ledger asks it */
  override async versionOf(projection: string): Promise<number> {
    const version = this.versions.get(projection);
    const isKnown = this.known.some((known) => known.name === projection && known.version === version);
    if (version !== undefined && isKnown) return version;
    throw version === undefined ? this.lacks(projection) : this.isStrange(projection, version);
  }

  private lacks(projection: string): Rejected {
    return new Rejected(
      'as_of_schema_lacks',
      `${this.schema} has ${[...this.versions.keys()].join(', ')}, and not ${projection}: ` +
        `ledger projections build ${projection} --as-of ${positionInWords(this.position)} --into ${this.schema}`,
    );
  }

  private isStrange(projection: string, version: number): Rejected {
    return new Rejected(
      'as_of_schema_lacks',
      `${this.schema} has version ${version} of ${projection}, which this version of the ledger cannot ask: drop it and build it again, with ` +
        `ledger projections as-of drop ${this.schema}, ` +
        `ledger projections build ${projection} --as-of ${positionInWords(this.position)} --into ${this.schema}`,
    );
  }
}

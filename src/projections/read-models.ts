import { Kysely, PostgresDialect, sql, type RawBuilder } from 'kysely';
import type pg from 'pg';
import type { Projection } from './projection.js';

const knownForMs = 1_000;

/** A version of a projection, by its name and number. */
type Version = Pick<Projection<object>, 'name' | 'version'>;

interface Asked {
  readonly readModel: string;
  readonly version: number;
}

/** Nothing of a projection is there that this version of the ledger can ask. */
export class ReadModelUnknown extends Error {
  override readonly name = 'ReadModelUnknown';
  constructor(projection: string, others: readonly string[]) {
    super(
      others.length > 0
        ? `this version of the ledger cannot ask ${others.join(', ')}, and no other read model of ${projection} is there: ` +
            `start a server of the version that knows it instead of this one`
        : `there is no read model of ${projection} yet: start a server with the role projector once`,
    );
  }
}

type Found = Asked & { readonly projection: string };

/**
 * The read models that are asked: of each projection, the version that is live. A cut-over is seen within a second; the version before
 * it is still followed by then, so that an answer in between is not wrong. A server that does not know the live version, because a newer
 * one has brought it, asks the highest that it knows and that is still followed.
 *
 * Queries belong to a version. When a projection changes, its former definition goes to a file under its number, `run-status.v1.ts` beside
 * `run-status.ts`, and stands with the new one in `all.ts` until it is dropped. Queries that read alike in both need nothing; one that
 * needs what only the new version has asks `versionOf` first, and keeps its former way in that same file.
 */
export class ReadModels {
  /** for a query over several read models, whose tables it names by `table` */
  readonly kysely: Kysely<Record<string, object>>;
  private asked = new Map<string, Asked>();
  private strange: readonly Found[] = [];
  private readAt = -Infinity;
  private reading: Promise<void> | undefined;

  constructor(
    private readonly db: pg.Pool,
    /** what this process can follow, and has queries for */
    readonly known: readonly Version[],
  ) {
    this.kysely = new Kysely({ dialect: new PostgresDialect({ pool: db }) });
  }

  /** The name of the read model to ask: `run_status_v1`. */
  async nameOf(projection: string): Promise<string> {
    return (await this.askedOf(projection)).readModel;
  }

  /** The version of the read model to ask. */
  async versionOf(projection: string): Promise<number> {
    return (await this.askedOf(projection)).version;
  }

  /** A query builder in the schema of the live version; its one table is named like the projection. */
  async of<Row extends object>({ name }: Projection<Row>): Promise<Kysely<Record<string, Row>>> {
    // One connection pool serves all read models; whose rows a table holds is known by the projection alone.
    return this.kysely.withSchema(await this.nameOf(name)) as Kysely<Record<string, Row>>;
  }

  /** The one table of the live version, to be named in a query that is written out. */
  async table({ name }: { readonly name: string }): Promise<RawBuilder<unknown>> {
    return sql.id(await this.nameOf(name), name);
  }

  private async askedOf(projection: string): Promise<Asked> {
    if (performance.now() - this.readAt > knownForMs)
      await (this.reading ??= this.read().finally(() => (this.reading = undefined)));
    const asked = this.asked.get(projection);
    if (asked) return asked;
    const others = this.strange.filter((found) => found.projection === projection);
    throw new ReadModelUnknown(
      projection,
      others.map(({ readModel }) => readModel),
    );
  }

  /** The live one comes last, and of the others the highest version. */
  private async read(): Promise<void> {
    // What it answers may be as old as this when it has been on its way for long.
    const readAt = performance.now();
    const { rows } = await this.db.query<Found>(
      `select checkpoint.projection, checkpoint.version, checkpoint.read_model as "readModel"
       from checkpoints checkpoint
       left join projection_versions live using (read_model)
       where not checkpoint.filling
       order by live.read_model is not null, checkpoint.version, checkpoint.generation desc`,
    );
    const isKnown = (found: Found) =>
      this.known.some(({ name, version }) => name === found.projection && version === found.version);
    this.asked = new Map(rows.filter(isKnown).map(({ projection, ...asked }) => [projection, asked]));
    this.strange = rows.filter((found) => !isKnown(found));
    this.readAt = readAt;
  }
}

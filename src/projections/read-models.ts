import { Kysely, PostgresDialect, sql, type RawBuilder } from 'kysely';
import type pg from 'pg';
import type { Projection } from './projection.js';

const knownForMs = 1_000;

/**
 * The read models that are asked: of each projection, the version that is live. A cut-over is seen within a second; the version before
 * it is still followed by then, so that an answer in between is not wrong.
 */
export class ReadModels {
  /** for a query over several read models, whose tables it names by `table` */
  readonly kysely: Kysely<Record<string, object>>;
  private live = new Map<string, string>();
  private readAt = -Infinity;
  private reading: Promise<void> | undefined;

  constructor(private readonly db: pg.Pool) {
    this.kysely = new Kysely({ dialect: new PostgresDialect({ pool: db }) });
  }

  /** The name of the live read model: `run_status_v1`. */
  async nameOf(projection: string): Promise<string> {
    if (performance.now() - this.readAt > knownForMs)
      await (this.reading ??= this.read().finally(() => (this.reading = undefined)));
    const name = this.live.get(projection);
    if (name === undefined)
      throw new Error(`there is no read model of ${projection} yet: start a server with the role projector once`);
    return name;
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

  private async read(): Promise<void> {
    const { rows } = await this.db.query<{ projection: string; read_model: string }>(
      'select projection, read_model from projection_versions',
    );
    this.live = new Map(rows.map((row) => [row.projection, row.read_model]));
    this.readAt = performance.now();
  }
}

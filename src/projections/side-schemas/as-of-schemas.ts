import { noSuchSchema, SideSchemas, type BuildProgress, type SideSchema } from '../../commands/operations/as-of.js';
import { Rejected } from '../../commands/decider.js';
import type { Position } from '../../events/event.js';
import { justBefore, positionInWords } from '../../events/positions.js';
import { pause } from '../../pause.js';
import { AsOfBuild, dropAsOfSchema, type BuildWorld } from './as-of-build.js';
import type { AnyProjection } from '../projection.js';
import { Unfoldable } from '../projector/projector-term.js';
import type { ReadModels } from '../read-models.js';
import { shownWith } from './shown-with.js';
import { SideReadModels } from './side-read-models.js';

/** A schema of read models as they were. */
export interface AsOfSchemaView {
  readonly schema: string;
  readonly position: Position;
  readonly builtAt: string;
  readonly projections: readonly { readonly name: string; readonly version: number }[];
  readonly bytes: number;
}

interface World extends BuildWorld {
  readonly readModels: ReadModels;
  readonly projections: readonly AnyProjection[];
}

interface Running {
  readonly build: AsOfBuild;
  readonly finished: Promise<void>;
}

/** Each takes connections that readers and rebuilds need too. */
const atOnce = 2;
/** How long a request to build waits for its end before it answers how far it is. */
const waitMs = 1_000;

/** The schemas of read models as they were, and the building of them in this process. */
export class AsOfSchemas extends SideSchemas {
  private readonly building = new Map<string, Running>();
  private readonly stopping = new AbortController();

  constructor(private readonly world: World) {
    super();
  }

  /** By name. */
  async list(): Promise<AsOfSchemaView[]> {
    const { rows } = await this.world.reads.query<AsOfSchemaView>(
      `select
         schema_name as schema,
         position,
         built_at as "builtAt",
         (
           select coalesce(json_agg(json_build_object('name', projection, 'version', version) order by projection), '[]')
           from as_of_read_models there
           where there.schema_name = side.schema_name
         ) as projections,
         (
           select coalesce(sum(pg_total_relation_size(oid)), 0)::bigint
           from pg_class
           where relnamespace = to_regnamespace(side.schema_name)
             and relkind = 'r'
         ) as bytes
       from as_of_schemas side
       order by schema_name`,
    );
    return rows;
  }

  /** What queries ask in a schema. @throws Rejected that names those that there are */
  async open(schema: string): Promise<SideReadModels> {
    const { reads, readModels } = this.world;
    const { rows } = await reads.query<{ position: Position; projection: string; version: number }>(
      `select position, projection, version
       from as_of_schemas
       join as_of_read_models using (schema_name)
       where schema_name = $1`,
      [schema],
    );
    if (!rows[0]) throw await this.noSuch(schema);
    const versions = new Map(rows.map(({ projection, version }) => [projection, version]));
    return new SideReadModels(reads, readModels.known, schema, rows[0].position, versions);
  }

  /** When the event at a position was recorded; where a position was taken that no event has, the next one. */
  async timeOf(position: Position): Promise<Date> {
    const [event] = await this.world.store.readAll({ after: justBefore(position), limit: 1 });
    return new Date(event!.recordedAt);
  }

  async build(
    { schema, projection, position }: SideSchema,
    record: (projections: readonly string[]) => Promise<void>,
  ): Promise<BuildProgress | undefined> {
    const running = this.building.get(schema) ?? (await this.begin(schema, projection, position, record));
    if (!running) return undefined;
    if (running.build.position !== position || !running.build.has(projection)) throw busy(running.build);
    await Promise.race([running.finished.catch(() => {}), pause(waitMs)]);
    if (!running.build.isOver) return running.build.progress;
    this.building.delete(schema);
    await running.finished.catch(refuseUnfoldable);
    return undefined;
  }

  drop(schema: string): Promise<void> {
    return dropAsOfSchema(this.world, schema);
  }

  /** What is being built is left as it is, and goes on when it is asked for again. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await Promise.allSettled([...this.building.values()].map(({ finished }) => finished));
  }

  private async noSuch(schema: string): Promise<Rejected> {
    const all = await this.list();
    return noSuchSchema(
      schema,
      all.map((each) => each.schema),
    );
  }

  private async begin(
    schema: string,
    projection: string,
    position: Position,
    record: (projections: readonly string[]) => Promise<void>,
  ): Promise<Running | undefined> {
    const missing = await this.missingOf(schema, projection);
    const other = this.building.get(schema);
    if (other || missing.length === 0) return other;
    this.refuseMany();
    const build = new AsOfBuild(this.world, schema, position, missing);
    const finished = build.run(record, this.stopping.signal);
    // Whoever asks next is told.
    finished.catch(() => {});
    const running = { build, finished };
    this.building.set(schema, running);
    return running;
  }

  private refuseMany(): void {
    const builds = [...this.building.values()].filter(({ build }) => !build.isOver).map(({ build }) => build.schema);
    if (builds.length >= atOnce)
      throw new Rejected('as_of_schema_busy', `${builds.join(' and ')} are being built: wait for one of them, then ask again`);
  }

  /** In the versions that are asked, because the queries are theirs. */
  private async missingOf(schema: string, projection: string): Promise<AnyProjection[]> {
    const there = (await this.list()).find((each) => each.schema === schema)?.projections.map(({ name }) => name) ?? [];
    const missing = shownWith(projection).filter((name) => !there.includes(name));
    return Promise.all(missing.map((name) => this.definitionOf(name)));
  }

  private async definitionOf(name: string): Promise<AnyProjection> {
    const version = await this.world.readModels.versionOf(name);
    const found = this.world.projections.find((each) => each.name === name && each.version === version);
    if (!found) throw new Error(`this version of the ledger cannot fold version ${version} of ${name}`);
    return found;
  }
}

function refuseUnfoldable(error: unknown): never {
  throw error instanceof Unfoldable ? new Rejected('stream_unfoldable', error.message) : error;
}

const busy = ({ schema, position }: AsOfBuild): Rejected =>
  new Rejected(
    'as_of_schema_busy',
    `${schema} is being built as of position ${positionInWords(position)}: wait for it, then ask again, or take another name`,
  );

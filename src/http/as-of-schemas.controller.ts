import { Controller, Delete, Get, Put } from '@nestjs/common';
import { IsOptional } from 'class-validator';
import { buildAsOf, dropAsOf, SchemaName } from '../commands/operations/as-of.js';
import { validated } from '../commands/dispatch.js';
import { IsoTime, Optional, Text } from '../commands/fields.js';
import { EventStore } from '../event-store/event-store.js';
import type { Position } from '../events/event.js';
import { AsOfSchemas } from '../projections/side-schemas/as-of-schemas.js';
import { KnownProjections } from '../projections/operations/known-projections.js';
import { AsOf, LogPosition, type LooksBack } from './as-of.js';
import { Call, type Exchange } from './call.js';
import { CommandDoor } from './command-door.js';
import { commandHeaders, Documented } from './documented.js';
import { malformed, Refusal } from './problem.js';
import { OneProjection } from './projections.controller.js';
import { queryOf } from './query.js';

export class OneSchema extends OneProjection {
  @SchemaName() schema!: string;
}

export class BuildSchema extends OneSchema {
  @IsOptional() @IsoTime() asOf?: string;
  @IsOptional() @LogPosition() asOfPosition?: string;
  @Optional() @Text(4_000) reason?: string;
}

export class ReasonOfDrop {
  @IsOptional() @Text(4_000) reason?: string;
}

/** Read models as they were, in schemas of their own. */
@Controller('v1')
export class AsOfSchemasController {
  constructor(
    private readonly door: CommandDoor,
    private readonly asOf: AsOf,
    private readonly projections: KnownProjections,
    private readonly schemas: AsOfSchemas,
    private readonly store: EventStore,
  ) {}

  @Get('as-of')
  @Documented({ summary: 'Schemas of read models as they were', answers: 'AsOfSchemas' })
  async list() {
    return { items: await this.schemas.list() };
  }

  @Put('projections/:projection/as-of/:schema')
  @Documented({
    summary: 'Builds a projection, and what its pages show beside it, as they were; asked again, goes on and says how far it is',
    takes: BuildSchema,
    answers: 'AsOfSchema',
    status: [200, 202],
    headers: commandHeaders,
    refuses: ['projection_not_found', 'as_of_schema_taken', 'as_of_schema_busy', 'stream_unfoldable'],
  })
  async build(@Call() call: Exchange) {
    const { asOf, asOfPosition, ...fields } = validated(BuildSchema, call.fields());
    this.projections.versionsOf(fields.projection);
    const position = await this.position(call, { asOf, asOfPosition });
    return this.door.send(buildAsOf, call, {
      fields: { ...fields, position },
      status: (answer) => ('progress' in answer ? 202 : 200),
    });
  }

  @Delete('projections/:projection/as-of/:schema')
  @Documented({
    summary: 'Drops a schema of read models as they were, with all that is in it',
    takes: OneSchema,
    query: ReasonOfDrop,
    answers: 'DroppedAsOfSchema',
    headers: commandHeaders,
    refuses: ['projection_not_found', 'as_of_schema_not_found', 'as_of_schema_busy'],
  })
  drop(@Call() call: Exchange) {
    const { projection, schema } = validated(OneSchema, call.fields());
    this.projections.versionsOf(projection);
    return this.door.send(dropAsOf, call, { fields: { schema, ...queryOf(ReasonOfDrop, call) } });
  }

  private async position(call: Exchange, when: LooksBack): Promise<Position> {
    const position = await this.asOf.of(call, when);
    if (position === undefined) throw new Refusal('malformed', 'asOf and asOfPosition are missing: give a time or a position');
    if ((await this.store.count({ upTo: position })) > 0) return position;
    throw malformed(
      'asOf',
      `${when.asOf ?? when.asOfPosition} is before the first event: give a later time, or the position of an event`,
    );
  }
}

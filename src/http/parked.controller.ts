import { Controller, Get, Post } from '@nestjs/common';
import { IsOptional } from 'class-validator';
import { Rejected } from '../commands/decider.js';
import { validated } from '../commands/dispatch.js';
import { Exact, Slug, Text } from '../commands/fields.js';
import { retryParkedStream, skipParkedEvent, StreamName } from '../commands/operations/parked.js';
import type { StreamId } from '../events/event.js';
import { CheckpointQueries, type CheckpointView } from '../projections/operations/checkpoint-queries.js';
import { KnownProjections } from '../projections/operations/known-projections.js';
import { ParkedStreams } from '../projections/projector/parked.js';
import { Call, type Exchange } from './call.js';
import { CommandDoor } from './command-door.js';
import { commandHeaders, Documented } from './documented.js';
import { OneProjection } from './projections.controller.js';
import { Count, queryOf, readOf } from './query.js';

export class ParkedOfProjection extends OneProjection {
  /** instead of the one that is asked */
  @IsOptional() @Slug() readModel?: string;
  /** this one alone */
  @IsOptional() @StreamName() stream?: StreamId;
  @Count(1, 1_000) limit?: number;
}

/** Of a parked stream: which read model's, when it is not the one that is asked. */
export class OfReadModel {
  @IsOptional() @Slug() readModel?: string;
}

export class RetryParked extends OneProjection {
  @StreamName() stream!: StreamId;
  @IsOptional() @Text(4_000) reason?: string;
}

export class SkipParked extends OneProjection {
  @StreamName() stream!: StreamId;
  @Text(4_000) reason!: string;
  /** the event that is meant, where another one may have taken its place */
  @IsOptional() @Exact(100) eventId?: string;
}

/** What read models could not fold. */
@Controller('v1/projections/:projection/parked')
export class ParkedController {
  constructor(
    private readonly door: CommandDoor,
    private readonly projections: KnownProjections,
    private readonly checkpoints: CheckpointQueries,
    private readonly parked: ParkedStreams,
  ) {}

  @Get()
  @Documented({
    summary: 'Streams that a read model could not fold, with the event that each is parked at',
    takes: ParkedOfProjection,
    answers: 'ParkedStreams',
    refuses: ['projection_not_found'],
  })
  async list(@Call() call: Exchange) {
    const { projection, readModel, stream, limit = 50 } = readOf(ParkedOfProjection, call);
    const { readModel: name } = await this.readModel(projection, readModel);
    return { readModel: name, ...(await this.parked.list(name, { limit, stream })) };
  }

  @Post(':stream/retry')
  @Documented({
    summary: 'Folds a parked stream again, after its fold was mended',
    takes: RetryParked,
    query: OfReadModel,
    answers: 'RefoldedStream',
    headers: commandHeaders,
    refuses: ['projection_not_found', 'parked_stream_not_found', 'stream_unfoldable'],
  })
  async retry(@Call() call: Exchange) {
    return this.door.send(retryParkedStream, call, { fields: await this.fieldsOf(RetryParked, call) });
  }

  @Post(':stream/skip')
  @Documented({
    summary: 'Leaves the event out that a stream is parked at, for good, and folds the stream on behind it',
    takes: SkipParked,
    query: OfReadModel,
    answers: 'RefoldedStream',
    headers: commandHeaders,
    refuses: ['projection_not_found', 'parked_stream_not_found', 'parked_elsewhere'],
  })
  async skip(@Call() call: Exchange) {
    return this.door.send(skipParkedEvent, call, { fields: await this.fieldsOf(SkipParked, call) });
  }

  private async fieldsOf<C extends OneProjection>(type: new () => C, call: Exchange) {
    const { projection, ...fields } = validated(type, call.fields());
    const { readModel } = await this.readModel(projection, queryOf(OfReadModel, call).readModel);
    return { ...fields, readModel };
  }

  /** The one that is asked, or the one of that name. */
  private async readModel(projection: string, name: string | undefined): Promise<CheckpointView> {
    this.projections.versionsOf(projection);
    const all = await this.checkpoints.list(projection);
    const found = all.find(({ readModel, live }) => (name === undefined ? live : readModel === name));
    if (found) return found;
    const names = all.map(({ readModel }) => readModel).join(', ');
    throw new Rejected('projection_not_found', `${projection} has no read model ${name ?? 'yet'}; there are ${names || 'none'}`);
  }
}

import { Controller, Get, Res } from '@nestjs/common';
import { Transform } from 'class-transformer';
import { IsOptional } from 'class-validator';
import { Exact, OneOf, RunId, Slug, TaskId } from '../commands/fields.js';
import { Call, type Exchange } from './call.js';
import { Documented } from './documented.js';
import { typedPositionNamed } from './headers.js';
import { OfCompany, readOf, Several } from './query.js';
import { LiveStreams } from './stream/live-streams.js';
import { StreamFilter } from './stream/stream-filter.js';
import { topics, type Topic } from './stream/topics.js';

export class StreamQuery extends OfCompany {
  @Listed() @OneOf(topics, { each: true }) topics?: Topic[];
  @Several() @Slug({ each: true }) agent?: string[];
  @Several() @TaskId({ each: true }) task?: string[];
  @Several() @RunId({ each: true }) run?: string[];
  @Several() @Slug({ each: true }) routine?: string[];
  /** for clients that cannot set the header, which goes before it */
  @IsOptional() @Exact(100) lastEventId?: string;
}

/** What happens, as it happens. */
@Controller('v1/companies/:company')
export class StreamController {
  constructor(private readonly streams: LiveStreams) {}

  /** Nest sends no answer of its own to a handler that takes the response. */
  @Get('stream')
  @Documented({
    summary: 'What happens, as it happens: server-sent events; a read whose Ledger-Min-Position is the id of one shows it',
    takes: StreamQuery,
    answers: 'Stream',
    refuses: ['too_many_streams'],
  })
  follow(@Call() call: Exchange, @Res() _response: unknown) {
    const { lastEventId, ...asked } = readOf(StreamQuery, call);
    const after = call.header('last-event-id') ?? lastEventId;
    return this.streams.answer(call, new StreamFilter(asked), resumed(after));
  }
}

/** An id that was never sent is none. */
const resumed = (id: string | undefined): string | undefined =>
  id === undefined || id === '' ? undefined : typedPositionNamed('Last-Event-ID', id);

/** As several parameters, or as one with commas. */
function Listed(): PropertyDecorator {
  const each = (value: unknown): unknown => (typeof value === 'string' ? value.split(',') : value);
  const parted = Transform(({ value }: { value: unknown }) => (Array.isArray(value) ? value.flatMap(each) : each(value)));
  return (target, property) => [IsOptional(), parted].forEach((decorate) => decorate(target, property));
}

import { Controller, Get } from '@nestjs/common';
import { IsOptional, Matches } from 'class-validator';
import { Exact, Slug, Text } from '../commands/fields.js';
import { subjectOf, type StreamId } from '../events/event.js';
import { Call, type Exchange } from './call.js';
import { Documented } from './documented.js';
import { EventPages } from './event-pages.js';
import { typedPositionNamed } from './headers.js';
import { malformed } from './problem.js';
import { readOf, Several } from './query.js';

export class EventList {
  @IsOptional() limit?: string;
  @IsOptional() @Exact(2_000) cursor?: string;
  /** what comes after this position */
  @IsOptional() @Exact(100) after?: string;
  @Several() @Text(100, { each: true }) types?: string[];
}

export class EventListOfCompany extends EventList {
  @Slug() company!: string;
  /** `task-acme.ACME-12` */
  @IsOptional()
  @Matches(/^(company|agent|task|routine|service)-[A-Za-z0-9~_.-]{1,160}$/, {
    message: ({ value }) => `stream is ${JSON.stringify(value)}: give a stream such as task-acme.ACME-12`,
  })
  stream?: StreamId;
}

@Controller('v1')
export class EventsController {
  constructor(private readonly events: EventPages) {}

  @Get('events')
  @Documented({ summary: 'The whole ledger, in order', takes: EventList, answers: 'Event[]' })
  ofAll(@Call() call: Exchange) {
    const { limit, cursor, after, types } = readOf(EventList, call);
    return this.events.ofLog({ types, ...since(after) }, { limit, cursor });
  }

  @Get('companies/:company/events')
  @Documented({ summary: 'The ledger of a company, in order', takes: EventListOfCompany, answers: 'Event[]' })
  ofCompany(@Call() call: Exchange) {
    const { company, stream, limit, cursor, after, types } = readOf(EventListOfCompany, call);
    const filter = { company, types, ...since(after) };
    if (stream === undefined) return this.events.ofLog(filter, { limit, cursor });
    if (subjectOf(stream).company !== company) throw malformed('stream', `stream is ${stream}, which is not one of ${company}`);
    return this.events.ofStream(stream, filter, { limit, cursor });
  }
}

const since = (after: string | undefined) =>
  after === undefined || after === '' ? {} : { after: typedPositionNamed('after', after) };

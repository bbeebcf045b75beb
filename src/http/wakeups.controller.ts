import { Controller, Get, Post } from '@nestjs/common';
import { IsOptional } from 'class-validator';
import { validated } from '../commands/dispatch.js';
import { SchemaName } from '../commands/operations/as-of.js';
import { IsoTime, OneOf, Slug, TaskId, Text, Uuid } from '../commands/fields.js';
import { cancelWakeup, requestWakeup } from '../commands/wakeup.js';
import { EventStore } from '../event-store/event-store.js';
import type { Position } from '../events/event.js';
import { agents } from '../projections/agents.js';
import { PastQueries } from '../projections/as-of/past-queries.js';
import { Progress } from '../projections/projector/progress.js';
import { WakeupRequestsQueries, type Wakeup } from '../projections/wakeup-queries.js';
import { wakeupRequests, wakeupStatuses, type WakeupStatus } from '../projections/wakeup-requests.js';
import { AsOf, LogPosition, onlyTask } from './as-of.js';
import { Call, type Exchange } from './call.js';
import { CommandDoor, type Manner } from './command-door.js';
import { Documented } from './documented.js';
import { idempotencyKeyOf, isIdempotencyKey } from './headers.js';
import { malformed } from './problem.js';
import { ListOfCompany, OfCompany, readOf, Several } from './query.js';
import { present, Reads } from './reads.js';
import { inSchema, SideReads } from './side-reads.js';

export class OneWakeup extends OfCompany {
  @Uuid() wakeup!: string;
}

export class WakeupAsOf extends OneWakeup {
  @IsOptional() @IsoTime() asOf?: string;
  @IsOptional() @LogPosition() asOfPosition?: string;
  /** of a schema of read models as they were */
  @IsOptional() @SchemaName() in?: string;
}

/** What a request may say beside the command. */
export class WakeupRequest extends requestWakeup.command {
  /** instead of the header Idempotency-Key */
  @IsOptional() @Text(255) idempotencyKey?: string;
}

export class WakeupCancellation extends OneWakeup {
  @Text(4_000) reason!: string;
}

export class WakeupList extends ListOfCompany {
  @Several() @OneOf(wakeupStatuses, { each: true }) status?: WakeupStatus[];
  @Several() @Slug({ each: true }) agent?: string[];
  @Several() @TaskId({ each: true }) task?: string[];
  @Several() @Text(200, { each: true }) reason?: string[];
  /** of the demands on one task: as they were then */
  @IsOptional() @IsoTime() asOf?: string;
  @IsOptional() @LogPosition() asOfPosition?: string;
  /** of a schema of read models as they were */
  @IsOptional() @SchemaName() in?: string;
}

@Controller('v1/companies/:company/wakeups')
export class WakeupsController {
  constructor(
    private readonly door: CommandDoor,
    private readonly reads: Reads,
    private readonly queries: WakeupRequestsQueries,
    private readonly asOf: AsOf,
    private readonly past: PastQueries,
    private readonly progress: Progress,
    private readonly store: EventStore,
    private readonly sides: SideReads,
  ) {}

  @Get()
  @Documented({ summary: 'Demands, newest first', takes: WakeupList, answers: 'Wakeup[]', refuses: inSchema })
  async list(@Call() call: Exchange) {
    const { company, limit, cursor, asOf, asOfPosition, in: schema, ...filters } = readOf(WakeupList, call);
    const page = { limit, cursor };
    if (schema !== undefined) return (await this.sides.in(call, schema, WakeupRequestsQueries)).list(company, filters, page);
    const at = await this.asOf.of(call, { asOf, asOfPosition });
    if (at !== undefined) return this.past.wakeups(company, onlyTask(filters.task, wakeupRequests), filters, page, at);
    await this.reads.upTo(call, wakeupRequests, agents);
    return this.queries.list(company, filters, page);
  }

  @Get(':wakeup')
  @Documented({
    summary: 'One demand, and what became of it',
    takes: WakeupAsOf,
    answers: 'Wakeup',
    refuses: ['wakeup_not_found', 'not_yet', ...inSchema],
  })
  async get(@Call() call: Exchange) {
    const { company, wakeup, in: schema, ...when } = readOf(WakeupAsOf, call);
    const missing = { code: 'wakeup_not_found', name: wakeup } as const;
    if (schema !== undefined)
      return present(await (await this.sides.in(call, schema, WakeupRequestsQueries)).get(company, wakeup), missing);
    const at = await this.asOf.of(call, when);
    if (at !== undefined) return this.asItWas({ company, wakeup }, at);
    await this.reads.upTo(call, wakeupRequests, agents);
    return present(await this.queries.get(company, wakeup), missing);
  }

  @Post()
  @Documented({
    summary: 'Asks that an agent runs',
    takes: WakeupRequest,
    answers: 'RequestedWakeup',
    status: [202],
    refuses: ['agent_not_found', 'task_not_found', 'agent_not_invokable', 'data_refused'],
  })
  request(@Call() call: Exchange) {
    const { idempotencyKey, ...body } = call.body;
    return this.door.send(requestWakeup, call, {
      fields: call.fields(body),
      key: keyOf(call, idempotencyKey, body),
      status: () => 202,
    });
  }

  @Post(':wakeup/cancel')
  @Documented({
    summary: 'Withdraws a demand',
    takes: WakeupCancellation,
    answers: 'CancelledWakeup',
    refuses: ['wakeup_not_found', 'wakeup_not_open', 'wakeup_shared'],
  })
  async cancel(@Call() call: Exchange) {
    const cancellation = validated(WakeupCancellation, call.fields());
    const { task } = await this.found(cancellation);
    return this.door.send(cancelWakeup, call, { fields: { ...cancellation, task } });
  }

  /** Its id does not say which task it is on. */
  private async asItWas(wakeup: OneWakeup, at: Position): Promise<Wakeup> {
    const { company, task, id } = await this.found(wakeup);
    return present(await this.past.wakeup(company, task, id, at), { code: 'wakeup_not_found', name: id });
  }

  /** A wakeup that was requested a moment ago is there, too. */
  private async found({ company, wakeup }: OneWakeup): Promise<Wakeup> {
    const known = await this.queries.get(company, wakeup);
    if (known) return known;
    await this.progress.reached([wakeupRequests.name], await this.store.head());
    return present(await this.queries.get(company, wakeup), { code: 'wakeup_not_found', name: wakeup });
  }
}

/** A repeat may name another agent, task or reason: it gets the first answer. Only another payload is another request. */
function keyOf(call: Exchange, named: unknown, { payload, ...target }: Readonly<Record<string, unknown>>): Manner<never>['key'] {
  const header = idempotencyKeyOf(call);
  if (named === undefined && header === undefined) return undefined;
  const key = named === undefined ? header : named;
  if (typeof key !== 'string' || !isIdempotencyKey(key))
    throw malformed('idempotencyKey', 'idempotencyKey: give 1 to 255 printable ASCII characters');
  if (header !== undefined && header !== key)
    throw malformed('idempotencyKey', 'idempotencyKey and the header Idempotency-Key differ: give one of them');
  return { key, compared: JSON.stringify(payload ?? {}), target };
}

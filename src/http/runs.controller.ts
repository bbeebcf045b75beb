import { Controller, Get, Post } from '@nestjs/common';
import { IsOptional } from 'class-validator';
import { detachRun, reattachRun } from '../commands/detached.js';
import { SchemaName } from '../commands/operations/as-of.js';
import { IsoTime, OneOf, RunId, Slug, TaskId, Text } from '../commands/fields.js';
import { retryNow, scheduleRetry } from '../commands/retry.js';
import { cancelRun, finishRun, recordProcess } from '../commands/run.js';
import { decideSilence } from '../commands/silence.js';
import { nameUuid, taskOfRun } from '../events/event.js';
import { runStatuses, type RunStatus } from '../events/run.js';
import { agents } from '../projections/agents.js';
import { PastQueries } from '../projections/as-of/past-queries.js';
import { RunStatusQueries } from '../projections/run-queries.js';
import { runStatus } from '../projections/run-status.js';
import { tasks } from '../projections/tasks.js';
import { AsOf, LogPosition, onlyTask } from './as-of.js';
import { Call, type Exchange } from './call.js';
import { CommandDoor } from './command-door.js';
import { Documented } from './documented.js';
import { EventPages } from './event-pages.js';
import { ListOfCompany, OfCompany, readOf, Several } from './query.js';
import { one, present, Reads } from './reads.js';
import { inSchema, SideReads } from './side-reads.js';

export class OneRun extends OfCompany {
  @RunId() run!: string;
}

export class RunAsOf extends OneRun {
  @IsOptional() @IsoTime() asOf?: string;
  @IsOptional() @LogPosition() asOfPosition?: string;
  /** of a schema of read models as they were */
  @IsOptional() @SchemaName() in?: string;
}

export class RunList extends ListOfCompany {
  @Several() @OneOf(runStatuses, { each: true }) status?: RunStatus[];
  @Several() @Slug({ each: true }) agent?: string[];
  @Several() @TaskId({ each: true }) task?: string[];
  @Several() @RunId({ each: true }) chain?: string[];
  @Several() @Text(200, { each: true }) errorCode?: string[];
  /** text in the error */
  @IsOptional() @Text(200) q?: string;
  /** of the runs of one task: as they were then */
  @IsOptional() @IsoTime() asOf?: string;
  @IsOptional() @LogPosition() asOfPosition?: string;
  /** of a schema of read models as they were */
  @IsOptional() @SchemaName() in?: string;
}

export class RunEvents extends ListOfCompany {
  @RunId() run!: string;
}

@Controller('v1/companies/:company/runs')
export class RunsController {
  constructor(
    private readonly door: CommandDoor,
    private readonly reads: Reads,
    private readonly queries: RunStatusQueries,
    private readonly asOf: AsOf,
    private readonly past: PastQueries,
    private readonly events: EventPages,
    private readonly sides: SideReads,
  ) {}

  @Get()
  @Documented({ summary: 'Runs, newest first', takes: RunList, answers: 'Run[]', refuses: inSchema })
  async list(@Call() call: Exchange) {
    const { company, limit, cursor, asOf, asOfPosition, in: schema, ...filters } = readOf(RunList, call);
    const page = { limit, cursor };
    if (schema !== undefined) return (await this.sides.in(call, schema, RunStatusQueries)).list(company, filters, page);
    const at = await this.asOf.of(call, { asOf, asOfPosition });
    if (at !== undefined) {
      const task = onlyTask(filters.task ?? filters.chain?.map(taskOfRun), runStatus);
      return this.past.runs(company, task, filters, page, at);
    }
    await this.reads.upTo(call, runStatus, tasks, agents);
    return this.queries.list(company, filters, page);
  }

  @Get(':run')
  @Documented({ summary: 'One run', takes: RunAsOf, answers: 'Run', refuses: ['run_not_found', 'not_yet', ...inSchema] })
  async get(@Call() call: Exchange) {
    const { company, run, in: schema, ...when } = readOf(RunAsOf, call);
    const missing = { code: 'run_not_found', name: run } as const;
    if (schema !== undefined)
      return present(await (await this.sides.in(call, schema, RunStatusQueries)).get(company, run), missing);
    const at = await this.asOf.of(call, when);
    if (at !== undefined) return present(await this.past.run(company, run, at), missing);
    await this.reads.upTo(call, runStatus, tasks, agents);
    return one(call, await this.queries.get(company, run), missing);
  }

  @Get(':run/events')
  @Documented({ summary: 'Everything that happened to a run', takes: RunEvents, answers: 'Event[]', refuses: ['run_not_found'] })
  async eventsOf(@Call() call: Exchange) {
    const { company, run, ...page } = readOf(RunEvents, call);
    await this.reads.upTo(call, runStatus);
    return this.events.ofRun(present(await this.queries.get(company, run), { code: 'run_not_found', name: run }), page);
  }

  @Post(':run/process')
  @Documented({
    summary: 'Says which process works on a run',
    takes: recordProcess.command,
    answers: 'ChangedRun',
    refuses: ['run_not_found', 'stale_lease'],
  })
  process(@Call() call: Exchange) {
    return this.door.send(recordProcess, call);
  }

  @Post(':run/detached')
  @Documented({
    summary: 'Says that the process of a run goes on without its worker',
    takes: detachRun.command,
    answers: 'ChangedRun',
    refuses: ['run_not_found', 'stale_lease'],
  })
  detached(@Call() call: Exchange) {
    return this.door.send(detachRun, call);
  }

  @Post(':run/reattached')
  @Documented({
    summary: 'Says that a worker has taken up the process of a run again',
    takes: reattachRun.command,
    answers: 'ChangedRun',
    refuses: ['run_not_found', 'stale_lease'],
  })
  reattached(@Call() call: Exchange) {
    return this.door.send(reattachRun, call);
  }

  @Post(':run/silence')
  @Documented({
    summary: 'Decides on a run that runs and says nothing',
    takes: decideSilence.command,
    answers: 'ChangedRun',
    refuses: ['run_not_found', 'run_not_silent', 'not_permitted'],
  })
  silence(@Call() call: Exchange) {
    return this.door.send(decideSilence, call);
  }

  /** Reported again under the same lease, it is the same report, with a key or without. */
  @Post(':run/finish')
  @Documented({
    summary: 'Reports how a run ended',
    takes: finishRun.command,
    answers: 'EndedRun',
    refuses: ['run_not_found', 'stale_lease'],
  })
  finish(@Call() call: Exchange) {
    const { company, run } = call.request.params;
    return this.door.send(finishRun, call, {
      commandId: nameUuid('finish', String(company), String(run), String(call.body.lease)),
    });
  }

  @Post(':run/cancel')
  @Documented({
    summary: 'Ends a run, for good or to have it done again',
    takes: cancelRun.command,
    answers: 'EndedRun',
    refuses: ['run_not_found', 'run_not_running'],
  })
  cancel(@Call() call: Exchange) {
    return this.door.send(cancelRun, call);
  }

  @Post(':run/schedule-retry')
  @Documented({
    summary: 'Tries a failed run again, after the next delay',
    takes: scheduleRetry.command,
    answers: 'ScheduledRetry',
    status: [200, 201],
    refuses: ['run_not_found', 'run_not_retryable', 'issue_terminal_status', 'agent_terminated'],
  })
  scheduleRetry(@Call() call: Exchange) {
    return this.door.send(scheduleRetry, call, { status: ({ outcome }) => (outcome === 'scheduled' ? 201 : 200) });
  }

  @Post(':run/retry-now')
  @Documented({
    summary: 'Does not wait for a parked run',
    takes: retryNow.command,
    answers: 'RetriedNow',
    refuses: ['run_not_found'],
  })
  retryNow(@Call() call: Exchange) {
    return this.door.send(retryNow, call);
  }
}

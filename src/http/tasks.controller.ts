import { Controller, Get, Post, Put } from '@nestjs/common';
import { IsOptional } from 'class-validator';
import { SchemaName } from '../commands/operations/as-of.js';
import { IsoTime, OneOf, Slug, TaskId } from '../commands/fields.js';
import { setBlockers } from '../commands/blockers.js';
import { holdTask, releaseTask } from '../commands/hold.js';
import { assignTask, putTask, setTaskStatus } from '../commands/task.js';
import { taskStatuses, type TaskStatus } from '../events/task.js';
import { PastQueries } from '../projections/as-of/past-queries.js';
import { BlockerGraphQueries } from '../projections/blocker-graph.js';
import { holds } from '../projections/holds.js';
import { TasksQueries } from '../projections/task-queries.js';
import { tasks } from '../projections/tasks.js';
import { AsOf, LogPosition } from './as-of.js';
import { Call, type Exchange } from './call.js';
import { CommandDoor } from './command-door.js';
import { Documented } from './documented.js';
import { EventPages } from './event-pages.js';
import { ListOfCompany, OfCompany, readOf, Several } from './query.js';
import { one, present, Reads } from './reads.js';
import { inSchema, SideReads } from './side-reads.js';

export class OneTask extends OfCompany {
  @TaskId() task!: string;
}

export class TaskAsOf extends OneTask {
  @IsOptional() @IsoTime() asOf?: string;
  @IsOptional() @LogPosition() asOfPosition?: string;
  /** of a schema of read models as they were */
  @IsOptional() @SchemaName() in?: string;
}

export class TaskList extends ListOfCompany {
  @Several() @OneOf(taskStatuses, { each: true }) status?: TaskStatus[];
  @Several() @Slug({ each: true }) assignee?: string[];
  /** of a schema of read models as they were */
  @IsOptional() @SchemaName() in?: string;
}

export class TaskEvents extends ListOfCompany {
  @TaskId() task!: string;
}

@Controller('v1/companies/:company/tasks')
export class TasksController {
  constructor(
    private readonly door: CommandDoor,
    private readonly reads: Reads,
    private readonly queries: TasksQueries,
    private readonly asOf: AsOf,
    private readonly past: PastQueries,
    private readonly graph: BlockerGraphQueries,
    private readonly events: EventPages,
    private readonly sides: SideReads,
  ) {}

  @Get()
  @Documented({ summary: 'Tasks, newest first', takes: TaskList, answers: 'Task[]', refuses: inSchema })
  async list(@Call() call: Exchange) {
    const { company, limit, cursor, in: schema, ...filters } = readOf(TaskList, call);
    const page = { limit, cursor };
    if (schema !== undefined) return (await this.sides.in(call, schema, TasksQueries)).list(company, filters, page);
    await this.reads.upTo(call, tasks);
    return this.queries.list(company, filters, page);
  }

  @Get(':task')
  @Documented({ summary: 'One task', takes: TaskAsOf, answers: 'Task', refuses: ['task_not_found', 'not_yet', ...inSchema] })
  async get(@Call() call: Exchange) {
    const { company, task, in: schema, ...when } = readOf(TaskAsOf, call);
    const missing = { code: 'task_not_found', name: task } as const;
    if (schema !== undefined) return present(await (await this.sides.in(call, schema, TasksQueries)).get(company, task), missing);
    const at = await this.asOf.of(call, when);
    if (at !== undefined) return present(await this.past.task(company, task, at), missing);
    await this.reads.upTo(call, tasks);
    return one(call, await this.queries.get(company, task), missing);
  }

  @Get(':task/events')
  @Documented({
    summary: 'Everything that happened on a task',
    takes: TaskEvents,
    answers: 'Event[]',
    refuses: ['task_not_found'],
  })
  eventsOf(@Call() call: Exchange) {
    const { company, task, ...page } = readOf(TaskEvents, call);
    return this.events.ofTask(company, task, page);
  }

  @Put(':task')
  @Documented({
    summary: 'Opens a task, or describes it anew',
    takes: putTask.command,
    answers: 'PutTask',
    refuses: ['agent_not_found', 'agent_terminated', 'task_kind_fixed', 'task_not_found', 'blocker_cycle', 'too_many'],
  })
  put(@Call() call: Exchange) {
    return this.door.send(putTask, call, { show: ({ task, ...done }) => ({ ...task, ...done }) });
  }

  @Post(':task/assign')
  @Documented({
    summary: "Makes a task an agent's, or nobody's",
    takes: assignTask.command,
    answers: 'ChangedTask',
    refuses: ['task_not_found', 'agent_not_found', 'agent_terminated'],
  })
  assign(@Call() call: Exchange) {
    return this.door.send(assignTask, call);
  }

  @Post(':task/status')
  @Documented({ summary: 'Moves a task', takes: setTaskStatus.command, answers: 'ChangedTask', refuses: ['task_not_found'] })
  setStatus(@Call() call: Exchange) {
    return this.door.send(setTaskStatus, call);
  }

  @Get(':task/blockers')
  @Documented({
    summary: 'What a task waits for, and what waits for it, with what is stalled and why',
    takes: OneTask,
    answers: 'BlockerGraph',
    refuses: ['task_not_found'],
  })
  async blockers(@Call() call: Exchange) {
    const { company, task } = readOf(OneTask, call);
    await this.reads.upTo(call, tasks, holds);
    return present(await this.graph.around(company, task), { code: 'task_not_found', name: task });
  }

  @Get(':task/tree')
  @Documented({
    summary: 'A task and those below it, each before its own',
    takes: OneTask,
    answers: 'TaskTree',
    refuses: ['task_not_found'],
  })
  async tree(@Call() call: Exchange) {
    const { company, task } = readOf(OneTask, call);
    await this.reads.upTo(call, tasks, holds);
    return present(await this.graph.below(company, task), { code: 'task_not_found', name: task });
  }

  @Post(':task/blockers')
  @Documented({
    summary: 'Says which tasks a task waits for, and no others',
    takes: setBlockers.command,
    answers: 'ChangedTask',
    refuses: ['task_not_found', 'blocker_cycle', 'too_many'],
  })
  setBlockers(@Call() call: Exchange) {
    return this.door.send(setBlockers, call);
  }

  @Post(':task/hold')
  @Documented({
    summary: 'Holds what is to be done on a task, or on all below it as well',
    takes: holdTask.command,
    answers: 'ChangedTask',
    refuses: ['task_not_found', 'issue_terminal_status'],
  })
  hold(@Call() call: Exchange) {
    return this.door.send(holdTask, call);
  }

  @Post(':task/release')
  @Documented({
    summary: 'Lets go on what was held',
    takes: releaseTask.command,
    answers: 'ChangedTask',
    refuses: ['task_not_found'],
  })
  release(@Call() call: Exchange) {
    return this.door.send(releaseTask, call);
  }
}

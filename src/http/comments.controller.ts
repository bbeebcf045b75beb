import { Controller, Delete, Get, Post } from '@nestjs/common';
import { IsOptional } from 'class-validator';
import { addComment, removeComment } from '../commands/comment.js';
import { IsoTime, TaskId } from '../commands/fields.js';
import { PastQueries } from '../projections/as-of/past-queries.js';
import { CommentsQueries } from '../projections/comment-queries.js';
import { comments } from '../projections/comments.js';
import { TasksQueries } from '../projections/task-queries.js';
import { tasks } from '../projections/tasks.js';
import { AsOf, LogPosition } from './as-of.js';
import { Call, type Exchange } from './call.js';
import { CommandDoor } from './command-door.js';
import { Documented } from './documented.js';
import { ListOfCompany, readOf } from './query.js';
import { present, Reads } from './reads.js';

export class CommentList extends ListOfCompany {
  @TaskId() task!: string;
  @IsOptional() @IsoTime() asOf?: string;
  @IsOptional() @LogPosition() asOfPosition?: string;
}

@Controller('v1/companies/:company/tasks/:task/comments')
export class CommentsController {
  constructor(
    private readonly door: CommandDoor,
    private readonly reads: Reads,
    private readonly queries: CommentsQueries,
    private readonly tasks: TasksQueries,
    private readonly asOf: AsOf,
    private readonly past: PastQueries,
  ) {}

  @Get()
  @Documented({
    summary: 'What was said on a task, oldest first',
    takes: CommentList,
    answers: 'Comment[]',
    refuses: ['task_not_found', 'not_yet'],
  })
  async list(@Call() call: Exchange) {
    const { company, task, limit, cursor, ...when } = readOf(CommentList, call);
    const missing = { code: 'task_not_found', name: task } as const;
    const at = await this.asOf.of(call, when);
    if (at !== undefined) return present(await this.past.comments(company, task, { limit, cursor }, at), missing);
    await this.reads.upTo(call, comments, tasks);
    present(await this.tasks.get(company, task), missing);
    return this.queries.list(company, task, { limit, cursor });
  }

  @Post()
  @Documented({
    summary: 'Says something on a task; its assignee and whoever is mentioned are woken for it',
    takes: addComment.command,
    answers: 'AddedComment',
    status: [201],
    refuses: [
      'task_not_found',
      'agent_not_found',
      'not_permitted',
      'too_many',
      'issue_terminal_status',
      'issue_dependencies_blocked',
    ],
  })
  add(@Call() call: Exchange) {
    return this.door.send(addComment, call, { status: () => 201 });
  }

  @Delete(':comment')
  @Documented({
    summary: 'Takes back a comment; whoever was not told yet is not told',
    takes: removeComment.command,
    answers: 'RemovedComment',
    refuses: ['task_not_found', 'comment_not_found', 'not_permitted'],
  })
  remove(@Call() call: Exchange) {
    return this.door.send(removeComment, call);
  }
}

import { Controller, Post, Put } from '@nestjs/common';
import { assignTask, putTask, setTaskStatus } from '../commands/task.js';
import { Call, type Exchange } from './call.js';
import { CommandDoor } from './command-door.js';

@Controller('v1/companies/:company/tasks')
export class TasksController {
  constructor(private readonly door: CommandDoor) {}

  @Put(':task')
  put(@Call() call: Exchange) {
    return this.door.send(putTask, call, { show: ({ task, ...done }) => ({ ...task, ...done }) });
  }

  @Post(':task/assign')
  assign(@Call() call: Exchange) {
    return this.door.send(assignTask, call);
  }

  @Post(':task/status')
  setStatus(@Call() call: Exchange) {
    return this.door.send(setTaskStatus, call);
  }
}

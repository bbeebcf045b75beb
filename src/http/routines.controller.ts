import { Controller, Get, Post, Put } from '@nestjs/common';
import { IsOptional } from 'class-validator';
import { CommandPorts } from '../commands/catalogue.js';
import type { Dispatched } from '../commands/decider.js';
import { validated } from '../commands/dispatch.js';
import { OneOf, Slug } from '../commands/fields.js';
import { SchemaName } from '../commands/operations/as-of.js';
import { nextTimes } from '../commands/routines/next-times.js';
import { preview, PreviewRoutine } from '../commands/routines/preview.js';
import { unfitDefinitions, unfitValues } from '../commands/routines/refusals.js';
import { archiveRoutine, pauseRoutine, putRoutine, resumeRoutine } from '../commands/routines/routine.js';
import type { RoutineView } from '../commands/routines/routine-view.js';
import { routineStatuses, type RoutineStatus } from '../events/routine.js';
import { routineFires } from '../projections/routines/routine-fires.js';
import { RoutinesQueries, type Routine } from '../projections/routines/routine-queries.js';
import { routines } from '../projections/routines/routines.js';
import { TriggerSecrets } from '../webhooks/secrets.js';
import { Call, type Exchange } from './call.js';
import { CommandDoor, type Send } from './command-door.js';
import { Documented } from './documented.js';
import { withoutSecrets, type TellsSecrets } from './kept-secrets.js';
import { Count, ListOfCompany, OfCompany, readOf, Several } from './query.js';
import { one, present, Reads } from './reads.js';
import { inSchema, SideReads } from './side-reads.js';

export class OneRoutine extends OfCompany {
  @Slug() routine!: string;
}

export class RoutineList extends ListOfCompany {
  @Several() @OneOf(routineStatuses, { each: true }) status?: RoutineStatus[];
  @Several() @Slug({ each: true }) agent?: string[];
  /** of a schema of read models as they were */
  @IsOptional() @SchemaName() in?: string;
}

export class RoutineRead extends OneRoutine {
  /** of a schema of read models as they were */
  @IsOptional() @SchemaName() in?: string;
}

export class NextRead extends OneRoutine {
  /** of each schedule */
  @Count(1, 100) count?: number;
}

export class PreviewRequest extends PreviewRoutine {
  @Slug() company!: string;
  @Slug() routine!: string;
}

const missing = (routine: string) => ({ code: 'routine_not_found', name: routine }) as const;

/** Work that comes by the clock, by a webhook, by a call or by hand. */
@Controller('v1/companies/:company/routines')
export class RoutinesController {
  constructor(
    private readonly door: CommandDoor,
    private readonly reads: Reads,
    private readonly queries: RoutinesQueries,
    private readonly secrets: TriggerSecrets,
    private readonly ports: CommandPorts,
    private readonly sides: SideReads,
  ) {}

  @Get()
  @Documented({ summary: 'Routines, newest first', takes: RoutineList, answers: 'Routine[]', refuses: inSchema })
  async list(@Call() call: Exchange) {
    const { company, limit, cursor, in: schema, ...filters } = readOf(RoutineList, call);
    if (schema !== undefined)
      return (await this.sides.in(call, schema, RoutinesQueries)).list(company, filters, { limit, cursor });
    await this.reads.upTo(call, routines, routineFires);
    return this.queries.list(company, filters, { limit, cursor });
  }

  @Get(':routine')
  @Documented({
    summary: 'One routine, and when it is due',
    takes: RoutineRead,
    answers: 'Routine',
    refuses: ['routine_not_found', ...inSchema],
  })
  async get(@Call() call: Exchange) {
    const { company, routine, in: schema } = readOf(RoutineRead, call);
    if (schema === undefined) return one(call, await this.found(call, { company, routine }), missing(routine));
    return present(await (await this.sides.in(call, schema, RoutinesQueries)).get(company, routine), missing(routine));
  }

  /** The secrets of webhooks that are new with it are told to whoever has put them there, and to nobody else, ever. */
  @Put(':routine')
  @Documented({
    summary: 'Defines a routine, or replaces its definition; only this answer has the addresses and secrets of new webhooks',
    takes: putRoutine.command,
    answers: 'PutRoutine',
    refuses: ['not_permitted', 'routine_archived', 'agent_not_found', 'agent_terminated', 'secrets_locked', ...unfitDefinitions],
  })
  put(@Call() call: Exchange) {
    return this.door.send(putRoutine, call, {
      around: (commandId, send) => this.withSecrets(commandId, send),
      keep: withoutSecrets,
    });
  }

  @Post(':routine/preview')
  @Documented({
    summary: 'What a fire would ask for now; nothing is written',
    takes: PreviewRequest,
    answers: 'Preview',
    status: [200],
    headers: [],
    refuses: ['routine_not_found', ...unfitValues],
  })
  async preview(@Call() call: Exchange) {
    const { company, routine, ...given } = validated(PreviewRequest, call.fields());
    void call.reply.status(200);
    return preview(definitionOf(await this.found(call, { company, routine })), { ...given, at: this.ports.clock.now() });
  }

  @Post(':routine/pause')
  @Documented({
    summary: 'Suppresses the fires of a routine, those excepted that are asked for by hand',
    takes: pauseRoutine.command,
    answers: 'Routine',
    refuses: ['routine_not_found', 'routine_archived', 'not_permitted'],
  })
  pause(@Call() call: Exchange) {
    return this.door.send(pauseRoutine, call, showRoutine);
  }

  @Post(':routine/resume')
  @Documented({
    summary: 'Lets a routine fire again',
    takes: resumeRoutine.command,
    answers: 'Routine',
    refuses: ['routine_not_found', 'routine_archived', 'not_permitted', 'agent_required'],
  })
  resume(@Call() call: Exchange) {
    return this.door.send(resumeRoutine, call, showRoutine);
  }

  @Post(':routine/archive')
  @Documented({
    summary: 'Ends a routine for good',
    takes: archiveRoutine.command,
    answers: 'Routine',
    refuses: ['routine_not_found', 'not_permitted'],
  })
  archive(@Call() call: Exchange) {
    return this.door.send(archiveRoutine, call, showRoutine);
  }

  @Get(':routine/next')
  @Documented({
    summary: 'When the schedules of a routine are due next, with what changes of the clocks do to that',
    takes: NextRead,
    answers: 'NextTimes',
    refuses: ['routine_not_found'],
  })
  async next(@Call() call: Exchange) {
    const { count = 10, ...routine } = readOf(NextRead, call);
    return nextTimes(await this.found(call, routine), this.ports.clock.now(), count);
  }

  private async found(call: Exchange, { company, routine }: OneRoutine) {
    await this.reads.upTo(call, routines, routineFires);
    return present(await this.queries.get(company, routine), missing(routine));
  }

  /** Only the first request is told the secrets, though a repeat makes those that a crash has left unmade. */
  private async withSecrets(commandId: string, send: Send<{ readonly routine: RoutineView }>): Promise<Dispatched<PutRoutine>> {
    const { answer, ...sent } = await send(commandId);
    const { company, id: routine } = answer.routine;
    const webhooks = await this.secrets.ensure({ company, routine });
    return { ...sent, answer: { ...answer.routine, ...(webhooks.length > 0 && { webhooks }) } };
  }
}

type PutRoutine = RoutineView & TellsSecrets;

const showRoutine = { show: <R>({ routine }: { routine: R }) => routine };

const definitionOf = ({ description, agent, ...routine }: Routine) => ({
  ...routine,
  description: description ?? null,
  agent: agent ?? null,
});

import { Controller, Get, Post } from '@nestjs/common';
import { IsOptional } from 'class-validator';
import { validated } from '../commands/dispatch.js';
import { FireId, FreeJson, OneOf, Optional, Slug } from '../commands/fields.js';
import { SchemaName } from '../commands/operations/as-of.js';
import type { FireView } from '../commands/routines/fire-view.js';
import { fireRoutine } from '../commands/routines/fire.js';
import { unfitValues } from '../commands/routines/refusals.js';
import { FiresQueries } from '../projections/routines/fire-queries.js';
import { fireOutcomes, routineFires, type FireOutcome } from '../projections/routines/routine-fires.js';
import { RoutinesQueries } from '../projections/routines/routine-queries.js';
import { routines } from '../projections/routines/routines.js';
import { Call, type Exchange } from './call.js';
import { CommandDoor } from './command-door.js';
import { Documented } from './documented.js';
import { ListOfCompany, readOf, Several } from './query.js';
import { present, Reads } from './reads.js';
import { OneRoutine } from './routines.controller.js';
import { inSchema, SideReads } from './side-reads.js';

export class FireList extends ListOfCompany {
  @Slug() routine!: string;
  @Several() @OneOf(fireOutcomes, { each: true }) outcome?: FireOutcome[];
  @Several() @Slug({ each: true }) trigger?: string[];
  /** of a schema of read models as they were */
  @IsOptional() @SchemaName() in?: string;
}

export class OneFire extends OneRoutine {
  @FireId() fire!: string;
}

export class FireRead extends OneFire {
  /** of a schema of read models as they were */
  @IsOptional() @SchemaName() in?: string;
}

/** What a fire may be asked for with; who asks is said by its trigger. */
export class FireRequest extends OneRoutine {
  /** without one, it is fired by hand */
  @Optional() @Slug() trigger?: string;
  /** in the place of the routine's own */
  @Optional() @Slug() agent?: string;
  @Optional() @FreeJson() variables?: Record<string, unknown>;
  @Optional() @FreeJson() payload?: Record<string, unknown>;
}

/** Each time that a routine's work was asked for, and what came of it. */
@Controller('v1/companies/:company/routines/:routine')
export class FiresController {
  constructor(
    private readonly door: CommandDoor,
    private readonly reads: Reads,
    private readonly queries: FiresQueries,
    private readonly routines: RoutinesQueries,
    private readonly sides: SideReads,
  ) {}

  @Get('fires')
  @Documented({
    summary: 'Fires of a routine, newest first, and what came of them',
    takes: FireList,
    answers: 'Fire[]',
    refuses: ['routine_not_found', ...inSchema],
  })
  async list(@Call() call: Exchange) {
    const { company, routine, limit, cursor, in: schema, ...filters } = readOf(FireList, call);
    const known = schema === undefined ? this.routines : await this.sides.in(call, schema, RoutinesQueries);
    const fires = schema === undefined ? this.queries : await this.sides.in(call, schema, FiresQueries);
    if (schema === undefined) await this.reads.upTo(call, routines, routineFires);
    present(await known.get(company, routine), { code: 'routine_not_found', name: routine });
    return fires.list(company, routine, { limit, cursor }, filters);
  }

  @Get('fires/:fire')
  @Documented({
    summary: 'One fire, and what came of it',
    takes: FireRead,
    answers: 'Fire',
    refuses: ['fire_not_found', ...inSchema],
  })
  async get(@Call() call: Exchange) {
    const { company, routine, fire, in: schema } = readOf(FireRead, call);
    if (schema === undefined) await this.reads.upTo(call, routineFires);
    const fires = schema === undefined ? this.queries : await this.sides.in(call, schema, FiresQueries);
    return present(await fires.get(company, routine, fire), { code: 'fire_not_found', name: fire });
  }

  /**
   * By a trigger of kind api it is the caller's own system that fires; without one, or by a trigger of another kind, it is done by hand,
   * as somebody would try a schedule out.
   */
  @Post('fire')
  @Documented({
    summary: 'Fires a routine now, by its api trigger or by hand',
    takes: FireRequest,
    answers: 'Fire',
    status: [200, 201, 202],
    refuses: [
      'routine_not_found',
      'trigger_not_found',
      'agent_not_found',
      'not_permitted',
      'routine_paused',
      'routine_archived',
      'trigger_disabled',
      'outside_window',
      'agent_terminated',
      'agent_required',
      ...unfitValues,
    ],
  })
  fire(@Call() call: Exchange) {
    const request = validated(FireRequest, call.fields());
    return this.door.send(fireRoutine, call, { fields: { ...request }, show: ({ fire }) => fire, status: statusOf });
  }
}

const statuses: Partial<Record<FireView['outcome'], number>> = { created: 201, pending: 202 };
const statusOf = ({ fire }: { fire: FireView }) => statuses[fire.outcome] ?? 200;

import { Controller, Get, Post } from '@nestjs/common';
import { dropReadModel, rollBack } from '../commands/operations/cut-over.js';
import { validated } from '../commands/dispatch.js';
import { Exact, Int, Optional, Slug, Text } from '../commands/fields.js';
import { startRebuild } from '../commands/operations/rebuild.js';
import { EventStore } from '../event-store/event-store.js';
import type { ReadModelName, RebuildPurpose } from '../events/operations.js';
import { LogEnd } from '../projections/log-end.js';
import { CheckpointQueries, withLags } from '../projections/operations/checkpoint-queries.js';
import { KnownProjections } from '../projections/operations/known-projections.js';
import { isOpen, RebuildQueries } from '../projections/operations/rebuild-queries.js';
import { rebuilds } from '../projections/operations/rebuilds.js';
import { Call, type Exchange } from './call.js';
import { CommandDoor } from './command-door.js';
import { commandHeaders, Documented } from './documented.js';
import { LiveReadModels } from './live-read-models.js';
import { malformed } from './problem.js';
import { readOf } from './query.js';
import { Reads } from './reads.js';

export class OneProjection {
  @Slug() projection!: string;
}

export class ChangeOfProjection extends OneProjection {
  /** kept with the change */
  @Optional() @Text(4_000) reason?: string;
}

export class VerifyProjection extends ChangeOfProjection {
  /** no faster than this */
  @Optional() @Int(1, 10_000_000) eventsPerSecond?: number;
}

export class RebuildProjection extends VerifyProjection {
  /** without one: the highest that this server knows */
  @Optional() @Int(1, 1_000_000) version?: number;
}

export class RollBackOfProjection extends ChangeOfProjection {
  /** the read model that is asked, as you have seen it: refused when another one is by now */
  @Optional() @Exact(200) from?: ReadModelName;
}

export class DropOfProjection extends ChangeOfProjection {
  @Exact(200) readModel!: ReadModelName;
}

/** What operators do with read models; they belong to no company. */
@Controller('v1/projections')
export class ProjectionsController {
  constructor(
    private readonly door: CommandDoor,
    private readonly store: EventStore,
    private readonly reads: Reads,
    private readonly projections: KnownProjections,
    private readonly checkpoints: CheckpointQueries,
    private readonly rebuilding: RebuildQueries,
    private readonly live: LiveReadModels,
  ) {}

  @Get()
  @Documented({ summary: 'How far each read model is', answers: 'Projections' })
  async list() {
    const end = await LogEnd.of(this.store);
    return { head: end.head, items: await withLags(await this.checkpoints.list(), end) };
  }

  @Get(':projection')
  @Documented({
    summary: 'The read models of a projection, the versions that this server knows, and what is being built',
    takes: OneProjection,
    answers: 'Projection',
    refuses: ['projection_not_found'],
  })
  async get(@Call() call: Exchange) {
    const { projection: name } = readOf(OneProjection, call);
    const versions = this.projections.versionsOf(name);
    await this.reads.upTo(call, rebuilds);
    const end = await LogEnd.of(this.store);
    const [views, known] = await Promise.all([this.checkpoints.list(name), this.rebuilding.list({ projection: name })]);
    return { name, versions, head: end.head, readModels: await withLags(views, end), rebuild: known.find(isOpen) };
  }

  @Post(':projection/rebuilds')
  @Documented({
    summary: 'Builds a version of a projection, or the same one anew, beside the read model that is asked',
    takes: RebuildProjection,
    answers: 'StartedRebuild',
    status: [202],
    headers: commandHeaders,
    refuses: ['projection_not_found', 'rebuild_under_way'],
  })
  async rebuild(@Call() call: Exchange) {
    const { version, ...asked } = validated(RebuildProjection, call.fields());
    const versions = this.projections.versionsOf(asked.projection);
    const wanted = version ?? versions.at(-1)!;
    if (!versions.includes(wanted))
      throw malformed('version', `version is ${wanted}: this server knows ${versions.join(', ')} of ${asked.projection}`);
    return this.start(call, { ...asked, version: wanted, purpose: 'cut_over' });
  }

  @Post(':projection/verify')
  @Documented({
    summary: 'Proves that the rows that are asked are those that the log folds to, while the system runs',
    takes: VerifyProjection,
    answers: 'StartedRebuild',
    status: [202],
    headers: commandHeaders,
    refuses: ['projection_not_found', 'rebuild_under_way', 'rebuild_not_ready'],
  })
  async verify(@Call() call: Exchange) {
    const asked = validated(VerifyProjection, call.fields());
    this.projections.versionsOf(asked.projection);
    const { version } = await this.live.of(asked.projection);
    return this.start(call, { ...asked, version, purpose: 'verify' });
  }

  @Post(':projection/rollback')
  @Documented({
    summary: 'Asks again what was asked before the last cut-over',
    takes: RollBackOfProjection,
    answers: 'LiveReadModel',
    status: [200, 202],
    headers: commandHeaders,
    refuses: ['projection_not_found', 'nothing_to_roll_back'],
  })
  async rollback(@Call() call: Exchange) {
    const fields = { ...validated(RollBackOfProjection, call.fields()) };
    this.projections.versionsOf(fields.projection);
    return this.live.changed(call, await this.door.send(rollBack, call, { fields }));
  }

  @Post(':projection/drop')
  @Documented({
    summary: 'Removes a read model for good that is neither asked nor being built',
    takes: DropOfProjection,
    answers: 'DroppedReadModel',
    headers: commandHeaders,
    refuses: ['projection_not_found', 'rebuild_not_found', 'read_model_in_use'],
  })
  async drop(@Call() call: Exchange) {
    const fields = { ...validated(DropOfProjection, call.fields()) };
    this.projections.versionsOf(fields.projection);
    return this.door.send(dropReadModel, call, { fields });
  }

  private async start(call: Exchange, fields: ChangeOfProjection & { version: number; purpose: RebuildPurpose }) {
    const { readModel: live } = await this.live.of(fields.projection);
    return this.door.send(startRebuild, call, { fields: { ...fields, live }, status: () => 202 });
  }
}

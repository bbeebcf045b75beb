import { Controller, Get, Post } from '@nestjs/common';
import { IsOptional } from 'class-validator';
import { cutOver } from '../commands/operations/cut-over.js';
import { Rejected } from '../commands/decider.js';
import { Exact, Slug } from '../commands/fields.js';
import { abandonRebuild, pauseRebuild, resumeRebuild } from '../commands/operations/rebuild.js';
import type { ReadModelName } from '../events/operations.js';
import { RebuildQueries } from '../projections/operations/rebuild-queries.js';
import { rebuilds } from '../projections/operations/rebuilds.js';
import { Call, type Exchange } from './call.js';
import { CommandDoor } from './command-door.js';
import { commandHeaders, Documented } from './documented.js';
import { LiveReadModels } from './live-read-models.js';
import { readOf } from './query.js';
import { Reads } from './reads.js';

export class OneRebuild {
  @Exact(200) rebuild!: ReadModelName;
}

export class RebuildList {
  @IsOptional() @Slug() projection?: string;
}

const headers = commandHeaders;

/** Read models that are built beside those that are asked. */
@Controller('v1/rebuilds')
export class RebuildsController {
  constructor(
    private readonly door: CommandDoor,
    private readonly reads: Reads,
    private readonly queries: RebuildQueries,
    private readonly live: LiveReadModels,
  ) {}

  @Get()
  @Documented({ summary: 'The last rebuilds, newest first', takes: RebuildList, answers: 'Rebuild[]' })
  async list(@Call() call: Exchange) {
    const filter = readOf(RebuildList, call);
    await this.reads.upTo(call, rebuilds);
    return { items: await this.queries.list(filter) };
  }

  @Get(':rebuild')
  @Documented({
    summary: 'How far a rebuild is, and what differs',
    takes: OneRebuild,
    answers: 'Rebuild',
    refuses: ['rebuild_not_found'],
  })
  async get(@Call() call: Exchange) {
    const { rebuild } = readOf(OneRebuild, call);
    await this.reads.upTo(call, rebuilds);
    const found = await this.queries.get(rebuild);
    if (!found)
      throw new Rejected('rebuild_not_found', `there is no rebuild ${rebuild}: GET /v1/rebuilds lists those there were`);
    return found;
  }

  @Post(':rebuild/pause')
  @Documented({
    summary: 'Lets a rebuild rest, with what it has',
    takes: pauseRebuild.command,
    answers: 'StartedRebuild',
    headers,
    refuses: ['rebuild_not_found'],
  })
  pause(@Call() call: Exchange) {
    return this.door.send(pauseRebuild, call);
  }

  @Post(':rebuild/resume')
  @Documented({
    summary: 'Lets a rebuild go on, or at another rate',
    takes: resumeRebuild.command,
    answers: 'StartedRebuild',
    headers,
    refuses: ['rebuild_not_found'],
  })
  resume(@Call() call: Exchange) {
    return this.door.send(resumeRebuild, call);
  }

  @Post(':rebuild/abandon')
  @Documented({
    summary: 'Gives a rebuild up, and drops what it has built',
    takes: abandonRebuild.command,
    answers: 'StartedRebuild',
    headers,
    refuses: ['rebuild_not_found', 'read_model_in_use'],
  })
  abandon(@Call() call: Exchange) {
    return this.door.send(abandonRebuild, call);
  }

  @Post(':rebuild/cut-over')
  @Documented({
    summary: 'Asks the new read model instead of the one that it was compared with',
    takes: cutOver.command,
    answers: 'LiveReadModel',
    status: [200, 202],
    headers,
    refuses: ['rebuild_not_found', 'rebuild_not_ready', 'differences_found'],
  })
  async cutOver(@Call() call: Exchange) {
    return this.live.changed(call, await this.door.send(cutOver, call));
  }
}

import { Controller, Get } from '@nestjs/common';
import type { Check } from '../doctor.js';
import { EventStore } from '../event-store/event-store.js';
import { LogEnd } from '../projections/log-end.js';
import { CheckpointQueries, withLags } from '../projections/operations/checkpoint-queries.js';
import { Documented } from './documented.js';
import { Drain } from './drain.js';
import { Refusal } from './problem.js';

/** Looks at what could be wrong with the ledger's database. */
export abstract class Doctor {
  abstract examine(): Promise<Check[]>;
}

/** How the process, the store and the read models are. */
@Controller()
export class HealthController {
  constructor(
    private readonly store: EventStore,
    private readonly checkpoints: CheckpointQueries,
    private readonly doctor: Doctor,
    private readonly drain: Drain,
  ) {}

  /** The process answers. */
  @Get('healthz')
  @Documented({ summary: 'The process answers', answers: 'Health' })
  health() {
    return { status: 'ok' };
  }

  /**
   * It takes requests: the store is there, and the server does not end. How far read models are behind, and which versions of them there are,
   * is said, and no reason.
   */
  @Get('readyz')
  @Documented({ summary: 'It takes requests, and its store is there', answers: 'Ready' })
  async ready() {
    if (this.drain.signal.aborted) throw new Refusal('shutting_down', 'this server shuts down');
    const end = await LogEnd.of(this.store);
    const [checkpoints, notes] = [await this.checkpoints.list(), await this.checkpoints.notes()];
    return { status: 'ready', head: end.head, projections: await withLags(checkpoints, end), notes };
  }

  @Get('v1/doctor')
  @Documented({ summary: 'What could be wrong with the database', answers: 'Checks' })
  async diagnose() {
    return { checks: await this.doctor.examine() };
  }
}

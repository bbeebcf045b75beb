import { Injectable } from '@nestjs/common';
import { Rejected } from '../commands/decider.js';
import { pause } from '../pause.js';
import { CheckpointQueries, type CheckpointView } from '../projections/operations/checkpoint-queries.js';
import type { Exchange } from './call.js';
import { Drain } from './drain.js';

const patienceMs = 10_000;
const lookEveryMs = 25;

/** Which read model of a projection is asked. */
@Injectable()
export class LiveReadModels {
  constructor(
    private readonly checkpoints: CheckpointQueries,
    private readonly drain: Drain,
  ) {}

  async of(projection: string): Promise<CheckpointView> {
    const all = await this.checkpoints.list(projection);
    const found = all.find(({ live }) => live);
    if (found) return found;
    throw new Rejected(
      'projection_not_found',
      `there is no read model of ${projection} yet: start a server with the role projector once`,
    );
  }

  /**
   * The answer to a cut-over or a roll-back, when what it says is so: it is recorded at once, and done as soon as the read model is not
   * behind the one that is asked until then. After ten seconds, 202 says that it is recorded.
   */
  async changed(call: Exchange, answer: string): Promise<string> {
    const { projection, live } = JSON.parse(answer) as { projection: string; live: string };
    const over = AbortSignal.any([this.drain.signalFor(call), AbortSignal.timeout(patienceMs)]);
    while ((await this.of(projection)).readModel !== live) {
      if (over.aborted) return (void call.reply.status(202), answer);
      await pause(lookEveryMs, over);
    }
    return answer;
  }
}

import { Controller, Post } from '@nestjs/common';
import { claimRuns } from '../commands/claim-runs.js';
import { nameUuid } from '../events/event.js';
import { Bells, claimsBell } from '../workers/bells.js';
import { answered, write } from './answers.js';
import { Call, type Exchange } from './call.js';
import { CommandDoor, type Fields } from './command-door.js';
import { Documented } from './documented.js';
import { Drain } from './drain.js';
import { refuseIfMatch } from './headers.js';
import { Count, queryOf } from './query.js';

/** The longest that a claim relies on its bell: a lease that another process has released, or of another agent on the lane, rings none. */
const longestWaitMs = 2_000;

/** How long a worker lets the server look for a run, in seconds. */
export class ClaimQuery {
  @Count(0, 60) wait?: number;
}

@Controller('v1/companies/:company/agents/:agent/claims')
export class ClaimsController {
  constructor(
    private readonly door: CommandDoor,
    private readonly bells: Bells,
    private readonly drain: Drain,
  ) {}

  /** Claims again whenever there may be something, until there is or the time is over. */
  @Post()
  @Documented({
    summary: 'Gives queued runs to a worker, under leases',
    takes: claimRuns.command,
    query: ClaimQuery,
    answers: 'ClaimedRuns',
    headers: ['Actor'],
    refuses: ['agent_not_found'],
  })
  async claim(@Call() call: Exchange) {
    refuseIfMatch(call);
    const { wait = 0 } = queryOf(ClaimQuery, call);
    const deadline = performance.now() + wait * 1_000;
    const over = this.drain.signalFor(call);
    const fields = call.fields();
    for (;;) {
      const left = deadline - performance.now();
      const looked = new AbortController();
      // It listens before it looks, so that it misses nothing in between.
      const rung = this.bells.wait(
        bellOf(fields),
        Math.max(Math.min(left, longestWaitMs), 0),
        AbortSignal.any([over, looked.signal]),
      );
      try {
        const claimed = await this.door.dispatchOnce(claimRuns, fields, call, claimId(fields));
        if (claimed.answer.runs.length === 0 && left > 0) await rung;
        // A client that has gone meanwhile must not be given anything.
        if (claimed.answer.runs.length > 0 || left <= 0 || over.aborted) return write(call, answered(claimed), claimed.replayed);
      } finally {
        looked.abort();
      }
    }
  }
}

/** A claim is known by its requestId, which makes a key needless. */
const claimId = ({ company, agent, workerId, requestId }: Fields): string =>
  nameUuid('claims', ...[company, agent, workerId, requestId].map(String));

const bellOf = ({ company, agent }: Fields): string => claimsBell(String(company), String(agent));

import { Readable } from 'node:stream';
import { Controller, Post, StreamableFile } from '@nestjs/common';
import { retryOf, RetryFields } from '../commands/agent.js';
import { validated } from '../commands/dispatch.js';
import { Exact, Nested, Optional, Slug } from '../commands/fields.js';
import { EventStore } from '../event-store/event-store.js';
import { NoPeriod, periodOf, type Period } from '../projections/what-if/period.js';
import { WhatIf, type Looked, type WhatIfReport } from '../projections/what-if/what-if.js';
import { Call, type Exchange } from './call.js';
import { Documented } from './documented.js';
import { malformed } from './problem.js';
import { loggedProblem } from './problem.filter.js';

export class AskWhatIf {
  /** as an agent's `policy.retry`; what is left out is the default */
  @Nested(() => RetryFields) policy!: RetryFields;
  /** a time or a position; default the first event */
  @Optional() @Exact(100) from?: string;
  /** a time or a position, with what was recorded there; default the last event */
  @Optional() @Exact(100) to?: string;
  /** default all */
  @Optional() @Slug() company?: string;
}

/** What would have been. Nothing is written, so that there is nothing to repeat and no key to do so by. */
@Controller('v1/what-if')
export class WhatIfController {
  constructor(private readonly store: EventStore) {}

  /** To those who accept `application/x-ndjson`, also how far it has come: `{progress}` lines, then `{report}` or `{problem}`. */
  @Post('retry-policy')
  @Documented({
    summary: 'Decides anew on each failure of a period, under another retry policy; nothing is written',
    takes: AskWhatIf,
    answers: 'WhatIf',
    headers: [],
  })
  async retryPolicy(@Call() call: Exchange) {
    const { policy, company, from, to } = validated(AskWhatIf, call.body);
    const period = await this.period({ from, to });
    const looking = new WhatIf(this.store).retryPolicy({ ...retryOf(policy), name: 'what-if', version: 1 }, period, company);
    void call.reply.status(200);
    if (!call.header('accept')?.includes(ndjson)) return lastOf(looking, call);
    return new StreamableFile(Readable.from(lines(looking, call.path)), { type: ndjson });
  }

  private async period(asked: Parameters<typeof periodOf>[1]): Promise<Period> {
    try {
      return await periodOf(this.store, asked);
    } catch (error) {
      throw error instanceof NoPeriod ? malformed(error.field, error.message) : error;
    }
  }
}

const ndjson = 'application/x-ndjson';
type Looking = AsyncGenerator<Looked, WhatIfReport>;

/** Nothing once the client has gone. */
async function lastOf(looking: Looking, { reply }: Exchange): Promise<WhatIfReport | undefined> {
  while (!reply.raw.destroyed) {
    const step = await looking.next();
    if (step.done) return step.value;
  }
  return undefined;
}

/** What goes wrong on the way is the last line: the status was sent long before. */
async function* lines(looking: Looking, path: string): AsyncGenerator<string> {
  const line = (value: object) => `${JSON.stringify(value)}\n`;
  try {
    for (;;) {
      const step = await looking.next();
      yield line(step.done ? { report: step.value } : { progress: step.value });
      if (step.done) return;
    }
  } catch (error) {
    yield line({ problem: loggedProblem(error, path) });
  }
}

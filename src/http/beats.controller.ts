import { Controller, HttpCode, Post } from '@nestjs/common';
import { IsOptional } from 'class-validator';
import { Rejected } from '../commands/decider.js';
import { validated } from '../commands/dispatch.js';
import { Exact, Int, IsoTime, RunId, Slug } from '../commands/fields.js';
import { LeaseBeats } from '../workers/beats.js';
import { Call, type Exchange } from './call.js';
import { Documented } from './documented.js';

/** A worker still works on a run; no fact, and harmless when repeated. */
export class Beat {
  @Slug() company!: string;
  @RunId() run!: string;
  @Exact(200) lease!: string;
  @IsOptional() @Int(0, Number.MAX_SAFE_INTEGER) outputSeq?: number;
  @IsOptional() @IsoTime() outputAt?: string;
}

@Controller('v1/companies/:company/runs/:run/beat')
export class BeatsController {
  constructor(private readonly beats: LeaseBeats) {}

  @Post()
  @Documented({
    summary: 'Renews the lease of a run that is worked on',
    takes: Beat,
    answers: 'Beat',
    headers: [],
    refuses: ['stale_lease'],
  })
  @HttpCode(200)
  async beat(@Call() call: Exchange) {
    const { lease, ...beat } = validated(Beat, call.fields());
    const renewed = await this.beats.beat({ ...beat, token: lease });
    if (!renewed) throw new Rejected('stale_lease', `this lease on ${beat.run} is over: stop the work on it`);
    return renewed;
  }
}

import { Controller, Get } from '@nestjs/common';
import { IsOptional, Matches } from 'class-validator';
import { readPublicKey } from '../audit/chain.js';
import { Prover } from '../audit/prover.js';
import { NoSuchRange, Verifier } from '../audit/verifier.js';
import { Exact } from '../commands/fields.js';
import { EventStore } from '../event-store/event-store.js';
import { positionFrom, typedPosition } from '../events/positions.js';
import { Call, type Exchange } from './call.js';
import { Documented } from './documented.js';
import { Drain } from './drain.js';
import { malformed, Refusal } from './problem.js';
import { Count, queryOf, readOf } from './query.js';

export class AuditedRanges {
  /** the first range to look at; those before it are taken for good */
  @Count(0, 999_999_999) from?: number;
  /** at most so many ranges; `next` of the answer says where to go on */
  @Count(1, 999_999_999) limit?: number;
  /** who has to have signed: an Ed25519 public key, in PEM or as `publicKey` of a proof is written */
  @IsOptional() @Exact(500) key?: string;
}

/** A position that an event can be at. */
const somewhere = new RegExp(`(?!^0+$)${typedPosition.source}`);

export class ProvenEvent {
  @Matches(somewhere, {
    message: ({ value }) => `position is ${JSON.stringify(value)}: give that of an event of the log, such as 42`,
  })
  position!: string;
}

/** Evidence that the log is what it was: see src/audit/. */
@Controller('v1/audit')
export class AuditController {
  constructor(
    private readonly verifier: Verifier,
    private readonly prover: Prover,
    private readonly store: EventStore,
    private readonly drain: Drain,
  ) {}

  @Get('verify')
  @Documented({
    summary:
      'Compares the log with what was sealed of it: half a minute and more for a million events, limit and next for a part',
    takes: AuditedRanges,
    answers: 'Verification',
  })
  async verify(@Call() call: Exchange) {
    const { from, limit, key } = queryOf(AuditedRanges, call);
    const signal = this.drain.signalFor(call);
    try {
      return await this.verifier.verify({ from, limit, key: key === undefined ? undefined : publicKeyIn(key), signal });
    } catch (error) {
      throw error instanceof NoSuchRange ? malformed('from', error.message) : error;
    }
  }

  @Get('proof/:position')
  @Documented({
    summary: 'A proof that an event is in the log, for whoever has neither the log nor its server',
    takes: ProvenEvent,
    answers: 'Proof',
    refuses: ['no_such_position', 'not_sealed', 'not_as_sealed'],
  })
  async proof(@Call() call: Exchange) {
    const { position } = readOf(ProvenEvent, call);
    const proving = await this.prover.prove(positionFrom(position, await this.store.head()));
    if (proving.outcome === 'proved') return proving.proof;
    throw new Refusal(refusals[proving.outcome], proving.sentence);
  }
}

const refusals = { nowhere: 'no_such_position', unsealed: 'not_sealed', broken: 'not_as_sealed' } as const;

function publicKeyIn(text: string): string {
  const key = readPublicKey(text);
  if (key === undefined)
    throw malformed('key', 'key is no Ed25519 public key: give it in PEM, or as publicKey of a proof is written');
  return key;
}

import { Controller, Post } from '@nestjs/common';
import { requestWakeup } from '../commands/wakeup.js';
import { Call, type Exchange } from './call.js';
import { CommandDoor, type Manner } from './command-door.js';
import { idempotencyKeyOf, isIdempotencyKey } from './headers.js';
import { malformed } from './problem.js';

@Controller('v1/companies/:company/wakeups')
export class WakeupsController {
  constructor(private readonly door: CommandDoor) {}

  @Post()
  request(@Call() call: Exchange) {
    const { idempotencyKey, ...body } = call.body;
    return this.door.send(requestWakeup, call, {
      fields: call.fields(body),
      key: keyOf(call, idempotencyKey, body),
      status: () => 202,
    });
  }
}

/** A repeat may name another agent, task or reason: it gets the first answer. Only another payload is another request. */
function keyOf(call: Exchange, named: unknown, { payload, ...target }: Readonly<Record<string, unknown>>): Manner<never>['key'] {
  const header = idempotencyKeyOf(call);
  if (named === undefined && header === undefined) return undefined;
  const key = named === undefined ? header : named;
  if (typeof key !== 'string' || !isIdempotencyKey(key))
    throw malformed('idempotencyKey', 'idempotencyKey: give 1 to 255 printable ASCII characters');
  if (header !== undefined && header !== key)
    throw malformed('idempotencyKey', `idempotencyKey and the header Idempotency-Key differ: give one of them`);
  return { key, compared: JSON.stringify(payload ?? {}), target };
}

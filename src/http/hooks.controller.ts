import { Controller, Post } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { Rejected, type Dispatched } from '../commands/decider.js';
import { fireRoutine } from '../commands/routines/fire.js';
import type { Actor } from '../events/event.js';
import type { Nonce } from '../webhooks/nonces.js';
import { Webhooks, type Caller } from '../webhooks/webhooks.js';
import { Call, type Exchange } from './call.js';
import { CommandDoor, type Send } from './command-door.js';
import { Documented } from './documented.js';
import { objectOf } from './json-body.js';
import { Refusal } from './problem.js';

/** Webhooks of routines: who calls proves by a secret, or by the address itself, that it may. */
@Controller('v1/hooks')
export class HooksController {
  constructor(
    private readonly door: CommandDoor,
    private readonly webhooks: Webhooks,
  ) {}

  @Post(':publicId')
  @RouteConfig({ isWebhook: true })
  @Documented({
    summary: 'Fires the routine that has a webhook at this address, signed as its trigger asks for',
    body: 'what the sender has to say: the payload of the fire; its field `variables` is filled into the templates of the routine',
    answers: 'FiredRoutine',
    status: [202],
    headers: ['IdempotencyKey', 'LedgerTimestamp', 'LedgerSignature', 'HubSignature', 'Bearer'],
    refuses: [
      'not_found',
      'not_authenticated',
      'webhook_replayed',
      'routine_paused',
      'routine_archived',
      'trigger_disabled',
      'outside_window',
      'data_refused',
      'contention',
      'outcome_unknown',
    ],
  })
  async call(@Call() call: Exchange) {
    const caller = await this.callerOf(call);
    const { company, routine, trigger, nonce } = caller;
    return this.door.send(fireRoutine, call, {
      fields: { company, routine, trigger, source: 'webhook', payload: objectOf(rawOf(call)) },
      actor: webhook,
      path: keptPath(caller),
      around: (commandId, send) => (nonce ? this.once(nonce, commandId, send) : send(commandId)),
      status: () => 202,
    });
  }

  private async callerOf(call: Exchange): Promise<Caller> {
    const { publicId = '' } = call.request.params;
    const caller = await this.webhooks.caller(publicId, { header: (name) => call.header(name), raw: rawOf(call) });
    if (caller === 'unknown') throw new Refusal('not_found', 'there is no webhook at this address');
    if (caller === 'refused')
      throw new Refusal('not_authenticated', 'the request does not show that it may come from its sender');
    return caller;
  }

  /**
   * A request that was signed is carried out once. Its repeat, by whomever, is the same command as long as nobody knows what became of
   * that, and refused from then on; whoever repeats it under the same key has been answered before.
   */
  private async once<Answer>(nonce: Nonce, commandId: string, send: Send<Answer>): Promise<Dispatched<Answer>> {
    const first = await this.webhooks.nonces.reserve(nonce, commandId);
    if (first.isSettled && first.commandId !== commandId) throw replayed();
    try {
      const sent = await send(first.commandId);
      await this.webhooks.nonces.settle(nonce);
      return sent;
    } catch (error) {
      if (error instanceof Rejected) await this.webhooks.nonces.settle(nonce);
      throw error;
    }
  }
}

const webhook: Actor = { type: 'system', id: 'webhook' };

const rawOf = ({ request }: Exchange): Buffer => request.rawBody ?? Buffer.alloc(0);

/** Keys are kept with answers, so without the address, which may be a secret. */
const keptPath = ({ address }: Caller): string => `/v1/hooks/${address.toString('hex')}`;

const replayed = (): Refusal =>
  new Refusal(
    'webhook_replayed',
    'a request with this signature came before, and what it asks for was decided then: for more, sign a new one, with a new Ledger-Timestamp where it has one',
  );

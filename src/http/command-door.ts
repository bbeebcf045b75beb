import { Injectable } from '@nestjs/common';
import { Rejected, type Dispatched, type Sendable } from '../commands/decider.js';
import { Dispatch, InvalidCommand } from '../commands/dispatch.js';
import type { Actor } from '../events/event.js';
import { answered, refused, write, type Showing } from './answers.js';
import type { Exchange } from './call.js';
import { contextOf, idempotencyKeyOf } from './headers.js';
import { IdempotencyKeys, type Answered, type Keyed } from '../idempotency-keys.js';
import { Refusal } from './problem.js';
import { uuid7 } from './uuid7.js';

/** What a route does otherwise than all others when it sends a command, or answers it. */
export interface Manner<Answer, Told = Answer> extends Showing<Told> {
  /** instead of what the path and the body say */
  readonly fields?: Fields;
  /** instead of who the header `X-Actor` names */
  readonly actor?: Actor;
  /** makes the command's id follow from what it says, where no key does */
  readonly commandId?: string;
  /** instead of the header `Idempotency-Key` */
  readonly key?: Pick<Keyed, 'key' | 'compared' | 'target'>;
  /** instead of the path, under which keys are kept: for one that is a secret */
  readonly path?: string;
  /**
   * Does what belongs to the command and is no event, such as making a secret, before or after `send` carries the command out.
   * A repeat comes by here too, and must do no harm.
   */
  readonly around?: (commandId: string, send: Send<Answer>) => Promise<Dispatched<Told>>;
  /** What is kept for a repeat under the same key, instead of all that the first request is told: some things are told once. */
  readonly keep?: (told: Told) => unknown;
}

export type Send<Answer> = (commandId: string) => Promise<Dispatched<Answer>>;

export type Fields = Readonly<Record<string, unknown>>;

/** Sends commands with everything that the conventions ask for, and answers them. Every controller goes through it. */
@Injectable()
export class CommandDoor {
  constructor(
    private readonly dispatch: Dispatch,
    private readonly keys: IdempotencyKeys,
  ) {}

  /** Answers what is to be sent as the body; status and headers are set already. */
  async send<C extends object, Answer, Told = Answer>(
    kind: Sendable<C, Answer>,
    call: Exchange,
    manner: Manner<Answer, Told> = {},
  ): Promise<string> {
    const fields = manner.fields ?? call.fields();
    const keyed = keyedOf(call, manner);
    const work = async (commandId: string, target?: object): Promise<Outcome> => {
      const send = (id: string) => this.dispatchOnce(kind, aimedAt(target, fields, keyed), call, id, manner.actor);
      // Without `around`, what is told is the answer itself.
      const sent = manner.around ? await manner.around(commandId, send) : ((await send(commandId)) as Dispatched<unknown>);
      return outcomeOf(sent as Dispatched<Told>, manner);
    };
    const outcome = keyed ? await this.once(call, keyed, work) : await work(manner.commandId ?? uuid7());
    return write(call, outcome, outcome.replayed);
  }

  /** Without a key: for commands that have an identity of their own. */
  dispatchOnce<C extends object, Answer>(
    kind: Sendable<C, Answer>,
    fields: Fields,
    call: Exchange,
    commandId: string,
    actor?: Actor,
  ): Promise<Dispatched<Answer>> {
    return this.dispatch.send(kind, fields as { readonly [Field in keyof C]?: unknown }, contextOf(call, commandId, actor));
  }

  /** Under a key: the first request is carried out, each other one gets its answer. */
  private async once(call: Exchange, keyed: Keyed, work: Work): Promise<Outcome> {
    const { commandId, sameBody, target, known } = await this.keys.reserve(keyed);
    if (!sameBody)
      throw new Refusal(
        'idempotency_key_reused',
        `the key ${keyed.key} was used with another body: take a new key for a new request`,
      );
    if (known) return { ...known, replayed: true };
    try {
      const outcome = await work(commandId, target);
      await this.keys.settle(keyed, commandId, { ...outcome, body: outcome.kept ?? outcome.body });
      return outcome;
    } catch (error) {
      if (error instanceof Rejected) await this.keys.settle(keyed, commandId, refused(error, call));
      if (error instanceof InvalidCommand || error instanceof Refusal) await this.keys.forget(keyed);
      throw error;
    }
  }
}

/** Where a request goes is said by the first one with its key alone, also where that one left something out. */
function aimedAt(target: object | undefined, fields: Fields, keyed: Keyed | undefined): Fields {
  if (!target) return fields;
  const own = Object.entries(fields).filter(([name]) => !Object.hasOwn(keyed?.target ?? {}, name));
  return { ...Object.fromEntries(own), ...target };
}

type Outcome = Answered & { readonly replayed: boolean; readonly kept?: string };
type Work = (commandId: string, target: object | undefined) => Promise<Outcome>;

const outcomeOf = <Told>(sent: Dispatched<Told>, manner: Manner<never, Told>): Outcome => ({
  ...answered(sent, manner),
  replayed: sent.replayed,
  ...(manner.keep && { kept: JSON.stringify(manner.keep(sent.answer)) }),
});

function keyedOf(call: Exchange, { key, path = call.path }: Pick<Manner<unknown>, 'key' | 'path'>): Keyed | undefined {
  const { request } = call;
  if (key) return { path, ...key };
  const named = idempotencyKeyOf(call);
  return named === undefined ? undefined : { path, key: named, compared: request.rawBody ?? '' };
}

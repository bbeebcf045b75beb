import type pg from 'pg';
import type { Clock } from '../commands/ledger.js';
import type { Streams } from '../commands/streams.js';
import type { WebhookTrigger } from '../events/routine.js';
import type { Log } from '../log.js';
import { hooksOf } from './hooks-of.js';
import { WebhookNonces, type Nonce } from './nonces.js';
import { SecretsLocked, type SecretKey } from './secret-key.js';
import { TriggerSecrets, type FoundTrigger } from './secrets.js';
import { authenticated, type Sent } from './signatures.js';

/** Somebody who may fire this trigger has asked for it. */
export interface Caller extends Omit<FoundTrigger, 'secrets'> {
  /** none: the same may be sent any number of times */
  readonly nonce?: Nonce;
}

interface World {
  readonly db: pg.Pool;
  readonly key: SecretKey;
  readonly clock: Pick<Clock, 'now'>;
  readonly streams: Pick<Streams, 'state'>;
  readonly log: Pick<Log, 'error'>;
}

/** Tells who calls at the address of a webhook. */
export class Webhooks {
  /** those whom this process has turned away because they did not show that they know the secret */
  refusals = 0;
  readonly secrets: TriggerSecrets;
  readonly nonces: WebhookNonces;
  private readonly said = new Set<string>();

  constructor(private readonly world: World) {
    this.secrets = new TriggerSecrets(world);
    this.nonces = new WebhookNonces(world.db, world.clock);
  }

  /** `unknown`: there is no webhook at this address. */
  async caller(publicId: string, sent: Sent): Promise<Caller | 'unknown' | 'refused'> {
    try {
      const found = await this.secrets.find(publicId);
      const hook = found && (await this.hookOf(found));
      if (!hook) return 'unknown';
      return callerOf(found, hook, sent, this.world.clock.now()) ?? this.refuse();
    } catch (error) {
      if (!(error instanceof SecretsLocked)) throw error;
      this.sayOnce(error.message);
      return this.refuse();
    }
  }

  private async hookOf(found: FoundTrigger): Promise<WebhookTrigger | undefined> {
    return (await hooksOf(this.world.streams, found)).find(({ id }) => id === found.trigger);
  }

  private refuse(): 'refused' {
    this.refusals++;
    return 'refused';
  }

  /** A caller does not learn what is wrong with the key, its operator does. */
  private sayOnce(trouble: string): void {
    if (!this.said.has(trouble)) this.world.log.error(`a webhook was refused: ${trouble}`);
    this.said.add(trouble);
  }
}

function callerOf(found: FoundTrigger, hook: WebhookTrigger, sent: Sent, now: Date): Caller | undefined {
  const { secrets, ...of } = found;
  const { signing, windowSec } = hook;
  const authentic = authenticated(sent, { signing, windowSec, secrets, now });
  if (!authentic) return undefined;
  const { signature } = authentic;
  return signature ? { ...of, nonce: { ...signature, address: of.address } } : of;
}

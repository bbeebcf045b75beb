import { createHash, randomBytes } from 'node:crypto';
import type pg from 'pg';
import type { Clock } from '../commands/ledger.js';
import type { Streams } from '../commands/streams.js';
import { inTransaction } from '../database.js';
import type { TriggerId, WebhookTrigger } from '../events/routine.js';
import { hooksOf, type RoutineName } from './hooks-of.js';
import type { SecretKey } from './secret-key.js';

/** What a sender has to know of a webhook. It is told in this moment and never again. */
export interface NewSecret {
  readonly trigger: TriggerId;
  readonly publicId: string;
  /** `/v1/hooks/<publicId>` */
  readonly path: string;
  /** none: the path is the secret */
  readonly secret?: string;
}

/** The webhook at an address. */
export interface FoundTrigger extends TriggerName {
  /** SHA-256 of the public id that was asked for */
  readonly address: Buffer;
  /** none: the address is the secret. Two while the former one is still taken */
  readonly secrets: readonly string[];
}

interface TriggerName extends RoutineName {
  readonly trigger: TriggerId;
}

interface World {
  readonly db: pg.Pool;
  readonly key: SecretKey;
  readonly clock: Pick<Clock, 'now'>;
  readonly streams: Pick<Streams, 'state'>;
}

/** The secrets of webhooks, sealed in a table: they are in no event, log or kept answer. */
export class TriggerSecrets {
  constructor(private readonly world: World) {}

  /**
   * Brings the secrets in line with the routine as it is defined now: webhooks that have none get one, and are answered; those of triggers
   * that are gone are removed. Asked again, it answers none. To be called when a PutRoutine was carried out.
   * @throws SecretsLocked
   */
  ensure(routine: RoutineName): Promise<NewSecret[]> {
    return this.alone(routine, async (client, hooks) => {
      await client.query(removeOthers, [...nameOf(routine), hooks.map(({ id }) => id), hooks.map(hasSecret)]);
      const { rows } = await client.query<{ trigger: TriggerId }>(triggersThere, nameOf(routine));
      const bare = hooks.filter(({ id }) => !rows.some(({ trigger }) => trigger === id));
      const made = bare.map((hook) => fresh({ ...routine, trigger: hook.id }, hasSecret(hook)));
      for (const secret of made) await this.insert(client, secret, null);
      return made.map(shown);
    });
  }

  /**
   * A new secret, or, where the address is the secret, a new address; the former one is taken until the overlap is over. The same
   * command asked again is answered the same. To be called when the RotateTriggerSecret of this id was carried out; undefined: the
   * routine has no such webhook any more.
   * @throws SecretsLocked
   */
  rotate(of: TriggerName, overlapSec: number, commandId: string): Promise<NewSecret | undefined> {
    return this.alone(of, async (client, hooks) => {
      const hook = hooks.find(({ id }) => id === of.trigger);
      if (!hook) return undefined;
      const { rows } = await client.query<Pick<Row, 'sealed' | 'rotation'>>(ofTrigger, [
        ...nameOf(of),
        of.trigger,
        hasSecret(hook),
      ]);
      const known = rows[0] && this.opened(of, rows[0].sealed);
      if (known && rows[0]?.rotation === commandId) return shown(known);
      const next = fresh(of, hasSecret(hook), hasSecret(hook) ? known?.publicId : undefined);
      await (known ? this.replace(client, next, overlapSec, commandId) : this.insert(client, next, commandId));
      return shown(next);
    });
  }

  /**
   * To be asked before a RotateTriggerSecret is sent: later it would be recorded, and could not be done.
   * @throws SecretsLocked
   */
  async refuseLocked(of: TriggerName): Promise<void> {
    const { rows } = await this.world.db.query<Pick<Row, 'sealed'>>(sealedOf, [...nameOf(of), of.trigger]);
    for (const { sealed } of rows) this.opened(of, sealed);
    this.world.key.seal('', sealedFor(of));
  }

  /** Undefined: there is no webhook at this address. @throws SecretsLocked */
  async find(publicId: string): Promise<FoundTrigger | undefined> {
    const address = hashOf(publicId);
    const { rows } = await this.world.db.query<Pick<Row, 'sealed' | 'former_sealed'> & TriggerName>({
      name: 'webhook-find',
      text: atAddress,
      values: [address, this.world.clock.now()],
    });
    const [row] = rows;
    if (!row) return undefined;
    const { company, routine, trigger, sealed, former_sealed } = row;
    const all = former_sealed ? [sealed, former_sealed] : [sealed];
    const secrets = all.map((one) => this.opened(row, one).secret).filter((secret) => secret !== undefined);
    return { company, routine, trigger, address, secrets };
  }

  /** Removes former secrets whose overlap is over, at most `limit`; answers how many. */
  async expire(limit: number): Promise<number> {
    return (await this.world.db.query(forgetFormer, [this.world.clock.now(), limit])).rowCount ?? 0;
  }

  /** Who changes a routine's secrets is alone with them, and sees its definition as it is then. */
  private alone<T>(routine: RoutineName, work: (client: pg.PoolClient, hooks: WebhookTrigger[]) => Promise<T>): Promise<T> {
    return inTransaction(this.world.db, async (client) => {
      await client.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [
        `trigger_secrets ${nameOf(routine).join('/')}`,
      ]);
      return work(client, await hooksOf(this.world.streams, routine));
    });
  }

  private async insert(client: pg.PoolClient, secret: Secret, rotation: string | null): Promise<void> {
    await client.query(insert, [...this.valuesOf(secret), secret.secret !== undefined, this.world.clock.now(), rotation]);
  }

  private async replace(client: pg.PoolClient, secret: Secret, overlapSec: number, rotation: string): Promise<void> {
    const now = this.world.clock.now();
    const until = new Date(now.getTime() + overlapSec * 1_000);
    await client.query(replace, [...this.valuesOf(secret), now, rotation, until]);
  }

  private valuesOf({ publicId, secret, ...of }: Secret) {
    const sealed = this.world.key.seal(JSON.stringify({ publicId, secret }), sealedFor(of));
    return [...nameOf(of), of.trigger, hashOf(publicId), sealed];
  }

  private opened({ company, routine, trigger }: TriggerName, sealed: Buffer): Secret {
    const of = { company, routine, trigger };
    return { ...of, ...(JSON.parse(this.world.key.open(sealed, sealedFor(of))) as Pick<Secret, 'publicId' | 'secret'>) };
  }
}

interface Secret extends TriggerName {
  readonly publicId: string;
  readonly secret?: string;
}

interface Row {
  readonly sealed: Buffer;
  readonly former_sealed: Buffer | null;
  readonly rotation: string | null;
}

const hasSecret = ({ signing }: WebhookTrigger): boolean => signing !== 'none';
const nameOf = ({ company, routine }: RoutineName) => [company, routine];
/** Sealed values cannot change places in the table. */
const sealedFor = ({ company, routine, trigger }: TriggerName): string => [company, routine, trigger].join('/');
const hashOf = (publicId: string): Buffer => createHash('sha256').update(publicId).digest();

const fresh = (of: TriggerName, withSecret: boolean, publicId = randomBytes(16).toString('hex')): Secret => ({
  company: of.company,
  routine: of.routine,
  trigger: of.trigger,
  publicId,
  ...(withSecret && { secret: randomBytes(24).toString('hex') }),
});

const shown = ({ trigger, publicId, secret }: Secret): NewSecret => ({
  trigger,
  publicId,
  path: `/v1/hooks/${publicId}`,
  ...(secret !== undefined && { secret }),
});

const removeOthers = `
  delete from trigger_secrets known
  where company = $1
    and routine = $2
    and not exists (
      select
      from unnest($3::text[], $4::boolean[]) kept (trigger, has_secret)
      where kept.trigger = known.trigger
        and kept.has_secret = known.has_secret
    )`;

const triggersThere = `
  select trigger
  from trigger_secrets
  where company = $1
    and routine = $2`;

const ofTrigger = `
  select sealed, rotation
  from trigger_secrets
  where company = $1
    and routine = $2
    and trigger = $3
    and has_secret = $4`;

const sealedOf = `
  select sealed
  from trigger_secrets
  where company = $1
    and routine = $2
    and trigger = $3`;

const atAddress = `
  select
    company, routine, trigger, sealed,
    case when former_until > $2 and former_hash = $1 then former_sealed end as former_sealed
  from trigger_secrets
  where public_hash = $1
     or (former_hash = $1 and former_until > $2)`;

/** A row that is there was made when the trigger was signed another way, with a secret or without, and gives way. */
const insert = `
  insert into trigger_secrets (company, routine, trigger, public_hash, sealed, has_secret, made_at, rotation)
  values ($1, $2, $3, $4, $5, $6, $7, $8)
  on conflict (company, routine, trigger) do update
  set public_hash = excluded.public_hash,
    sealed = excluded.sealed,
    has_secret = excluded.has_secret,
    made_at = excluded.made_at,
    rotation = excluded.rotation,
    former_hash = null,
    former_sealed = null,
    former_until = null`;

const replace = `
  update trigger_secrets
  set former_hash = public_hash,
    former_sealed = sealed,
    former_until = $8,
    public_hash = $4,
    sealed = $5,
    made_at = $6,
    rotation = $7
  where company = $1
    and routine = $2
    and trigger = $3`;

const forgetFormer = `
  update trigger_secrets
  set former_hash = null,
    former_sealed = null,
    former_until = null
  where ctid in (
    select ctid
    from trigger_secrets
    where former_until <= $1
    limit $2
    for update skip locked
  )`;

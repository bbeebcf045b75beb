import { createHash, randomUUID } from 'node:crypto';
import { Streams } from '../../src/commands/streams.js';
import { PostgresEventStore } from '../../src/event-store/postgres.js';
import type { Trigger } from '../../src/events/routine.js';
import { SecretKey, SecretsLocked } from '../../src/webhooks/secret-key.js';
import { TriggerSecrets } from '../../src/webhooks/secrets.js';
import { freshDatabase, type TestDatabase } from '../postgres.js';
import { define, hook } from './routines.js';

let database: TestDatabase;
let store: PostgresEventStore;
beforeAll(async () => {
  database = await freshDatabase();
  store = new PostgresEventStore({ url: database.url, log: { info: () => {}, warn: () => {} } });
});
afterAll(async () => {
  await store.close();
  await database.drop();
});

const start = Date.parse('2026-04-01T08:00:00.000Z');
let now = new Date(start);
beforeEach(() => (now = new Date(start)));
const later = (seconds: number) => (now = new Date(start + seconds * 1_000));

/** As each process of the ledger has them. */
const secretsUnder = (key?: Buffer) =>
  new TriggerSecrets({
    db: database.pool,
    key: new SecretKey(key, undefined),
    clock: { now: () => now },
    streams: new Streams(store),
  });
const ownKey = Buffer.alloc(32, 7);
const secrets = () => secretsUnder(ownKey);

const of = (routine: string) => ({ company: 'acme', routine });
const push = (routine: string) => ({ ...of(routine), trigger: 'push' });
async function defined(routine: string, ...triggers: Trigger[]) {
  await define(store, routine, triggers);
  return secrets().ensure(of(routine));
}

describe('a routine that was put', () => {
  it('gets a secret and an address for each webhook, once', async () => {
    const made = await defined('first', hook('push'), hook('open', 'none'), { id: 'call', kind: 'api', enabled: true });
    expect(made).toEqual([
      {
        trigger: 'push',
        publicId: expect.stringMatching(/^[0-9a-f]{32}$/),
        path: `/v1/hooks/${made[0]?.publicId}`,
        secret: expect.stringMatching(/^[0-9a-f]{48}$/),
      },
      { trigger: 'open', publicId: expect.stringMatching(/^[0-9a-f]{32}$/), path: `/v1/hooks/${made[1]?.publicId}` },
    ]);
    expect(await secrets().ensure(of('first'))).toEqual([]);
    const [pushed, opened] = made;
    expect(await secrets().find(pushed!.publicId)).toMatchObject({ ...push('first'), secrets: [pushed!.secret] });
    expect(await secrets().find(opened!.publicId)).toMatchObject({ ...of('first'), trigger: 'open', secrets: [] });
  });

  it('keeps the secrets of webhooks that stay, and loses those of others', async () => {
    const [kept, dropped] = await defined('changes', hook('push'), hook('pull'));
    await define(store, 'changes', [hook('push', 'hmac_sha256', 60), hook('tag')], 0);
    expect((await secrets().ensure(of('changes'))).map(({ trigger }) => trigger)).toEqual(['tag']);
    expect(await secrets().find(kept!.publicId)).toMatchObject({ trigger: 'push', secrets: [kept!.secret] });
    expect(await secrets().find(dropped!.publicId)).toBeUndefined();
  });

  it.each([
    ['bearer', 'none'],
    ['none', 'bearer'],
  ] as const)('gets another address when its signing changes from %s to %s', async (before, after) => {
    const [former] = await defined(`from-${before}`, hook('push', before));
    await define(store, `from-${before}`, [hook('push', after)], 0);
    const [next] = await secrets().ensure(of(`from-${before}`));
    expect(next!.publicId).not.toBe(former!.publicId);
    expect(next!.secret === undefined).toBe(after === 'none');
    expect(await secrets().find(former!.publicId)).toBeUndefined();
  });

  it('gets one secret though it is put many times at once, by several processes', async () => {
    await define(store, 'rushed', [hook('push')]);
    const answers = await Promise.all(Array.from({ length: 8 }, () => secrets().ensure(of('rushed'))));
    const [made, ...others] = answers.flat();
    expect(others).toEqual([]);
    expect(await secrets().find(made!.publicId)).toMatchObject({ secrets: [made!.secret] });
  });

  it('has the secrets of its last definition, whichever of two is finished last', async () => {
    const slow = secrets();
    await define(store, 'races', [hook('push'), hook('pull')]);
    await slow.ensure(of('races'));
    await define(store, 'races', [hook('pull'), hook('tag')], 0);
    const [tag, ...others] = await secrets().ensure(of('races'));
    expect(others).toEqual([]);
    expect(await slow.ensure(of('races'))).toEqual([]);
    expect(await secrets().find(tag!.publicId)).toMatchObject({ trigger: 'tag' });
  });
});

describe('a secret that is rotated', () => {
  const id = () => randomUUID();

  it('is taken beside the new one until the overlap is over', async () => {
    const [first] = await defined('rotated', hook('push'));
    const next = await secrets().rotate(push('rotated'), 3_600, id());
    expect(next).toMatchObject({ trigger: 'push', publicId: first!.publicId, path: first!.path });
    expect(next!.secret).not.toBe(first!.secret);
    const taken = async () => (await secrets().find(first!.publicId))!.secrets;
    later(3_599.999);
    expect(await taken()).toEqual([next!.secret, first!.secret]);
    later(3_600);
    expect(await taken()).toEqual([next!.secret]);
  });

  it('is not taken any more without an overlap', async () => {
    const [first] = await defined('at-once', hook('push'));
    const next = await secrets().rotate(push('at-once'), 0, id());
    expect((await secrets().find(first!.publicId))!.secrets).toEqual([next!.secret]);
  });

  it('is an address where the address is the secret', async () => {
    const [first] = await defined('open', hook('push', 'none'));
    const next = await secrets().rotate(push('open'), 60, id());
    expect(next).toEqual({ trigger: 'push', publicId: expect.not.stringContaining(first!.publicId), path: expect.anything() });
    later(59);
    for (const { publicId } of [first!, next!]) expect(await secrets().find(publicId)).toMatchObject({ secrets: [] });
    later(60);
    expect(await secrets().find(first!.publicId)).toBeUndefined();
    expect(await secrets().find(next!.publicId)).toBeDefined();
  });

  it('is made once by one command, which is answered the same again', async () => {
    const [first] = await defined('repeated', hook('push'));
    const commandId = id();
    const answers = await Promise.all(Array.from({ length: 5 }, () => secrets().rotate(push('repeated'), 60, commandId)));
    expect(new Set(answers.map((answer) => answer!.secret)).size).toBe(1);
    expect((await secrets().find(first!.publicId))!.secrets).toEqual([answers[0]!.secret, first!.secret]);
    const other = await secrets().rotate(push('repeated'), 60, id());
    expect((await secrets().find(first!.publicId))!.secrets).toEqual([other!.secret, answers[0]!.secret]);
  });

  it('is made where a crash has kept a webhook from getting its first one', async () => {
    await define(store, 'crashed', [hook('push')]);
    const made = await secrets().rotate(push('crashed'), 60, id());
    expect((await secrets().find(made!.publicId))!.secrets).toEqual([made!.secret]);
    expect(await secrets().ensure(of('crashed'))).toEqual([]);
  });

  it('is none where there is no such webhook', async () => {
    await defined('bare', { id: 'push', kind: 'api', enabled: true });
    expect(await secrets().rotate(push('bare'), 60, id())).toBeUndefined();
    expect(await secrets().rotate(push('never-defined'), 60, id())).toBeUndefined();
  });

  it('is refused before it is sent where nothing can be sealed, though there was no secret yet', async () => {
    await expect(secretsUnder().refuseLocked(push('bare'))).rejects.toThrow('set LEDGER_SECRET_KEY');
    await expect(secrets().refuseLocked(push('bare'))).resolves.toBeUndefined();
  });

  it('is forgotten when its overlap is over, some at a time', async () => {
    await database.pool.query('delete from trigger_secrets');
    for (const routine of ['old-1', 'old-2']) {
      await defined(routine, hook('push'));
      await secrets().rotate(push(routine), 60, id());
    }
    later(59);
    expect(await secrets().expire(10)).toBe(0);
    later(60);
    expect([await secrets().expire(1), await secrets().expire(1), await secrets().expire(1)]).toEqual([1, 1, 0]);
    expect(
      (await database.pool.query(`select from trigger_secrets where former_sealed is not null and routine like 'old-%'`))
        .rowCount,
    ).toBe(0);
  });
});

describe('the table', () => {
  it('shows neither secrets nor addresses', async () => {
    const made = [...(await defined('hidden', hook('push'), hook('open', 'none')))];
    made.push((await secrets().rotate(push('hidden'), 60, randomUUID()))!);
    const { rows } = await database.pool.query<{ row: string }>('select t::text as row from trigger_secrets t');
    const text = rows.map(({ row }) => row).join('\n');
    for (const { publicId, secret } of made)
      for (const shown of [publicId, secret ?? publicId]) {
        expect(text).not.toContain(shown);
        expect(text).not.toContain(Buffer.from(shown).toString('hex'));
      }
    expect(text).toContain(createHash('sha256').update(made[1]!.publicId).digest('hex'));
  });

  it('gives nothing away to a key that is not its own, and keeps what it has', async () => {
    const [made] = await defined('locked', hook('push'));
    const strange = secretsUnder(Buffer.alloc(32, 8));
    await expect(strange.find(made!.publicId)).rejects.toThrow(SecretsLocked);
    await expect(strange.rotate(push('locked'), 60, randomUUID())).rejects.toThrow(
      /secret of acme\/locked\/push was sealed under another key.*LEDGER_SECRET_KEY.*put the routine without this trigger/,
    );
    expect((await secrets().find(made!.publicId))!.secrets).toEqual([made!.secret]);
  });

  it('opens no row for another trigger', async () => {
    const [one] = await defined('swapped', hook('push'), hook('pull'));
    await database.pool.query(`
      update trigger_secrets one
      set sealed = other.sealed
      from trigger_secrets other
      where one.routine = 'swapped' and other.routine = 'swapped' and one.trigger <> other.trigger`);
    await expect(secrets().find(one!.publicId)).rejects.toThrow(SecretsLocked);
  });
});

import { createHmac, randomUUID } from 'node:crypto';
import { routineStream } from '../../src/events/event.js';
import type { RoutineEvent, Signing } from '../../src/events/routine.js';
import { until } from '../projections/until.js';
import { hashOfAddress, tablesWith } from '../webhooks/hidden.js';
import { startServer, type Answer, type Body, type TestServer } from '../server.js';
import { parseMetrics } from './metrics.js';

const said: string[] = [];
const log = { info: () => {}, warn: () => {}, error: (sentence: string) => void said.push(sentence) };

let server: TestServer;
beforeAll(async () => {
  server = await startServer({ roles: ['api'], clock: 'manual', log });
  await server.api('PUT', 'agents/coder', {});
});
afterAll(() => server.stop());

/** A webhook and what its sender knows of it. */
interface Hook {
  readonly routine: string;
  readonly signing: Signing;
  readonly path: string;
  readonly publicId: string;
  readonly secret: string;
}

const put = (routine: string, signing: Signing, over: object = {}, trigger: object = {}) =>
  server.api('PUT', `routines/${routine}`, {
    title: 'Build {{branch}}',
    agent: 'coder',
    concurrency: 'always_enqueue',
    variables: [{ name: 'branch', type: 'text', default: 'main' }],
    triggers: [{ id: 'push', kind: 'webhook', signing, ...trigger }],
    ...over,
  });

async function hooked(routine: string, signing: Signing, over: object = {}, trigger: object = {}): Promise<Hook> {
  const { body } = await put(routine, signing, over, trigger);
  const { path, publicId, secret } = body.webhooks[0] as unknown as Hook;
  return { routine, signing, path, publicId, secret };
}

const now = () => server.ledger.clock.now().getTime();
/** Moves the clock on to a whole second, and so many seconds further. */
async function moveOn(seconds: number): Promise<void> {
  const to = (Math.ceil(now() / 1_000) + seconds) * 1_000;
  await server.api('PUT', '/v1/clock', { now: new Date(to).toISOString() });
}
const seconds = () => Math.floor(now() / 1_000);

const hmac = (secret: string, text: string) => `sha256=${createHmac('sha256', secret).update(text).digest('hex')}`;

/** What shows that the sender knows the secret. */
function proof(
  { signing, secret }: Pick<Hook, 'signing' | 'secret'>,
  body: string,
  timestamp = seconds(),
): Record<string, string> {
  if (signing === 'bearer') return { authorization: `Bearer ${secret}` };
  if (signing === 'github_hmac') return { 'x-hub-signature-256': hmac(secret, body) };
  if (signing === 'none') return {};
  return { 'ledger-timestamp': String(timestamp), 'ledger-signature': hmac(secret, `${timestamp}.${body}`) };
}

const call = (hook: Hook, body: string, headers: Record<string, string> = {}): Promise<Answer> =>
  server.api('POST', hook.path, body, { ...proof(hook, body), ...headers });
const key = (of: string = randomUUID()) => ({ 'idempotency-key': of });

async function firesOf(routine: string) {
  const events = await server.ledger.store.readStream<RoutineEvent>(routineStream('acme', routine));
  return events.filter((event) => event.type === 'RoutineFired');
}
const codeOf = ({ status, body }: Answer) => [status, body.code] as const;
const fireOf = ({ body }: { readonly body: Body }) => body.fire.id;

describe('a webhook', () => {
  it.each(['bearer', 'hmac_sha256', 'github_hmac', 'none'] as const)('fires what is signed by %s', async (signing) => {
    const hook = await hooked(`by-${signing}`.replaceAll('_', '-'), signing);
    const answer = await call(hook, '{"variables":{"branch":"next"},"ref":"refs/heads/next"}', { 'x-actor': 'nobody at all' });
    expect(answer).toMatchObject({
      status: 202,
      body: { fire: { id: `${hook.routine}@1`, company: 'acme', trigger: 'push', source: 'webhook', outcome: 'created' } },
    });
    const [fired] = await firesOf(hook.routine);
    expect(fired).toMatchObject({
      metadata: { actor: { type: 'system', id: 'webhook' } },
      data: {
        order: {
          title: 'Build next',
          payload: { payload: { variables: { branch: 'next' }, ref: 'refs/heads/next' }, source: 'webhook' },
        },
      },
    });
  });

  it.each(['bearer', 'hmac_sha256', 'github_hmac'] as const)(
    'tells nobody what is wrong with what is not signed by %s',
    async (signing) => {
      const hook = await hooked(`not-${signing}`.replaceAll('_', '-'), signing);
      const strange = { ...hook, secret: 'ab'.repeat(24) };
      const before = server.ledger.webhooks.refusals;
      const answers = [
        await call(strange, '{}'),
        await server.api('POST', hook.path, '{}'),
        await server.api('POST', hook.path, 'not JSON', proof(hook, '{}', seconds() - 301)),
        await server.api(
          'POST',
          hook.path,
          '{}',
          proof({ ...hook, signing: signing === 'bearer' ? 'hmac_sha256' : 'bearer' }, '{}'),
        ),
      ].map(({ status, body }) => ({ status, body }));
      const detail = 'the request does not show that it may come from its sender';
      expect(answers[0]).toMatchObject({
        status: 401,
        body: { code: 'not_authenticated', detail, instance: '/v1/hooks/:publicId' },
      });
      // The bearer's own secret is right whatever it is sent with.
      for (const answer of signing === 'bearer' ? [answers[1], answers[3]] : answers) expect(answer).toEqual(answers[0]);
      expect(server.ledger.webhooks.refusals).toBe(before + (signing === 'bearer' ? 3 : 4));
      expect(await firesOf(hook.routine)).toEqual([]);
    },
  );

  it('counts for Prometheus whom it has turned away', async () => {
    const hook = await hooked('counted', 'bearer');
    await server.api('POST', hook.path, '{}');
    await until('the refusals are told', async () => {
      const metrics = parseMetrics((await server.api('GET', '/metrics')).body);
      return metrics.get('ledger_webhook_refusals_total') === server.ledger.webhooks.refusals;
    });
    expect(server.ledger.webhooks.refusals).toBeGreaterThan(0);
  });

  it.each([
    ['300 s old', 300, 202],
    ['301 s old', 301, 401],
    ['300 s ahead', -300, 202],
    ['301 s ahead', -301, 401],
  ])('has a window: what is %s (%s) is answered %s', async (words, age, status) => {
    await moveOn(1);
    const hook = await hooked(`window-${words.replaceAll(' ', '-')}`, 'hmac_sha256');
    expect((await server.api('POST', hook.path, '{}', proof(hook, '{}', seconds() - age))).status).toBe(status);
  });

  it('signs the body byte for byte', async () => {
    const hook = await hooked('bytes', 'hmac_sha256');
    const body = '{ "greeting" : "grüße ☀" ,\n "n": 1.50 }\n';
    expect((await server.api('POST', hook.path, body.replace(' ', ''), proof(hook, body))).status).toBe(401);
    expect((await call(hook, body)).status).toBe(202);
  });

  it('fills in what it is sent, and takes what the routine does not ask for', async () => {
    const hook = await hooked('stranger', 'none');
    for (const body of ['{"variables":{"branch":"next","other":1}}', '{"variables":{}}', '{"variables":"none"}', '{}'])
      expect((await call(hook, body)).body.fire.outcome).toBe('created');
    expect((await firesOf('stranger')).map(({ data }) => data.order?.title)).toEqual([
      'Build next',
      'Build main',
      'Build main',
      'Build main',
    ]);
  });

  it('records what its templates cannot be filled with as failed', async () => {
    const variables = [{ name: 'branch', type: 'select', options: ['main', 'next'], required: true }];
    const hook = await hooked('choosy', 'bearer', { variables });
    const answers = [await call(hook, '{"variables":{"branch":"other"}}'), await call(hook, '{}')];
    expect(answers.map(({ status, body }) => [status, body.fire.outcome, body.fire.code])).toEqual([
      [202, 'failed', 'variable_invalid'],
      [202, 'failed', 'variables_missing'],
    ]);
  });

  it('takes no body for an empty one', async () => {
    const hook = await hooked('bare', 'hmac_sha256');
    expect((await call(hook, '')).status).toBe(202);
    await moveOn(1);
    expect((await server.api('POST', hook.path, undefined, proof(hook, ''))).status).toBe(202);
    expect((await firesOf('bare')).map(({ data }) => data.order?.payload.payload)).toEqual([{}, {}]);
  });

  it.each([
    ['no JSON', '{"a":', 'the body is not JSON'],
    ['an array', '[1]', 'the body is an array: send an object'],
    ['a number that is lost', '{"id":12345678901234567890}', 'id is a number that JavaScript cannot keep'],
  ])('refuses %s with a sentence, once it knows who sends it', async (words, body, sentence) => {
    const hook = await hooked(`bad-${words.replaceAll(' ', '-').toLowerCase()}`, 'hmac_sha256');
    expect(await call(hook, body)).toMatchObject({ status: 400, body: { detail: expect.stringContaining(sentence) } });
    expect((await server.api('POST', hook.path, body)).status).toBe(401);
    expect(await firesOf(hook.routine)).toEqual([]);
  });

  it('refuses what is too large or of another type', async () => {
    const hook = await hooked('large', 'none');
    const body = (bytes: number) => `{"a":"${'x'.repeat(bytes - 8)}"}`;
    expect((await call(hook, body(1024 * 1024))).status).toBe(202);
    expect((await call(hook, body(1024 * 1024 + 1))).status).toBe(413);
    expect((await call(hook, 'a=1', { 'content-type': 'application/x-www-form-urlencoded' })).status).toBe(415);
  });

  it('is nowhere under another address, or when it was removed', async () => {
    const hook = await hooked('gone', 'bearer');
    expect(codeOf(await call({ ...hook, path: '/v1/hooks/0123456789abcdef0123456789abcdef' }, '{}'))).toEqual([404, 'not_found']);
    await put('gone', 'bearer', { triggers: [] });
    const answer = await call(hook, '{}');
    expect(codeOf(answer)).toEqual([404, 'not_found']);
    expect(JSON.stringify(answer.body)).not.toContain(hook.publicId);
  });

  it('is refused where the routine does not take it, and says why', async () => {
    const hook = await hooked('asleep', 'bearer');
    await server.api('POST', 'routines/asleep/pause', { reason: 'freeze' });
    expect(codeOf(await call(hook, '{}'))).toEqual([409, 'routine_paused']);
    await server.api('POST', 'routines/asleep/resume');
    await put('asleep', 'bearer', {}, { enabled: false });
    expect(codeOf(await call(hook, '{}'))).toEqual([409, 'trigger_disabled']);
    await put('asleep', 'bearer', { activeUntil: '2020-01-01T00:00:00.000Z' });
    expect(codeOf(await call(hook, '{}'))).toEqual([409, 'outside_window']);
    expect(await firesOf('asleep')).toHaveLength(3);
    await server.api('POST', 'routines/asleep/archive');
    expect(codeOf(await call(hook, '{}'))).toEqual([409, 'routine_archived']);
    expect((await server.api('POST', hook.path, '{}')).status).toBe(401);
  });

  it('fires each time that a sender without signature and key calls', async () => {
    for (const signing of ['bearer', 'none'] as const) {
      const hook = await hooked(`often-${signing}`, signing);
      expect([fireOf(await call(hook, '{}')), fireOf(await call(hook, '{}'))]).toEqual([
        `${hook.routine}@1`,
        `${hook.routine}@2`,
      ]);
    }
  });
});

describe('a request that comes again', () => {
  it.each(['hmac_sha256', 'github_hmac'] as const)(
    '[B] #9993 #9994: within the window, without an idempotency key, does nothing (%s)',
    async (signing) => {
      const hook = await hooked(`replayed-${signing}`.replaceAll('_', '-'), signing);
      const signed = proof(hook, '{"n":1}');
      expect((await server.api('POST', hook.path, '{"n":1}', signed)).status).toBe(202);
      const again = await server.api('POST', hook.path, '{"n":1}', signed);
      expect(again).toMatchObject({
        status: 409,
        body: { code: 'webhook_replayed', detail: expect.stringContaining('sign a new one') },
      });
      expect(await firesOf(hook.routine)).toHaveLength(1);
    },
  );

  it('does nothing under a new idempotency key, or with its signature written otherwise', async () => {
    const hook = await hooked('captured', 'hmac_sha256');
    const signed = proof(hook, '{}');
    await server.api('POST', hook.path, '{}', { ...signed, ...key() });
    const loud = { ...signed, 'ledger-signature': signed['ledger-signature']!.toUpperCase() };
    for (const headers of [signed, { ...signed, ...key() }, loud])
      expect(codeOf(await server.api('POST', hook.path, '{}', headers))).toEqual([409, 'webhook_replayed']);
    expect(await firesOf('captured')).toHaveLength(1);
  });

  it('does nothing when what it asked for first was refused', async () => {
    const hook = await hooked('refused', 'hmac_sha256');
    await server.api('POST', 'routines/refused/pause');
    const signed = proof(hook, '{}');
    expect(codeOf(await server.api('POST', hook.path, '{}', signed))).toEqual([409, 'routine_paused']);
    await server.api('POST', 'routines/refused/resume');
    expect(codeOf(await server.api('POST', hook.path, '{}', signed))).toEqual([409, 'webhook_replayed']);
    expect(await firesOf('refused')).toHaveLength(1);
  });

  it('does nothing when the window that it came in is over, and was made longer since', async () => {
    const hook = await hooked('widened', 'hmac_sha256', {}, { windowSec: 30 });
    const signed = proof(hook, '{}');
    await server.api('POST', hook.path, '{}', signed);
    await moveOn(61);
    await server.ledger.webhooks.nonces.expire(1_000);
    await put('widened', 'hmac_sha256', {}, { windowSec: 86_400 });
    expect(codeOf(await server.api('POST', hook.path, '{}', signed))).toEqual([409, 'webhook_replayed']);
    expect(await firesOf('widened')).toHaveLength(1);
  });

  it('is answered the same under its own key, also when it was signed anew', async () => {
    const hook = await hooked('keyed', 'hmac_sha256');
    const own = key();
    const first = await call(hook, '{}', own);
    await moveOn(1);
    const again = await call(hook, '{}', own);
    expect(again).toMatchObject({ status: 202, body: first.body });
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    expect(codeOf(await call(hook, '{"other":1}', own))).toEqual([422, 'idempotency_key_reused']);
    expect(await firesOf('keyed')).toHaveLength(1);
  });

  it('has a key of its own address, however the path is written', async () => {
    const [one, other] = [await hooked('keys-one', 'none'), await hooked('keys-other', 'none')];
    const own = key();
    const first = await call(one, '{}', own);
    expect((await call({ ...one, path: `${one.path}?again=1` }, '{}', own)).body).toEqual(first.body);
    expect(fireOf(await call(other, '{}', own))).toBe('keys-other@1');
  });

  it('gets the first refusal again under its key', async () => {
    const hook = await hooked('kept-refusal', 'none');
    await server.api('POST', 'routines/kept-refusal/pause');
    const own = key();
    const first = await call(hook, '{}', own);
    await server.api('POST', 'routines/kept-refusal/resume');
    expect(await call(hook, '{}', own)).toMatchObject({ status: 409, body: first.body });
  });

  describe('at once to two servers', () => {
    let other: TestServer;
    beforeAll(async () => (other = await startServer({ roles: ['api'], clock: 'manual', database: server.database })));
    afterAll(() => other.stop());

    const ten = (hook: Hook, headers: (n: number) => Record<string, string>) =>
      Promise.all(Array.from({ length: 10 }, (_, n) => (n % 2 ? other : server).api('POST', hook.path, '{}', headers(n))));

    it('fires once under one key', async () => {
      const hook = await hooked('rush', 'none');
      const own = key();
      const answers = await ten(hook, () => own);
      expect(answers.map((answer) => [answer.status, fireOf(answer)])).toEqual(Array(10).fill([202, 'rush@1']));
      expect(await firesOf('rush')).toHaveLength(1);
    });

    it.each(['hmac_sha256', 'github_hmac'] as const)('fires once when it is signed by %s', async (signing) => {
      const hook = await hooked(`rush-${signing}`.replaceAll('_', '-'), signing);
      const signed = proof(hook, '{}');
      const answers = await ten(hook, (n) => ({ ...signed, ...(n % 3 && key()) }));
      const told = new Set(answers.map((answer) => (answer.status === 202 ? fireOf(answer) : answer.body.code)));
      expect([...told].filter((one) => one !== 'webhook_replayed')).toEqual([`${hook.routine}@1`]);
      expect(await firesOf(hook.routine)).toHaveLength(1);
    });
  });
});

describe('after a crash', () => {
  const reserve = (hook: Hook, signed: Record<string, string>, commandId: string) =>
    server.ledger.webhooks.nonces.reserve(
      {
        address: hashOfAddress(hook.publicId),
        nonce: Buffer.from(signed['ledger-signature']!.slice('sha256='.length), 'hex'),
        keptMs: 600_000,
      },
      commandId,
    );
  const unsettle = () => server.database.pool.query('update webhook_nonces set settled_at = null');

  it('between nonce and fire, the sender’s repeat fires, as what was reserved', async () => {
    const hook = await hooked('cut-before', 'hmac_sha256');
    const [signed, commandId] = [proof(hook, '{}'), randomUUID()];
    await reserve(hook, signed, commandId);
    expect((await server.api('POST', hook.path, '{}', { ...signed, ...key() })).status).toBe(202);
    const fires = await firesOf('cut-before');
    expect(fires.map(({ metadata }) => metadata.commandId)).toEqual([commandId]);
    expect(codeOf(await server.api('POST', hook.path, '{}', signed))).toEqual([409, 'webhook_replayed']);
  });

  it('between fire and answer, the sender’s repeat is answered with that fire', async () => {
    const hook = await hooked('cut-after', 'hmac_sha256');
    const signed = proof(hook, '{}');
    const first = await server.api('POST', hook.path, '{}', signed);
    await unsettle();
    const again = await server.api('POST', hook.path, '{}', signed);
    expect(again).toMatchObject({
      status: 202,
      body: { fire: { id: fireOf(first), outcome: 'created', task: first.body.fire.task } },
    });
    expect(await firesOf('cut-after')).toHaveLength(1);
  });

  it('between the settling of nonce and key, the sender’s repeat under its key is answered with that fire', async () => {
    const hook = await hooked('cut-late', 'hmac_sha256');
    const [signed, own] = [proof(hook, '{}'), key()];
    const first = await server.api('POST', hook.path, '{}', { ...signed, ...own });
    await server.database.pool.query('update idempotency_keys set status = null, body = null where key = $1', [
      own['idempotency-key'],
    ]);
    const again = await server.api('POST', hook.path, '{}', { ...signed, ...own });
    expect(again).toMatchObject({ status: 202, body: { fire: { id: fireOf(first) } } });
    expect(codeOf(await server.api('POST', hook.path, '{}', { ...signed, ...key() }))).toEqual([409, 'webhook_replayed']);
    expect(await firesOf('cut-late')).toHaveLength(1);
  });

  it('leaves nothing behind for a body that could not be read', async () => {
    const hook = await hooked('cut-body', 'hmac_sha256');
    expect((await call(hook, 'no')).status).toBe(400);
    const { rowCount } = await server.database.pool.query('select from webhook_nonces where public_hash = $1', [
      hashOfAddress(hook.publicId),
    ]);
    expect(rowCount).toBe(0);
  });
});

describe('the secret of a webhook', () => {
  it('is taken beside a new one until the overlap is over', async () => {
    const hook = await hooked('turned', 'hmac_sha256');
    const rotated = await server.api('POST', 'routines/turned/triggers/push/rotate-secret', { overlapSec: 60 });
    const { secret, publicId } = rotated.body.webhooks[0] as unknown as Hook;
    expect(publicId).toBe(hook.publicId);
    const statuses = async () => [(await call(hook, '{}')).status, (await call({ ...hook, secret }, '{}')).status];
    expect(await statuses()).toEqual([202, 202]);
    await server.api('PUT', '/v1/clock', { now: new Date(now() + 60_000).toISOString() });
    expect(await statuses()).toEqual([401, 202]);
  });

  it('is another address where nothing is signed, with the former one taken as long', async () => {
    const hook = await hooked('moved', 'none');
    const rotated = await server.api('POST', 'routines/moved/triggers/push/rotate-secret', { overlapSec: 60 });
    const next = { ...hook, ...(rotated.body.webhooks[0] as unknown as Hook) };
    expect(next.path).not.toBe(hook.path);
    const statuses = async () => [(await call(hook, '{}')).status, (await call(next, '{}')).status];
    expect(await statuses()).toEqual([202, 202]);
    await server.api('PUT', '/v1/clock', { now: new Date(now() + 60_000).toISOString() });
    expect(await statuses()).toEqual([404, 202]);
  });

  it('stays sealed to a server with another key: a caller is refused, its operator told', async () => {
    const hook = await hooked('sealed', 'bearer');
    const strange = await startServer({
      roles: ['api'],
      clock: 'manual',
      log,
      secretKey: Buffer.alloc(32, 9),
      database: server.database,
    });
    said.length = 0;
    const calls = [1, 2, 3].map(() => strange.api('POST', hook.path, '{}', proof(hook, '{}')));
    const statuses = (await Promise.all(calls)).map(({ status }) => status);
    const rotated = await strange.api('POST', 'routines/sealed/triggers/push/rotate-secret');
    await strange.stop();
    expect(statuses).toEqual([401, 401, 401]);
    expect(said).toEqual([expect.stringMatching(/a webhook was refused: the secret of acme\/sealed\/push .*LEDGER_SECRET_KEY/)]);
    expect(rotated).toMatchObject({
      status: 503,
      body: { code: 'secrets_locked', detail: expect.stringContaining('LEDGER_SECRET_KEY') },
    });
    expect((await call(hook, '{}')).status).toBe(202);
    const events = await server.ledger.store.readStream<RoutineEvent>(routineStream('acme', 'sealed'));
    expect(events.filter(({ type }) => type === 'TriggerSecretRotated')).toEqual([]);
  });

  it('is in no event, no kept answer, no other table and no log, and neither is its address', async () => {
    said.length = 0;
    const shown: string[] = [];
    for (const signing of ['bearer', 'hmac_sha256', 'github_hmac', 'none'] as const) {
      const routine = `hidden-${signing}`.replaceAll('_', '-');
      const definition = { title: 'Build', agent: 'coder', triggers: [{ id: 'push', kind: 'webhook', signing }] };
      const { body } = await server.api('PUT', `routines/${routine}`, definition, key());
      const hook = { ...(body.webhooks[0] as unknown as Hook), routine, signing };
      await call(hook, '{}', key());
      await call({ ...hook, secret: 'wrong' }, '{}', key());
      await server.api('POST', `routines/${routine}/pause`);
      await call(hook, '{"n":2}', key());
      const rotated = await server.api('POST', `routines/${routine}/triggers/push/rotate-secret`, {}, key());
      const [next] = (rotated.body.webhooks ?? []) as unknown as Hook[];
      shown.push(...[hook.publicId, hook.secret, next?.publicId, next?.secret].filter((text) => text !== undefined));
    }
    expect(new Set(shown).size).toBeGreaterThanOrEqual(10);
    expect(await tablesWith(server.database.pool, shown)).toEqual([]);
    expect(await tablesWith(server.database.pool, ['hidden-bearer'])).toEqual(
      expect.arrayContaining(['public.events', 'public.idempotency_keys', 'public.trigger_secrets']),
    );
    for (const text of shown) expect(said.join('\n')).not.toContain(text);
  });
});

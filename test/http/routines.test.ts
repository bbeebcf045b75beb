import { randomUUID } from 'node:crypto';
import { startServer, type Answer, type TestServer } from '../server.js';

let server: TestServer;
const api: TestServer['api'] = (...request) => server.api(...request);

beforeAll(async () => {
  server = await startServer();
  await api('PUT', 'agents/coder', {});
});
afterAll(() => server.stop());

const clock = { id: 'schedule', kind: 'schedule', cron: '30 2 * * sun', zone: 'Europe/Berlin' };
const webhook = { id: 'hook', kind: 'webhook', signing: 'hmac_sha256' };
const button = { id: 'button', kind: 'api' };

const put = (routine: string, definition: object = {}, headers: Record<string, string> = {}) =>
  api('PUT', `routines/${routine}`, { title: 'Build', agent: 'coder', triggers: [button], ...definition }, headers);

/** What the read models show of everything that was answered so far. */
const shown = async (path: string): Promise<Answer> =>
  api('GET', path, undefined, { 'ledger-min-position': await server.ledger.store.head() });

const withKey = (key: string) => ({ 'idempotency-key': key });

describe('PUT of a routine', () => {
  it('defines it with what was left out, and answers its revision', async () => {
    const { status, headers, body } = await put('defined', { triggers: [clock] });
    expect(status).toBe(200);
    expect(headers.get('etag')).toBe('"0"');
    expect(body).toMatchObject({
      id: 'defined',
      company: 'acme',
      status: 'active',
      priority: 'medium',
      concurrency: 'coalesce_if_active',
      catchUp: 'skip_missed',
      spreadSec: 0,
      triggers: [{ ...clock, enabled: true, dst: { gap: 'shift', overlap: 'once' }, nextSlot: expect.any(String) }],
      revision: 0,
    });
    const read = await shown('routines/defined');
    expect(read.headers.get('etag')).toBe('"0"');
    expect(read.body).toMatchObject({
      id: 'defined',
      title: 'Build',
      agent: 'coder',
      fires: 0,
      nextDueAt: body.triggers[0].nextSlot,
    });
  });

  it('pauses one that has no agent', async () => {
    expect((await put('orphan', { agent: null })).body).toMatchObject({
      status: 'paused',
      reason: 'it was defined without an agent',
    });
    expect(await api('POST', 'routines/orphan/resume')).toMatchObject({ status: 422, body: { code: 'agent_required' } });
  });

  it('tells the address and the secret of a new webhook, and never again', async () => {
    const { body } = await put('hooked', { triggers: [webhook, { ...webhook, id: 'open', signing: 'none' }] });
    expect(body.webhooks).toEqual([
      {
        trigger: 'hook',
        publicId: expect.stringMatching(/^\S{16,}$/),
        path: `/v1/hooks/${body.webhooks[0].publicId}`,
        secret: expect.stringMatching(/^\S{32,}$/),
      },
      { trigger: 'open', publicId: expect.any(String), path: `/v1/hooks/${body.webhooks[1].publicId}` },
    ]);
    const { secret, publicId } = body.webhooks[0];
    const again = await put('hooked', { triggers: [webhook, { ...webhook, id: 'open', signing: 'none' }] });
    const others = [again, await shown('routines/hooked'), await shown('routines'), await shown('events')];
    for (const { status, body: said } of others) {
      expect(status).toBe(200);
      expect(JSON.stringify(said)).not.toContain(secret);
      expect(JSON.stringify(said)).not.toContain(publicId);
    }
    expect(again.body.revision).toBe(body.revision);
  });

  it('keeps no secret with an idempotency key, and repeats the rest of its answer', async () => {
    const key = randomUUID();
    const first = await put('keyed', { triggers: [webhook] }, withKey(key));
    const repeat = await put('keyed', { triggers: [webhook] }, withKey(key));
    const { webhooks, ...rest } = first.body as unknown as { webhooks: { secret: string }[] };
    expect(repeat.headers.get('idempotent-replayed')).toBe('true');
    const note = 'the address and secret of hook were shown once, in the first answer: rotate them to get others';
    expect(repeat.body).toEqual({ ...rest, note });
    const { rows } = await server.database.pool.query('select body from idempotency_keys where key = $1', [key]);
    expect(rows).toHaveLength(1);
    expect(JSON.stringify(rows)).not.toContain(webhooks[0]!.secret);
  });

  it('makes, when it is repeated, the secret that a crash after the definition has left unmade', async () => {
    const key = randomUUID();
    await put('crashed', { triggers: [webhook] }, withKey(key));
    await server.database.pool.query(`delete from trigger_secrets where routine = 'crashed'`);
    await server.database.pool.query('update idempotency_keys set status = null, headers = null, body = null where key = $1', [
      key,
    ]);
    const { status, body } = await put('crashed', { triggers: [webhook] }, withKey(key));
    expect({ status, body }).toMatchObject({ status: 200, body: { revision: 0, webhooks: [{ trigger: 'hook' }] } });
  });

  it('is conditional on the revision that was read', async () => {
    await put('matched');
    expect((await put('matched', { title: 'Other' }, { 'if-match': '"0"' })).status).toBe(200);
    expect(await put('matched', { title: 'Third' }, { 'if-match': '"0"' })).toMatchObject({
      status: 412,
      body: { code: 'revision_mismatch' },
    });
  });

  it.each([
    ['a cron that cannot be read', { triggers: [{ ...clock, cron: '61 * * * *' }] }, 422, 'cron_invalid', '61'],
    ['30 February', { triggers: [{ ...clock, cron: '0 0 30 2 *' }] }, 422, 'cron_never_fires', '0 0 30 2 *'],
    ['a zone that is not there', { triggers: [{ ...clock, zone: 'Europe/Berln' }] }, 422, 'zone_unknown', 'Europe/Berlin'],
    ['a placeholder without a variable', { title: '{{brunch}}' }, 422, 'template_invalid', 'brunch'],
    ['a trigger twice', { triggers: [button, button] }, 422, 'triggers_invalid', 'button'],
    ['an agent that is not there', { agent: 'nobody' }, 404, 'agent_not_found', 'nobody'],
    ['an unknown field', { titel: 'Build' }, 400, 'malformed', 'titel'],
    [
      'too many triggers',
      { triggers: Array.from({ length: 21 }, (_, n) => ({ ...button, id: `b${n}` })) },
      400,
      'malformed',
      '20',
    ],
  ])('refuses %s', async (_, definition, status, code, words) => {
    const refused = await put('refused', definition);
    expect(refused).toMatchObject({ status, body: { code, detail: expect.stringContaining(words) } });
    expect((await shown('routines/refused')).status).toBe(404);
  });
});

describe('the list of routines', () => {
  it('goes by status and agent, newest first, page by page', async () => {
    await api('PUT', 'agents/lister', {});
    for (const routine of ['first', 'second', 'third']) await put(routine, { agent: 'lister' });
    await api('POST', 'routines/second/pause', { reason: 'freeze' });
    const ids = async (query: string) => {
      const { body } = await shown(`routines?agent=lister${query}`);
      return { ids: (body.items as unknown as { id: string }[]).map(({ id }) => id), next: body.next };
    };
    expect(await ids('')).toEqual({ ids: ['third', 'second', 'first'], next: undefined });
    expect((await ids('&status=paused')).ids).toEqual(['second']);
    const page = await ids('&limit=2');
    expect(page.ids).toEqual(['third', 'second']);
    expect((await ids(`&limit=2&cursor=${page.next}`)).ids).toEqual(['first']);
    expect(await api('GET', 'routines?status=asleep')).toMatchObject({ status: 400, body: { code: 'malformed' } });
  });
});

describe('a fire over HTTP', () => {
  it('is 201 with its task and run, and 200 for one that joins them', async () => {
    await put('fired');
    const first = await api('POST', 'routines/fired/fire');
    expect(first).toMatchObject({
      status: 201,
      body: { id: 'fired@1', source: 'manual', outcome: 'created', task: 'fired~1', run: 'fired~1.1' },
    });
    const second = await api('POST', 'routines/fired/fire', {});
    expect(second).toMatchObject({
      status: 200,
      body: { id: 'fired@2', outcome: 'coalesced', into: 'fired@1', task: 'fired~1' },
    });
    expect(await shown('tasks/fired~1')).toMatchObject({
      status: 200,
      body: { kind: 'routine', title: 'Build', assignee: 'coder' },
    });
    expect((await shown('routines/fired/fires/fired@2')).body).toMatchObject({ id: 'fired@2', outcome: 'coalesced' });
    expect((await shown('routines/fired')).body).toMatchObject({ fires: 2, lastFire: 'fired@2' });
  });

  it('is the api’s by a trigger of that kind, and by hand by any other', async () => {
    await put('sources', { triggers: [button, clock] });
    expect((await api('POST', 'routines/sources/fire', { trigger: 'button' })).body).toMatchObject({
      trigger: 'button',
      source: 'api',
    });
    const byHand = await api('POST', 'routines/sources/fire', { trigger: 'schedule', payload: { n: 2 } });
    expect(byHand.body).toMatchObject({ trigger: 'schedule', source: 'manual' });
    expect(await api('POST', 'routines/sources/fire', { trigger: 'bell' })).toMatchObject({
      status: 404,
      body: { code: 'trigger_not_found', detail: expect.stringContaining('button, schedule') },
    });
    expect((await api('POST', 'routines/sources/fire', { source: 'webhook' })).status).toBe(400);
  });

  it('is one, however often it is asked for under one key', async () => {
    await put('once', { concurrency: 'always_enqueue' });
    const key = randomUUID();
    const answers = await Promise.all(Array.from({ length: 10 }, () => api('POST', 'routines/once/fire', {}, withKey(key))));
    expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(201));
    expect(new Set(answers.map(({ body }) => body.id))).toEqual(new Set(['once@1']));
    expect((await shown('routines/once/fires')).body.items).toHaveLength(1);
  });

  it('is refused and recorded while the routine is paused, unless it is by hand', async () => {
    await put('paused');
    expect((await api('POST', 'routines/paused/pause', { reason: 'freeze' })).body).toMatchObject({
      status: 'paused',
      reason: 'freeze',
    });
    const refused = await api('POST', 'routines/paused/fire', { trigger: 'button' });
    expect(refused).toMatchObject({ status: 409, body: { code: 'routine_paused', fire: 'paused@1' } });
    expect(refused.body.detail).toContain('freeze');
    expect((await api('POST', 'routines/paused/fire')).status).toBe(201);
    expect((await api('POST', 'routines/paused/resume')).body).toMatchObject({ status: 'active' });
    const { body } = await shown('routines/paused/fires?outcome=suppressed');
    expect(body.items).toMatchObject([{ id: 'paused@1', trigger: 'button', outcome: 'suppressed', code: 'routine_paused' }]);
  });

  it('is refused for good once the routine is archived', async () => {
    await put('archived');
    expect((await api('POST', 'routines/archived/archive', { reason: 'done with' })).body).toMatchObject({ status: 'archived' });
    for (const step of ['fire', 'pause', 'resume'])
      expect(await api('POST', `routines/archived/${step}`)).toMatchObject({ status: 409, body: { code: 'routine_archived' } });
    expect((await shown('routines/archived/fires')).body.items).toEqual([]);
  });

  it('names all that is missing, and what does not fit', async () => {
    const variables = [
      { name: 'branch', type: 'text' },
      { name: 'stage', type: 'select', options: ['test', 'live'] },
    ];
    await put('filled', { title: 'Build {{branch}} for {{stage}}', variables });
    expect(await api('POST', 'routines/filled/fire')).toMatchObject({
      status: 422,
      body: { code: 'variables_missing', detail: expect.stringContaining('branch, stage') },
    });
    expect(await api('POST', 'routines/filled/fire', { variables: { branch: 'main', stage: 'moon' } })).toMatchObject({
      status: 422,
      body: { code: 'variable_invalid', detail: expect.stringContaining('test, live') },
    });
    expect((await shown('routines/filled/fires')).body.items).toEqual([]);
  });

  it('is found under its routine only', async () => {
    await put('found');
    await api('POST', 'routines/found/fire');
    await put('elsewhere');
    expect((await shown('routines/elsewhere/fires/found@1')).body).toMatchObject({ code: 'fire_not_found' });
    expect(await api('GET', 'routines/found/fires/1')).toMatchObject({ status: 400, body: { code: 'malformed' } });
    for (const path of ['routines/nowhere', 'routines/nowhere/fires', 'routines/nowhere/next'])
      expect(await api('GET', path)).toMatchObject({ status: 404, body: { code: 'routine_not_found' } });
    for (const step of ['fire', 'pause', 'resume', 'archive', 'preview'])
      expect(await api('POST', `routines/nowhere/${step}`)).toMatchObject({ status: 404, body: { code: 'routine_not_found' } });
  });

  it('comes in pages', async () => {
    await put('paged', { concurrency: 'always_enqueue' });
    for (let n = 0; n < 3; n++) await api('POST', 'routines/paged/fire', n === 1 ? { trigger: 'button' } : {});
    const { body } = await shown('routines/paged/fires?limit=2');
    expect(body.items).toMatchObject([{ id: 'paged@3' }, { id: 'paged@2' }]);
    expect((await shown(`routines/paged/fires?limit=2&cursor=${body.next}`)).body).toMatchObject({ items: [{ id: 'paged@1' }] });
    expect((await shown('routines/paged/fires?trigger=button')).body.items).toMatchObject([{ id: 'paged@2' }]);
  });
});

describe('a preview', () => {
  it('shows what a fire would ask for, and writes nothing', async () => {
    await put('tried', { title: 'Build {{branch}}', variables: [{ name: 'branch', type: 'text' }] });
    const head = await server.ledger.store.head();
    const { status, body } = await api('POST', 'routines/tried/preview', {
      variables: { branch: 'main' },
      payload: { build: 7 },
    });
    expect({ status, body }).toMatchObject({
      status: 200,
      body: {
        title: 'Build main',
        description: null,
        variables: { branch: 'main' },
        fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/),
      },
    });
    expect(await api('POST', 'routines/tried/preview')).toMatchObject({ status: 422, body: { code: 'variables_missing' } });
    expect(await server.ledger.store.head()).toBe(head);
    const { body: fire } = await api('POST', 'routines/tried/fire', { variables: { branch: 'main' }, payload: { build: 7 } });
    expect(fire.fingerprint).toBe(body.fingerprint);
  });
});

describe('the next times', () => {
  it('say what a change of the clocks does to them', async () => {
    await put('sundays', { triggers: [clock, { ...clock, id: 'off', enabled: false }] });
    const { body } = await shown('routines/sundays/next?count=60');
    expect(body).toMatchObject({
      routine: 'sundays',
      status: 'active',
      schedules: [{ trigger: 'schedule', zone: 'Europe/Berlin', offsetSec: 0 }],
    });
    expect(body.schedules).toHaveLength(1);
    const times = body.schedules[0].times as unknown as { at: string; local: string; dst?: string }[];
    expect(times).toHaveLength(60);
    // Sixty weeks have a spring and an autumn.
    expect(times.find(({ dst }) => dst === 'shifted')?.local).toMatch(/T03:00:00\+02:00$/);
    expect(times.find(({ dst }) => dst === 'first of two')?.local).toMatch(/T02:30:00\+02:00$/);
    expect((await shown('routines/sundays/next')).body.schedules[0].times).toHaveLength(10);
  });

  it('begin and end with the routine, and say by how much each is spread', async () => {
    const window = { activeFrom: '2100-01-01T00:00:00Z', activeUntil: '2100-01-01T00:03:00Z' };
    await put('spread', { triggers: [{ ...clock, cron: '* * * * *' }], spreadSec: 3_600, ...window });
    const { body } = await shown('routines/spread/next');
    const [{ times, offsetSec }] = body.schedules as unknown as [{ times: { at: string }[]; offsetSec: number }];
    expect(times.map(({ at }) => at.slice(11, 16))).toEqual(['00:00', '00:01', '00:02']);
    expect(offsetSec).toBeGreaterThanOrEqual(0);
    expect(offsetSec).toBeLessThan(3_600);
    const { nextDueAt } = (await shown('routines/spread')).body;
    expect(Date.parse(nextDueAt) - Date.parse(times[0]!.at)).toBe(offsetSec * 1_000);
  });

  it.each(['0', '101', 'many'])('refuse a count of %s', async (count) => {
    expect(await api('GET', `routines/defined/next?count=${count}`)).toMatchObject({ status: 400, body: { code: 'malformed' } });
  });
});

describe('the rotation of a secret', () => {
  const rotate = (routine: string, trigger: string, key = randomUUID()) =>
    api('POST', `routines/${routine}/triggers/${trigger}/rotate-secret`, { overlapSec: 60 }, withKey(key));

  it('tells another one at the same address, in this answer only', async () => {
    const { body: defined } = await put('rotated', { triggers: [webhook] });
    const key = randomUUID();
    const { status, body } = await rotate('rotated', 'hook', key);
    expect(status).toBe(200);
    expect(Date.parse(body.overlapUntil) - Date.parse(body.rotatedAt)).toBe(60_000);
    const [before, after] = [defined.webhooks[0], body.webhooks[0]];
    expect(after).toMatchObject({ trigger: 'hook', path: before.path });
    expect(after.secret).not.toBe(before.secret);
    const repeat = await rotate('rotated', 'hook', key);
    expect(repeat.headers.get('idempotent-replayed')).toBe('true');
    expect(repeat.body).not.toHaveProperty('webhooks');
  });

  it('lets the former one be taken for the overlap, and not at all without', async () => {
    const { body: defined } = await put('overlapping', { triggers: [{ ...webhook, signing: 'bearer' }] });
    const [{ path, secret: first }] = defined.webhooks as unknown as [{ path: string; secret: string }];
    const call = async (secret: string) => (await api('POST', path, {}, { authorization: `Bearer ${secret}` })).status;
    const second = (await rotate('overlapping', 'hook')).body.webhooks[0].secret;
    expect([await call(first), await call(second)]).toEqual([202, 202]);
    const { body } = await api('POST', 'routines/overlapping/triggers/hook/rotate-secret', { overlapSec: 0 });
    expect([await call(second), await call(body.webhooks[0].secret)]).toEqual([401, 202]);
  });

  it('is of webhooks only', async () => {
    await put('unrotated');
    expect(await rotate('unrotated', 'button')).toMatchObject({ status: 409, body: { code: 'trigger_kind' } });
    expect(await rotate('unrotated', 'bell')).toMatchObject({ status: 404, body: { code: 'trigger_not_found' } });
  });
});

it('lets an agent define and fire routines of its own only', async () => {
  await api('PUT', 'agents/writer', {});
  const asWriter = { 'x-actor': 'agent:writer' };
  await put('own', { agent: 'writer' }, asWriter);
  expect((await api('POST', 'routines/own/fire', {}, asWriter)).status).toBe(201);
  await put('others');
  for (const [method, path] of [
    ['POST', 'routines/others/fire'],
    ['POST', 'routines/others/pause'],
  ] as const)
    expect(await api(method, path, {}, asWriter)).toMatchObject({ status: 403, body: { code: 'not_permitted' } });
  expect((await put('others', { title: 'Mine' }, asWriter)).status).toBe(403);
});

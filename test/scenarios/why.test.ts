import { randomUUID } from 'node:crypto';
import type { Why } from '../../src/projections/why/reason.js';
import { freshDatabase } from '../postgres.js';
import { Scene } from './why-scene.js';

const rateLimited = { outcome: 'failed', error: '429 rate limited', errorFamily: 'transient_upstream' };
const forbidden = { outcome: 'failed', error: '401 unauthorized', errorFamily: 'auth' };
const everyRole = ['api', 'projector', 'policies', 'promoter', 'reaper'] as const;

describe('why work does not go on, and what lets it', () => {
  let scene: Scene;

  beforeAll(async () => {
    scene = await Scene.at({ roles: [...everyRole] });
  });
  afterAll(() => scene.server.stop());

  it('NO_WORKER: nobody asks for runs of the agent', async () => {
    await scene.given('lonely', 'NW-1');
    const places = ['runs/NW-1.1', 'tasks/NW-1', await scene.demandOf('NW-1.1')] as const;
    for (const place of places)
      expect(await scene.why(place)).toMatchObject({
        reasons: [{ code: 'NO_WORKER', clearedBy: 'a worker of lonely', action: 'ledger worker --agent lonely -- <command>' }],
      });
    await scene.claim('lonely');
    for (const place of places) expect(await scene.codes(place)).toEqual(['RUNNING']);
  });

  it('READY: a worker is there, and nothing keeps it', async () => {
    await scene.given('eager', 'RD-1');
    await scene.work('eager', { outcome: 'succeeded' });
    await scene.claim('eager');
    await scene.wake('eager', 'RD-1');
    expect(await scene.codes('runs/RD-1.2')).toEqual(['READY']);
    expect(await scene.codes('tasks/RD-1')).toEqual(['READY']);
  });

  it('RUNNING: since when, on which worker and until when at least', async () => {
    await scene.given('busy', 'RU-1');
    await scene.claim('busy');
    expect(await scene.reason('runs/RU-1.1', 'RUNNING')).toEqual(await scene.reason('tasks/RU-1', 'RUNNING'));
    expect((await scene.reason('runs/RU-1.1', 'RUNNING')).sentence).toMatch(/^busy-host is at RU-1\.1; its lease lasts until 2/);
  });

  it('DUE_LATER: a retry waits for its time', async () => {
    await scene.given('later', 'DL-1');
    await scene.work('later', rateLimited);
    const due = (await scene.run('DL-1.2')).scheduledRetryAt;
    expect(await scene.codes('runs/DL-1.1')).toEqual(['DONE', 'DUE_LATER']);
    const reason = await scene.expectClears(
      'DUE_LATER',
      'runs/DL-1.2',
      'runs/DL-1.1',
      'tasks/DL-1',
      await scene.demandOf('DL-1.2'),
    );
    expect(reason).toMatchObject({ clearsAt: due, action: 'ledger runs retry-now DL-1.2' });
  });

  it('AGENT_PAUSED: a queued and a parked run, each before its time', async () => {
    await scene.given('resting', 'AP-1');
    await scene.send('POST', 'agents/resting/pause', { reason: 'holiday' });
    await scene.expectClears('AGENT_PAUSED', 'runs/AP-1.1', 'tasks/AP-1', await scene.demandOf('AP-1.1'));
    await scene.work('resting', rateLimited);
    await scene.send('POST', 'agents/resting/pause', { reason: 'holiday' });
    expect(await scene.codes('runs/AP-1.2')).toEqual(['AGENT_PAUSED', 'DUE_LATER']);
    await scene.carryOut(await scene.reason('runs/AP-1.2', 'AGENT_PAUSED'));
    await scene.carryOut(await scene.reason('runs/AP-1.2', 'DUE_LATER'));
    expect((await scene.claim('resting'))?.run).toBe('AP-1.2');
  });

  it('COMPANY_HELD and TASK_HELD: the company, the task itself and one above it', async () => {
    await scene.send('PUT', 'tasks/TH-0', { title: 'above' });
    await scene.send('PUT', 'tasks/TH-1', { title: 'between', parent: 'TH-0' });
    await scene.given('held', 'TH-2');
    await scene.send('PUT', 'tasks/TH-2', { title: 'below', parent: 'TH-1' });
    await scene.send('POST', 'tasks/TH-0/hold', { reason: 'freeze', subtree: true });
    await scene.send('POST', 'tasks/TH-1/hold', { reason: 'not below' });
    await scene.send('POST', 'tasks/TH-2/hold', { reason: 'itself' });
    await scene.send('POST', '/v1/companies/acme/hold', { reason: 'migration' });
    const { reasons } = await scene.why('runs/TH-2.1');
    expect(reasons.map(({ sentence }) => sentence)).toEqual([
      'acme is held: migration',
      'TH-2 is held: itself',
      'TH-0, which TH-2 is below, is held with all below it: freeze',
      'no worker of held has been heard of yet',
    ]);
    const demand = await scene.demandOf('TH-2.1');
    await scene.expectClears('COMPANY_HELD', 'runs/TH-2.1', 'tasks/TH-2', demand);
    await scene.carryOut(reasons[1]!);
    await scene.expectClears('TASK_HELD', 'runs/TH-2.1', 'tasks/TH-2', demand);
    expect((await scene.claim('held'))?.run).toBe('TH-2.1');
  });

  it('AGENT_TERMINATED: what it had to do has ended with it', async () => {
    await scene.given('gone', 'AT-1');
    await scene.send('POST', 'agents/gone/terminate', { reason: 'replaced' });
    for (const place of ['runs/AT-1.1', 'tasks/AT-1', await scene.demandOf('AT-1.1')])
      await scene.reason(place, 'AGENT_TERMINATED');
  });

  it('TASK_CLOSED: the task is done, until it is taken up again', async () => {
    await scene.given('closer', 'TC-1');
    const demand = await scene.demandOf('TC-1.1');
    await scene.send('POST', 'tasks/TC-1/status', { status: 'done' });
    for (const place of ['runs/TC-1.1', demand]) expect(await scene.codes(place)).toEqual(['TASK_CLOSED']);
    await scene.expectClears('TASK_CLOSED', 'tasks/TC-1');
    expect(await scene.codes('tasks/TC-1')).toEqual(['NO_WORKER']);
  });

  it('TASK_REASSIGNED: what the former assignee had not begun', async () => {
    await scene.given('former', 'TR-1');
    await scene.given('latter', 'TR-0');
    const demand = await scene.demandOf('TR-1.1');
    await scene.send('POST', 'tasks/TR-1/assign', { agent: 'latter' });
    for (const place of ['runs/TR-1.1', demand]) expect(await scene.codes(place)).toEqual(['TASK_REASSIGNED']);
    expect(await scene.codes('tasks/TR-1')).toEqual(['NO_WORKER']);
  });

  it('BLOCKED_BY: each task that is waited for, and whether it moves by itself', async () => {
    await scene.given('maker', 'BB-1');
    await scene.send('PUT', 'tasks/BB-2', { title: "nobody's" });
    await scene.given('helper', 'BB-3');
    await scene.send('POST', 'tasks/BB-1/blockers', { blockedBy: ['BB-2', 'BB-3'] });
    const sentences = [
      "BB-1 waits for BB-2, which is todo and does not move by itself: BB-2 is nobody's: assign it",
      'BB-1 waits for BB-3, which is todo, and moves by itself: BB-3.1 is open on it',
    ];
    const places = ['runs/BB-1.1', 'tasks/BB-1', await scene.demandOf('BB-1.1')] as const;
    for (const place of places)
      expect((await scene.why(place)).reasons.map(({ sentence }) => sentence).slice(0, 2)).toEqual(sentences);
    await scene.carryOut(await scene.reason('tasks/BB-1', 'BLOCKED_BY'));
    await scene.expectClears('BLOCKED_BY', ...places);
    expect((await scene.claim('maker'))?.run).toBe('BB-1.1');
  });

  it('BLOCKED_BY: of more than an answer has room for, how many are left out', async () => {
    await scene.given('swamped', 'BM-0');
    await scene.work('swamped', { outcome: 'succeeded' });
    const blockedBy = Array.from({ length: 25 }, (_, n) => `BM-${n + 1}`);
    for (const task of blockedBy) await scene.send('PUT', `tasks/${task}`, { title: task });
    await scene.send('POST', 'tasks/BM-0/blockers', { blockedBy });
    const { reasons, more } = await scene.why('tasks/BM-0');
    expect([reasons.length, more]).toEqual([20, 5]);
  });

  it('BLOCKED_BY: not of a run that may answer a comment all the same', async () => {
    await scene.given('answerer', 'BC-1');
    await scene.work('answerer', { outcome: 'succeeded' });
    await scene.send('PUT', 'tasks/BC-2', { title: 'first' });
    await scene.send('POST', 'tasks/BC-1/blockers', { blockedBy: ['BC-2'] });
    expect(await scene.codes('tasks/BC-1')).toEqual(['BLOCKED_BY']);
    await scene.send('POST', 'tasks/BC-1/comments', { author: { type: 'user', id: 'alice' }, body: 'how far are you?' });
    expect(await scene.codes('runs/BC-1.2')).not.toContain('BLOCKED_BY');
    expect((await scene.claim('answerer'))?.run).toBe('BC-1.2');
  });

  it('BLOCKED_BY: a person who put it aside', async () => {
    await scene.given('patient', 'BP-1');
    await scene.work('patient', { outcome: 'succeeded' });
    await scene.send('POST', 'tasks/BP-1/status', { status: 'blocked' });
    expect(await scene.codes('tasks/BP-1')).toEqual(['DONE', 'BLOCKED_BY']);
    await scene.expectClears('BLOCKED_BY', 'tasks/BP-1');
    expect(await scene.codes('tasks/BP-1')).toEqual(['READY']);
  });

  it('BEHIND_RUN and LEASE_HELD: one at a time on a lane, until its worker has stopped', async () => {
    await scene.given('first', 'BR-1');
    await scene.given('second', 'BR-0');
    const running = await scene.claim('first');
    const demand = `wakeups/${await scene.wake('second', 'BR-1')}`;
    await scene.expectClears('BEHIND_RUN', 'runs/BR-1.2', 'tasks/BR-1', demand);
    const reason = await scene.reason('runs/BR-1.2', 'LEASE_HELD');
    expect(reason.sentence).toBe('first-host was at BR-1.1, which is cancelled, and has not said yet that it stopped');
    expect(await scene.reason('tasks/BR-1', 'LEASE_HELD')).toEqual(reason);
    expect(await scene.claim('second')).toMatchObject({ run: 'BR-0.1' });
    expect(await scene.claim('second')).toBeUndefined();
    await scene.finish(running!, { outcome: 'cancelled' });
    expect(await scene.codes(demand)).not.toContain('LEASE_HELD');
    expect((await scene.claim('second'))?.run).toBe('BR-1.2');
  });

  it('BEHIND_RUN: a demand of the agent that is at work here itself', async () => {
    await scene.given('working', 'BD-1');
    const running = await scene.claim('working');
    const deferred = `wakeups/${await scene.wake('working', 'BD-1')}`;
    const joined = `wakeups/${await scene.wake('working', 'BD-1')}`;
    expect(await scene.codes(deferred)).toEqual(['BEHIND_RUN']);
    expect(await scene.codes(joined)).toEqual(['COALESCED_INTO', 'BEHIND_RUN']);
    expect(await scene.codes('tasks/BD-1')).toEqual(['RUNNING', 'BEHIND_RUN']);
    await scene.carryOut(await scene.reason('tasks/BD-1', 'BEHIND_RUN'));
    expect(await scene.codes(deferred)).not.toContain('BEHIND_RUN');
    await scene.finish(running!, { outcome: 'cancelled' });
    expect((await scene.claim('working'))?.run).toBe('BD-1.2');
  });

  it('BEHIND_RUN: others of its agent that go before it', async () => {
    await scene.given('queueing', 'BQ-1');
    await scene.work('queueing', { outcome: 'succeeded' });
    await scene.claim('queueing');
    await scene.send('PUT', 'tasks/BQ-2', { title: 'BQ-2', assignee: 'queueing', priority: 'low' });
    await scene.send('PUT', 'tasks/BQ-3', { title: 'BQ-3', assignee: 'queueing', priority: 'critical' });
    await scene.send('PUT', 'tasks/BQ-4', { title: 'BQ-4', assignee: 'queueing', priority: 'high' });
    expect((await scene.reason('runs/BQ-2.1', 'BEHIND_RUN')).sentence).toBe('BQ-3.1 and 1 more of queueing come before it');
    expect((await scene.reason('runs/BQ-4.1', 'BEHIND_RUN')).clearedBy).toBe('the start of BQ-3.1');
    expect((await scene.claim('queueing'))?.run).toBe('BQ-3.1');
  });

  it('COALESCED_INTO: a demand leads to the run that carries it', async () => {
    await scene.given('joining', 'CO-1');
    const joined = `wakeups/${await scene.wake('joining', 'CO-1')}`;
    expect(await scene.codes(joined)).toEqual(['COALESCED_INTO', 'NO_WORKER']);
    expect((await scene.reason(joined, 'COALESCED_INTO')).sentence).toMatch(/^it joined the demand .*, which CO-1\.1 carries$/);
    await scene.work('joining', { outcome: 'succeeded' });
    expect(await scene.codes(joined)).toEqual(['COALESCED_INTO', 'DONE']);
  });

  it('SKIPPED: a demand that a gate refused, and why', async () => {
    await scene.given('skipper', 'SK-1');
    await scene.send('POST', 'tasks/SK-1/status', { status: 'done' });
    const skipped = `wakeups/${await scene.wake('skipper', 'SK-1')}`;
    const reason = await scene.reason(skipped, 'SKIPPED');
    expect(reason.sentence).toBe('nothing comes of it (issue_terminal_status): the task is closed');
    await scene.carryOut(reason);
    expect(await scene.codes('tasks/SK-1')).toEqual(['NO_WORKER']);
  });

  it('AGENT_CONCURRENCY: its slots are taken', async () => {
    await scene.given('single', 'AC-1', { maxConcurrentRuns: 1 });
    await scene.send('PUT', 'tasks/AC-2', { title: 'AC-2', assignee: 'single' });
    await scene.claim('single');
    const reason = await scene.expectClears('AGENT_CONCURRENCY', 'runs/AC-2.1', 'tasks/AC-2', await scene.demandOf('AC-2.1'));
    expect(reason).toMatchObject({ sentence: 'single is at AC-1.1, and takes 1 at a time' });
    expect((await scene.reason('runs/AC-2.1', 'NO_WORKER')).sentence).toBe(
      'no worker of single asks for more: single-host at AC-1.1',
    );
    expect((await scene.claim('single'))?.run).toBe('AC-2.1');
  });

  it('EXHAUSTED: the retries of its chain are used up', async () => {
    await scene.given('tired', 'EX-1', { retry: { delaysMs: [1_000] } });
    await scene.work('tired', rateLimited);
    await scene.carryOut(await scene.reason('tasks/EX-1', 'DUE_LATER'));
    await scene.work('tired', rateLimited);
    const places = ['runs/EX-1.2', 'tasks/EX-1', await scene.demandOf('EX-1.2')] as const;
    for (const place of places) expect(await scene.codes(place)).toEqual(['EXHAUSTED', 'BLOCKED_BY']);
    expect((await scene.reason('runs/EX-1.2', 'EXHAUSTED')).sentence).toContain('has used up its retries: 1 of 1');
    await scene.expectClears('EXHAUSTED', 'tasks/EX-1');
  });

  it('NON_RETRYABLE: what failed does not pass by itself', async () => {
    await scene.given('locked', 'NR-1');
    await scene.work('locked', forbidden);
    expect(await scene.codes('runs/NR-1.1')).toEqual(['DONE', 'READY']);
    await scene.work('locked', forbidden);
    for (const place of ['runs/NR-1.2', await scene.demandOf('NR-1.2')])
      expect(await scene.codes(place)).toEqual(['NON_RETRYABLE', 'BLOCKED_BY']);
    const reason = await scene.expectClears('NON_RETRYABLE', 'tasks/NR-1');
    expect(reason.sentence).toContain('NR-1.2 failed (adapter_failed, auth): 401 unauthorized');
    expect(await scene.codes('runs/NR-1.2')).toEqual(['DONE', 'DUE_LATER']);
  });

  it('SUPERSEDED: a person asked for it anew', async () => {
    await scene.given('patched', 'SU-1');
    await scene.work('patched', rateLimited);
    const demand = await scene.demandOf('SU-1.2');
    await scene.wake('patched', 'SU-1');
    expect(await scene.codes('runs/SU-1.2')).toEqual(['SUPERSEDED', 'READY']);
    expect(await scene.codes(demand)).toEqual(['READY']);
    expect((await scene.reason('runs/SU-1.2', 'SUPERSEDED')).sentence).toContain('SU-1.3 took its place');
  });

  it('DONE: it has succeeded, and nobody has asked for more', async () => {
    await scene.given('finisher', 'DO-1');
    const demand = await scene.demandOf('DO-1.1');
    await scene.work('finisher', { outcome: 'succeeded' });
    const reason = await scene.reason('tasks/DO-1', 'DONE');
    for (const place of ['runs/DO-1.1', demand]) expect(await scene.reason(place, 'DONE')).toEqual(reason);
    await scene.expectClears('DONE', 'tasks/DO-1');
  });

  it('UNASSIGNED and NOTHING_ASKED: a task on which nothing is open', async () => {
    await scene.send('PUT', 'agents/idle', { name: 'idle' });
    await scene.send('PUT', 'tasks/UN-1', { title: "nobody's" });
    expect(await scene.codes('tasks/UN-1')).toEqual(['UNASSIGNED']);
    await scene.send('PUT', 'tasks/UN-2', { title: 'for later', assignee: 'idle', status: 'backlog' });
    await scene.expectClears('NOTHING_ASKED', 'tasks/UN-2');
  });

  it('SHOULD_BE_RUNNING: nothing explains it, and the doctor counts it', async () => {
    await scene.given('wronged', 'SB-1');
    await scene.advance(15_000);
    // As if a worker had asked, and the ledger had not given it what it has.
    await scene.server.database.pool.query(
      `insert into workers (company, agent, worker_id, seen_at, asked_at) values ('acme', 'wronged', 'w', ledger_now(), ledger_now())`,
    );
    const places = ['runs/SB-1.1', 'tasks/SB-1', await scene.demandOf('SB-1.1')];
    const [check, ...found] = await Promise.all([doctored(), ...places.map((place) => scene.codes(place))]);
    expect(found).toEqual(places.map(() => ['SHOULD_BE_RUNNING']));
    expect(check).toEqual({ ok: false, sentence: '1 for 10 s without a reason; the first: SB-1.1 of acme' });
    await scene.claim('wronged');
    expect(await scene.codes('runs/SB-1.1')).toEqual(['RUNNING']);
    expect(await doctored()).toEqual({ ok: true, sentence: 'none' });
  });

  const doctored = async () => {
    const { checks } = await scene.send('GET', '/v1/doctor');
    const { ok, sentence } = Object.values(checks!).find(({ name }) => name === 'work that should be running')!;
    return { ok, sentence };
  };

  it.each(['runs/NONE-1.1', 'tasks/NONE-1', `wakeups/${randomUUID()}`])('has nothing to say of %s', async (path) => {
    const { status, body } = await scene.server.api('GET', `${path}/why`);
    expect(status).toBe(404);
    expect(body.code).toMatch(/_not_found$/);
  });
});

describe('why work does not go on where roles are missing', () => {
  let scene: Scene;

  beforeAll(async () => {
    scene = await Scene.at({ roles: ['api', 'projector'] });
  });
  afterAll(() => scene.server.stop());

  it('PROMOTER_STOPPED: a retry is due, and nobody queues it', async () => {
    await scene.given('due', 'PS-1');
    await scene.work('due', rateLimited);
    expect(await scene.codes('runs/PS-1.2')).toEqual(['DUE_LATER', 'PROMOTER_STOPPED']);
    expect((await scene.reason('runs/PS-1.2', 'PROMOTER_STOPPED')).action).toBe('ledger serve');
    await scene.advance(150_000);
    expect(await scene.codes('runs/PS-1.2')).toEqual(['PROMOTER_STOPPED']);
    await scene.expectClears('PROMOTER_STOPPED', 'runs/PS-1.2', 'tasks/PS-1', await scene.demandOf('PS-1.2'));
  });

  it('LEASE_LOST: its worker was not heard of for a whole lease, and nobody gives it up', async () => {
    await scene.given('silent', 'LL-1');
    const claimed = await scene.claim('silent');
    await scene.advance(30_001);
    const places = ['runs/LL-1.1', 'tasks/LL-1', await scene.demandOf('LL-1.1')] as const;
    for (const place of places)
      expect(await scene.reason(place, 'LEASE_LOST')).toMatchObject({ clearedBy: 'a server with the role reaper; none runs' });
    await scene.send('POST', 'runs/LL-1.1/beat', { lease: claimed!.lease });
    for (const place of places) expect(await scene.codes(place)).toEqual(['RUNNING']);
  });

  it('NO_WORKER: the one that was there has not been heard of for long', async () => {
    await scene.given('left', 'WL-1');
    await scene.work('left', { outcome: 'succeeded' });
    await scene.wake('left', 'WL-1');
    expect(await scene.codes('runs/WL-1.2')).toEqual(['READY']);
    await scene.advance(60_000);
    expect((await scene.reason('runs/WL-1.2', 'NO_WORKER')).sentence).toBe(
      'no worker of left is there; the last one was left-host',
    );
  });

  it('AGENT_TERMINATED: nobody has ended what it had to do yet', async () => {
    await scene.given('ended', 'TE-1');
    await scene.send('POST', 'agents/ended/terminate', { reason: 'replaced' });
    for (const place of ['runs/TE-1.1', 'tasks/TE-1', await scene.demandOf('TE-1.1')])
      expect(await scene.codes(place)).toEqual(['AGENT_TERMINATED', 'NO_WORKER']);
  });

  it('TASK_CLOSED: a run that was handed back is given up at its start', async () => {
    await scene.given('handing', 'HB-1');
    const claimed = await scene.claim('handing');
    await scene.send('POST', 'tasks/HB-1/status', { status: 'done' });
    await scene.finish(claimed!, { outcome: 'cancelled', intent: 'requeue' });
    expect((await scene.reason('runs/HB-1.2', 'TASK_CLOSED')).sentence).toBe('HB-1 is done: HB-1.2 is given up at its start');
    expect(await scene.claim('handing')).toBeUndefined();
    expect(await scene.codes('runs/HB-1.2')).toEqual(['SKIPPED']);
  });
});

it('PROJECTION_LAG: nobody folds what happens, and what is known is told all the same', async () => {
  const database = await freshDatabase();
  const before = await Scene.at({ roles: ['api', 'projector'], database });
  await before.given('unseen', 'PL-1');
  expect(await before.codes('runs/PL-1.1')).toEqual(['NO_WORKER']);
  await before.server.stop();
  const scene = await Scene.at({ roles: ['api'], database });
  await scene.send('PUT', 'tasks/PL-2', { title: 'PL-2', assignee: 'unseen' });
  const seen = await scene.why('runs/PL-1.1');
  expect(seen).toMatchObject({
    status: 'queued',
    reasons: expect.arrayContaining([
      expect.objectContaining({
        code: 'PROJECTION_LAG',
        action: 'ledger serve',
        sentence: expect.stringMatching(/^ready_runs is at \d+ of \d+$/),
      }),
    ]),
  });
  expect(new Set(seen.reasons.map(({ code }) => code))).toEqual(new Set(['PROJECTION_LAG', 'NO_WORKER']));
  for (const path of ['runs/PL-2.1', 'tasks/PL-2']) expect(new Set(await scene.codes(path))).toEqual(new Set(['PROJECTION_LAG']));
  const after = await Scene.at({ roles: ['api', 'projector'], database });
  for (const path of ['runs/PL-1.1', 'runs/PL-2.1', 'tasks/PL-2']) expect(await scene.codes(path)).toEqual(['NO_WORKER']);
  await after.server.stop();
  await scene.server.stop();
  await database.drop();
});

it('PROJECTION_LAG: a stream that a read model could not fold', async () => {
  const scene = await Scene.at({ roles: ['api', 'projector'] });
  await scene.given('folded', 'PF-1');
  await scene.codes('runs/PF-1.1');
  await scene.server.database.pool.query(
    `insert into parked_streams (read_model, stream, position, revision, event_id, error)
     select read_model, 'task-acme.PF-1', '0000000000000003', 2, 'e', 'no such column'
     from projection_versions
     where projection = 'ready_runs'`,
  );
  for (const place of ['runs/PF-1.1', 'tasks/PF-1', await scene.demandOf('PF-1.1')])
    expect((await scene.why(place)).reasons.map(({ sentence }) => sentence)).toEqual([
      'ready_runs could not fold task-acme.PF-1 at 3: no such column',
      'no worker of folded has been heard of yet',
    ]);
  await scene.server.stop();
});

it('answers on the command line what it answers over HTTP, whatever is asked about', async () => {
  const scene = await Scene.at({ roles: ['api', 'projector'] });
  await scene.given('asked', 'CLI-1');
  const demand = (await scene.demandOf('CLI-1.1')).replace('wakeups/', '');
  const answer = await scene.why('runs/CLI-1.1');
  for (const line of [
    'why CLI-1.1',
    'why CLI-1',
    `why ${demand.slice(0, 13)}`,
    'runs why CLI-1.1',
    `wakeups why ${demand.slice(0, 13)}`,
  ]) {
    const told = JSON.parse(await scene.told(line, 'json')) as Why;
    expect(told.reasons).toEqual(answer.reasons);
  }
  const table = await scene.told('why CLI-1.1', 'table');
  expect(table).toMatch(
    /^CLI-1\.1 is queued\nCODE +SINCE +CLEARS +WHY\nNO_WORKER +\S+ +a worker of asked +no worker of asked .* → ledger worker --agent/,
  );
  expect(await scene.exitOf('why CLI-404')).toBe(3);
  expect(await scene.exitOf('why CLI-1.404')).toBe(3);
  for (const neither of ['fefefefe', 'fefefefe-1']) expect(await scene.exitOf(`why ${neither}`)).toBe(3);
  await scene.server.stop();
});

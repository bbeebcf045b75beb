import { startServer, type TestServer } from '../server.js';

let server: TestServer;
const api: TestServer['api'] = (...request) => server.api(...request);
const ring = ['A', 'B', 'C', 'D', 'E'];

beforeAll(async () => {
  server = await startServer();
  for (const agent of ['coder', 'reviewer']) await api('PUT', `agents/${agent}`, {});
  for (const task of ring) await api('PUT', `tasks/${task}`, { title: task });
  for (const [at, task] of ring.slice(0, -1).entries())
    await api('POST', `tasks/${task}/blockers`, { blockedBy: [ring[at + 1]] });
  await api('PUT', 'tasks/WORK', { title: 'the export', assignee: 'coder' });
  await api('PUT', 'tasks/DONE', { title: 'the import', status: 'done' });
  await api('POST', 'agents/coder/claims', { workerId: 'laptop', requestId: 'first' });
});
afterAll(() => server.stop());

const byAgent = { 'x-actor': 'agent:reviewer' };

describe('what may not be is refused in a sentence, and nothing is half written:', () => {
  it.each<[string, number, string, RegExp, Parameters<TestServer['api']>]>([
    [
      'a cycle through five tasks',
      422,
      'blocker_cycle',
      /E waits for A, A for B, B for C, C for D, D for E; leave A out/,
      ['POST', 'tasks/E/blockers', { blockedBy: ['A'] }],
    ],
    ['a task that waits for itself', 422, 'blocker_cycle', /A waits for A/, ['POST', 'tasks/A/blockers', { blockedBy: ['A'] }]],
    [
      '501 blockers on one task',
      422,
      'too_many',
      /501 .* at most 500/,
      ['POST', 'tasks/E/blockers', { blockedBy: Array.from({ length: 501 }, (_, n) => `T-${n}`) }],
    ],
    ['a comment of 1 MiB', 413, 'too_large', /1 MiB/, ['POST', 'tasks/WORK/comments', { body: 'x'.repeat(1024 * 1024) }]],
    [
      'a comment that is too long',
      400,
      'malformed',
      /at most 65536/,
      ['POST', 'tasks/WORK/comments', { body: 'x'.repeat(65_537) }],
    ],
    [
      'mentions of unknown agents',
      404,
      'agent_not_found',
      /there is no agent ghost, shade; register it first/,
      ['POST', 'tasks/WORK/comments', { body: 'look', mentions: ['ghost', 'reviewer', 'shade'] }],
    ],
    [
      'an interruption by an agent (case 68)',
      403,
      'not_permitted',
      /a person may/,
      ['POST', 'tasks/WORK/comments', { body: 'stop', interrupt: true }, byAgent],
    ],
    [
      'a decision on a run that is not silent',
      409,
      'run_not_silent',
      /WORK\.1 has not been silent/,
      ['POST', 'runs/WORK.1/silence', { decision: 'dismiss', reason: 'fine' }],
    ],
    [
      'a decision of an agent on a silence',
      403,
      'not_permitted',
      /a person may/,
      ['POST', 'runs/WORK.1/silence', { decision: 'dismiss', reason: 'fine' }, byAgent],
    ],
    ['a hold on a closed task', 409, 'issue_terminal_status', /DONE is done/, ['POST', 'tasks/DONE/hold', { reason: 'wait' }]],
    ['a comment that is not there', 404, 'comment_not_found', /no comment c-1/, ['DELETE', 'tasks/WORK/comments/c-1']],
    [
      'a resumption of what still waits',
      409,
      'issue_dependencies_blocked',
      /A waits for B: close or remove these/,
      ['POST', 'tasks/A/comments', { body: 'go on', resume: true }],
    ],
  ])('%s', async (_, status, code, detail, request) => {
    const before = await server.ledger.store.head();
    expect(await api(...request)).toMatchObject({ status, body: { code, detail: expect.stringMatching(detail) } });
    expect(await server.ledger.store.head()).toBe(before);
  });
});

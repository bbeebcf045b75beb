import type { ReplayedEvent } from '../../src/projections/replay/replay-queries.js';
import { startServer, type Answer, type TestServer } from '../server.js';

let server: TestServer;
const api: TestServer['api'] = (...request) => server.api(...request);
const noon = Date.parse('2126-04-20T12:00:00.000Z');
const at = (minute: number) => new Date(noon + minute * 60_000).toISOString();
const goTo = (minute: number) => api('PUT', '/v1/clock', { now: at(minute), random: 0.5 });

/**
 * ACME-2, which ACME-3 waits for, is given to coder at 12:01, claimed at 12:02, handed back at 12:03 and closed at 12:05; coder is
 * paused at 13:00.
 */
beforeAll(async () => {
  server = await startServer({ clock: 'manual', roles: ['api', 'projector', 'policies'] });
  await goTo(0);
  await api('PUT', 'agents/coder', {});
  await api('PUT', 'tasks/ACME-2', { title: 'Mend the build' });
  await goTo(1);
  await api('POST', 'tasks/ACME-2/assign', { agent: 'coder' });
  await api('PUT', 'tasks/ACME-3', { title: 'Ship it', assignee: 'coder', blockedBy: ['ACME-2'] });
  await goTo(2);
  await api('POST', 'agents/coder/claims', { workerId: 'laptop', requestId: 'r1' });
  await goTo(3);
  await api('POST', 'agents/coder/pause', { reason: 'noisy', interrupt: true }, { 'x-actor': 'user:alice' });
  await until('tasks/ACME-2', 'RunCancelled');
  await goTo(4);
  await api('POST', 'agents/coder/resume', { reason: 'quiet' });
  await goTo(5);
  await api('POST', 'tasks/ACME-2/status', { status: 'done' });
  await until('tasks/ACME-3', 'BlockerResolved');
  await goTo(60);
  await api('POST', 'agents/coder/pause', { reason: 'night' });
});
afterAll(() => server.stop());

/** What policies do follows. */
async function until(path: string, type: string): Promise<void> {
  for (const deadline = Date.now() + 10_000; Date.now() < deadline;) {
    if (eventsIn(await api('GET', `${path}/replay`)).some((event) => event.type === type)) return;
    await new Promise((resume) => setTimeout(resume, 20));
  }
  throw new Error(`${path} has no ${type} after 10 s`);
}

const eventsIn = ({ body }: Answer) => (body.items ?? []) as unknown as ReplayedEvent[];
const told = async (path: string) => eventsIn(await api('GET', path));
const typesOf = (events: readonly ReplayedEvent[]) => events.map(({ type }) => type);
const only = (events: readonly ReplayedEvent[], type: string): ReplayedEvent => {
  const found = events.filter((event) => event.type === type);
  expect(found).toHaveLength(1);
  return found[0]!;
};

it('tells each event with who, what led to it, and what it changed', async () => {
  const events = await told('tasks/ACME-2/replay');
  expect(only(events, 'TaskAssigned')).toMatchObject({
    metadata: { actor: { type: 'user', id: 'local' } },
    cause: { kind: 'command', sentence: 'a command of user:local' },
    sentence: "ACME-2 is coder's from now on; it was nobody's",
    changes: [{ path: ['task', 'assignee'], from: null, to: 'coder' }],
  });
  const [queued] = events.filter(({ type }) => type === 'RunQueued');
  expect(queued).toMatchObject({
    cause: { kind: 'append', sentence: 'decided with TaskAssigned', event: { revision: 1 } },
    changes: [{ path: ['runs', 'ACME-2.1'], from: null, to: { status: 'queued', agent: 'coder' } }],
  });
  expect(only(events, 'RunStarted').changes).toContainEqual({
    path: ['runs', 'ACME-2.1', 'status'],
    from: 'queued',
    to: 'running',
  });
});

it('tells what held the agent meanwhile, in its place, and what it was a cause of', async () => {
  const events = await told('tasks/ACME-2/replay');
  const types = typesOf(events);
  expect(types.indexOf('AgentPaused')).toBe(types.indexOf('RunStarted') + 1);
  expect(only(events, 'AgentPaused')).toMatchObject({
    meanwhile: true,
    reason: 'noisy',
    cause: { sentence: 'a command of user:alice' },
    changes: [
      { path: ['agents', 'coder', 'status'], from: 'active', to: 'paused' },
      { path: ['agents', 'coder', 'reason'], from: null, to: 'noisy' },
    ],
  });
  // Two events let the policy look, the start of the run and the pause; whichever it was, it is named.
  const cause = events.find(({ sentence }) => sentence.startsWith('ACME-2.1 is handed back'))!.cause;
  expect(cause).toMatchObject({ kind: 'policy', command: 'InterruptRun' });
  expect(cause.sentence).toMatch(
    /^policy holds sent InterruptRun, because of (AgentPaused at position [1-9]\d*: coder is paused|RunStarted at position \d+: ACME-2\.1 is)/,
  );
});

it('tells what holds it now as well, as long as something on it waits', async () => {
  expect(typesOf(await told('tasks/ACME-3/replay')).at(-1)).toBe('AgentPaused');
  for (const path of ['tasks/ACME-2', 'runs/ACME-2.1'])
    expect(typesOf(await told(`${path}/replay?at=${at(4)}`)).at(-1)).toBe('AgentResumed');
  expect(typesOf(await told('tasks/ACME-2/replay')).filter((type) => type === 'AgentPaused')).toHaveLength(1);
});

it('names the event of another task that a policy has followed', async () => {
  const closed = only(await told('tasks/ACME-2/replay'), 'TaskStatusChanged');
  expect(only(await told('tasks/ACME-3/replay'), 'BlockerResolved').cause).toEqual({
    kind: 'policy',
    command: 'ObserveBlockers',
    sentence: `policy blockers sent ObserveBlockers, because of TaskStatusChanged at position ${Number(closed.position)}: ACME-2 goes from todo to done`,
    event: { type: closed.type, stream: closed.stream, revision: closed.revision, position: closed.position },
  });
});

it('ends with the state as it was then', async () => {
  const { body, headers } = await api('GET', `tasks/ACME-2/replay?at=${at(2)}`);
  expect(body.state).toMatchObject({ task: { status: 'todo', assignee: 'coder' }, runs: { 'ACME-2.1': { status: 'running' } } });
  expect(eventsIn({ body } as Answer).at(-1)?.position).toBe(headers.get('ledger-position'));
  expect((await api('GET', 'tasks/ACME-2/replay')).body.state).toMatchObject({
    task: { status: 'done' },
    runs: { 'ACME-2.1': { status: 'cancelled' } },
  });
});

it('tells of a run what concerns it', async () => {
  const events = await told('runs/ACME-2.1/replay');
  expect(typesOf(events)).not.toContain('TaskAssigned');
  expect(typesOf(events).slice(0, 4)).toEqual(['WakeupRequested', 'RunQueued', 'RunStarted', 'AgentPaused']);
  const { body } = await api('GET', `runs/ACME-2.1/replay?at=${at(2)}`);
  expect(body.state).toMatchObject({ runs: { 'ACME-2.1': { status: 'running', workerId: 'laptop' } } });
  expect(Object.keys(body.state!)).toEqual(['runs']);
});

it('has the same story in pages', async () => {
  const { body } = await api('GET', 'tasks/ACME-2/replay');
  const events: ReplayedEvent[] = [];
  let last: Answer | undefined;
  for (let next = '', page = 0; page === 0 || next; page++) {
    last = await api('GET', `tasks/ACME-2/replay?limit=3${next && `&cursor=${next}`}`);
    expect(eventsIn(last).length).toBeLessThanOrEqual(3);
    events.push(...eventsIn(last));
    next = last.body.next ?? '';
    expect(last.body.state === undefined).toBe(next !== '');
  }
  expect(events).toEqual(body.items);
  expect(last?.body.state).toEqual(body.state);
});

it.each([
  ['tasks/ACME-404/replay', 404, 'task_not_found', 'there is no task ACME-404'],
  ['runs/ACME-2.404/replay', 404, 'run_not_found', 'there is no run ACME-2.404'],
  ['tasks/ACME-2/replay?at=yesterday', 400, 'malformed', 'at is "yesterday": give a time such as 2026-04-20T12:00:00Z'],
  ['tasks/ACME-2/replay?at=2126-02-30T12:00:00Z', 400, 'malformed', 'on a day that exists'],
  ['tasks/ACME-2/replay?at=', 400, 'malformed', 'or a position that'],
  ['tasks/ACME-2/replay?at=9999', 400, 'malformed', /^at is 9999: the head of the ledger is [1-9]\d; give/],
  ['tasks/ACME-2/replay?at=2127-01-01T00:00:00Z', 400, 'malformed', 'and it is 2126-04-20T13:00:00.000Z now'],
  [
    'tasks/ACME-2/replay?at=2001-01-01T00:00:00Z',
    404,
    'not_yet',
    'there was no task ACME-2 before the first event of the ledger: it',
  ],
  ['tasks/ACME-2/replay?at=1', 404, 'not_yet', `it came into being at ${at(0)}, position 2; ask for that or later`],
  [`runs/ACME-2.1/replay?at=${at(0)}`, 404, 'not_yet', 'there was no run ACME-2.1 at position'],
  ['tasks/ACME-2/replay?cursor=rubbish', 400, 'malformed', 'is not one of this list'],
])('%s is %d %s, and says why', async (path, status, code, words) => {
  const { body } = await api('GET', path);
  expect(body).toMatchObject({ status, code });
  expect(body.detail).toMatch(words);
});

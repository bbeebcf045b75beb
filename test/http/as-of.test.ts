import type { Recorded } from '../../src/events/event.js';
import { startServer, type Answer, type TestServer } from '../server.js';

let server: TestServer;
const api: TestServer['api'] = (...request) => server.api(...request);
const noon = Date.parse('2126-04-20T12:00:00.000Z');
const at = (minute: number) => new Date(noon + minute * 60_000).toISOString();
/** What happens from now on happens then. */
const goTo = (minute: number) => api('PUT', '/v1/clock', { now: at(minute), random: 0.5 });

let wakeup: string;
let events: readonly Recorded[];

/** ACME-1 is opened at 12:01 and held, with ACME-2 below it, at 12:03; a run of ACME-2 waits from 12:02, starts at 12:05, fails at 12:06. */
beforeAll(async () => {
  server = await startServer({ clock: 'manual' });
  await goTo(0);
  await api('PUT', 'agents/coder', { policy: { retry: { delaysMs: [120_000], jitterRatio: 0 } } });
  await goTo(1);
  await api('PUT', 'tasks/ACME-1', { title: 'Ship it' });
  await goTo(2);
  const { body } = await api('PUT', 'tasks/ACME-2', { title: 'Mend the build', assignee: 'coder', parent: 'ACME-1' });
  wakeup = body.wakeups![0]!;
  await goTo(3);
  await api('POST', 'tasks/ACME-1/hold', { reason: 'no', subtree: true });
  await goTo(4);
  await api('POST', 'tasks/ACME-1/release', { reason: 'yes' });
  await goTo(5);
  const claimed = await api('POST', 'agents/coder/claims', { workerId: 'w', requestId: 'r1' });
  const { lease } = claimed.body.runs![0]!;
  await goTo(6);
  await api('POST', 'tasks/ACME-2/comments', { body: 'how far?', author: { type: 'user', id: 'alice' } });
  const finish = { lease: lease!.token, outcome: 'failed', error: '503 overloaded', errorFamily: 'transient_upstream' };
  await api('POST', 'runs/ACME-2.1/finish', finish);
  await goTo(60);
  events = (await api('GET', '/v1/events?limit=1000')).body.items as unknown as Recorded[];
});
afterAll(() => server.stop());

/** As the read models show it when they have come to the end. */
const live = (path: string) => api('GET', path, undefined, { 'ledger-min-position': events.at(-1)!.position });
const positionOf = (type: string): string => events.find((event) => event.type === type)!.position;
const ids = ({ body }: Answer) => Object.values(body.items!).map(({ id, status }) => `${id} ${status}`);

it('answers what a run was at a time', async () => {
  const shown = async (minute: number) => (await api('GET', `runs/ACME-2.1?asOf=${at(minute)}`)).body;
  expect([await shown(2), await shown(3), await shown(4)].map(({ status, held }) => [status, held])).toEqual([
    ['queued', undefined],
    ['queued', true],
    ['queued', undefined],
  ]);
  expect(await shown(5)).toMatchObject({ status: 'running', worker: 'w', startedAt: at(5) });
  expect(await shown(6)).toEqual((await live('runs/ACME-2.1')).body);
});

it('says which position it shows, and has no ETag, as nothing can be decided on what is past', async () => {
  const { headers } = await api('GET', `runs/ACME-2.1?asOf=${at(5)}`);
  expect(headers.get('ledger-position')).toBe(positionOf('RunStarted'));
  expect(headers.get('etag')).toBeNull();
});

it('takes a position with its leading zeros and without', async () => {
  const position = positionOf('RunStarted');
  const { body } = await api('GET', `runs/ACME-2.1?asOfPosition=${position}`);
  expect(body).toMatchObject({ status: 'running' });
  expect((await api('GET', `runs/ACME-2.1?asOfPosition=${Number(position)}`)).body).toEqual(body);
  expect((await api('GET', `runs/ACME-2.1?asOfPosition=${Number(position) - 1}`)).body).toMatchObject({ status: 'queued' });
});

it('answers what a task, a demand and the comments were', async () => {
  expect((await api('GET', `tasks/ACME-1?asOf=${at(3)}`)).body).toMatchObject({ held: { reason: 'no', subtree: true } });
  expect((await api('GET', `tasks/ACME-2?asOf=${at(5)}`)).body).toMatchObject({ running: 'ACME-2.1', openRuns: 1 });
  expect((await api('GET', `wakeups/${wakeup}?asOf=${at(3)}`)).body).toMatchObject({ status: 'queued', held: true });
  expect((await api('GET', `wakeups/${wakeup.toUpperCase()}?asOf=${at(5)}`)).body).toMatchObject({ status: 'claimed' });
  expect((await api('GET', `tasks/ACME-2/comments?asOf=${at(5)}`)).body).toEqual({ items: [] });
  expect((await api('GET', `tasks/ACME-2/comments?asOf=${at(6)}`)).body.items).toMatchObject([{ body: 'how far?' }]);
});

it('lists the runs and the demands of one task, filtered and paged as ever', async () => {
  expect(ids(await api('GET', `runs?task=ACME-2&asOf=${at(1)}`))).toEqual([]);
  expect(ids(await api('GET', `runs?task=ACME-2&asOf=${at(5)}`))).toEqual(['ACME-2.1 running']);
  expect(ids(await api('GET', `runs?chain=ACME-2.1&asOf=${at(5)}`))).toEqual(['ACME-2.1 running']);
  expect(ids(await api('GET', `runs?task=ACME-2&status=queued&asOf=${at(5)}`))).toEqual([]);
  const first = await api('GET', `runs?task=ACME-2&limit=1&asOf=${at(6)}`);
  const second = await api('GET', `runs?task=ACME-2&limit=1&asOf=${at(6)}&cursor=${first.body.next}`);
  expect([...ids(first), ...ids(second)]).toEqual(ids(await live('runs?task=ACME-2')));
  expect(second.body.next).toBeUndefined();
  expect(ids(await api('GET', `wakeups?task=ACME-2&asOf=${at(2)}`))).toEqual([`${wakeup} queued`]);
  expect(ids(await api('GET', `wakeups?task=ACME-2&asOf=${at(6)}`))).toEqual(ids(await live('wakeups?task=ACME-2')));
});

it.each([
  ['runs/ACME-2.1', 'run ACME-2.1', 'RunQueued'],
  ['tasks/ACME-2/comments', 'task ACME-2', 'TaskOpened'],
  ['tasks/ACME-2', 'task ACME-2', 'TaskOpened'],
])('says of %s when it came into being, where that was later', async (path, thing, type) => {
  const { position, recordedAt } = events.findLast((event) => event.type === type && event.revision < 4)!;
  const then = Number(position) - 1;
  const { status, body } = await api('GET', `${path}?asOfPosition=${then}`);
  expect(status).toBe(404);
  expect(body).toMatchObject({
    code: 'not_yet',
    detail:
      `there was no ${thing} at position ${then}: ` +
      `it came into being at ${recordedAt}, position ${Number(position)}; ask for that or later`,
  });
});

it('says so of a time before the ledger as well, and of a demand', async () => {
  const { status, body } = await api('GET', `wakeups/${wakeup}?asOf=2001-01-01T00:00:00Z`);
  expect(status).toBe(404);
  expect(body.detail).toContain(`there was no wakeup ${wakeup} before the first event of the ledger: it came into being at`);
});

it('does not know what never was', async () => {
  expect((await api('GET', `runs/ACME-404.1?asOf=${at(5)}`)).body).toMatchObject({ status: 404, code: 'run_not_found' });
  expect((await api('GET', `tasks/ACME-404?asOf=${at(5)}`)).body).toMatchObject({ status: 404, code: 'task_not_found' });
  const unknown = '0192f0c1-7a3b-5c4d-8e5f-60718293a4b5';
  expect((await api('GET', `wakeups/${unknown}?asOf=${at(5)}`)).body).toMatchObject({ status: 404, code: 'wakeup_not_found' });
});

describe('refuses, and says what would do', () => {
  const refused = async (path: string, field: string, words: string, headers = {}) => {
    const { body } = await api('GET', path, undefined, headers);
    expect({ path, status: body.status, code: body.code }).toEqual({ path, status: 400, code: 'malformed' });
    expect(body.errors).toMatchObject([{ field }]);
    expect(body.detail).toContain(words);
  };

  it('a position after the head', async () => {
    const head = events.at(-1)!.position;
    await refused(
      'runs/ACME-2.1?asOfPosition=9999',
      'asOfPosition',
      `asOfPosition is 9999: the head of the ledger is ${Number(head)};`,
    );
  });

  it('a time that has not come', () =>
    refused(`tasks/ACME-2?asOf=${at(61)}`, 'asOf', `asOf is ${at(61)}, and it is ${at(60)} now`));

  it.each(['yesterday', '2126-02-30T00:00:00Z', '2126-04-20', '', '42'])('the time "%s"', (time) =>
    refused(`tasks/ACME-2?asOf=${time}`, 'asOf', 'give a time such as'),
  );

  it.each(['-1', 'x', '', '1e3', '123456789012345678901'])('the position "%s"', (position) =>
    refused(`tasks/ACME-2?asOfPosition=${position}`, 'asOfPosition', 'give a position that'),
  );

  it('a time and a position at once', () => refused(`runs/ACME-2.1?asOf=${at(5)}&asOfPosition=3`, 'asOfPosition', 'both given'));

  it('to wait for what is past', () =>
    refused(`runs/ACME-2.1?asOf=${at(5)}`, 'Ledger-Min-Position', 'leave the header out', {
      'ledger-min-position': positionOf('RunStarted'),
    }));

  it.each([
    ['runs', 'run_status'],
    ['runs?task=ACME-1&task=ACME-2', 'run_status'],
    ['wakeups?agent=coder', 'wakeup_requests'],
  ])('%s, a list over more than one task', (path, projection) =>
    refused(
      `${path}${path.includes('?') ? '&' : '?'}asOf=${at(5)}`,
      'task',
      `ledger projections build ${projection} --as-of <time> --into <schema>`,
    ),
  );

  it.each(['rubbish', Buffer.from('["runs","yesterday-ish","x"]').toString('base64url')])('the cursor %s', (cursor) =>
    refused(`runs?task=ACME-2&asOf=${at(5)}&cursor=${cursor}`, 'cursor', 'is not one of this list'),
  );
});

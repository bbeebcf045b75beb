import { connect } from 'node:net';
import { startServer, type Answer, type TestServer } from '../server.js';

let server: TestServer;
const api: TestServer['api'] = (...request) => server.api(...request);

beforeAll(async () => {
  server = await startServer();
  await api('PUT', 'agents/coder', {});
});
afterAll(() => server.stop());

const head = () => server.ledger.store.head();

async function refused(status: number, request: Parameters<TestServer['api']>, field?: string): Promise<void> {
  const before = await head();
  const answer = await api(...request);
  expect({ request, status: answer.status }).toEqual({ request, status });
  expect(answer.headers.get('content-type')).toContain('application/problem+json');
  expect(fieldsIn(answer)).toEqual(expect.arrayContaining(field ? [field] : []));
  expect(await head()).toBe(before);
  expect((await api('GET', '/healthz')).status).toBe(200);
}

const fieldsIn = ({ body }: Answer): string[] => Object.values(body.errors ?? {}).map(({ field }) => field);

describe('a body', () => {
  it.each([
    ['broken JSON', '{"title":', 'body'],
    ['a list', '[]', 'body'],
    ['null', 'null', 'body'],
    ['a number', '7', 'body'],
    ['a NUL in a field', '{"title":"a\\u0000b"}', 'title'],
    ['a lone surrogate', '{"title":"a\\ud800b"}', 'title'],
    ['an unknown field', '{"title":"x","colour":"red"}', 'colour'],
    ['__proto__', '{"title":"x","__proto__":{"assignee":"coder"}}', '__proto__'],
    ['a field that the path names', '{"title":"x","task":"B-2"}', 'task'],
    ['another type', '{"title":7}', 'title'],
    ['no title', '{}', 'title'],
    ['null for what may be left out', '{"title":"x","status":null}', 'status'],
    ['a status that there is not', '{"title":"x","status":"gone"}', 'status'],
  ])('with %s is 400 and names the field', (_, body, field) => refused(400, ['PUT', 'tasks/B-1', body], field));

  it.each(['9007199254740993', '1e400', '-9007199254740993', '123456789012345678901234567890'])(
    'with the number %s, which JavaScript cannot keep, is 400',
    (number) => refused(400, ['POST', 'wakeups', `{"agent":"coder","payload":{"deep":[{"n":${number}}]}}`], 'payload.deep.0.n'),
  );

  it('takes numbers that JavaScript keeps', async () => {
    const { status } = await api('POST', 'wakeups', '{"agent":"coder","payload":{"n":9007199254740991,"m":1.5e-3}}');
    expect(status).toBe(202);
  });

  it('that is not UTF-8 is 400', async () => {
    const body = Buffer.from('{"title":"\xff"}', 'latin1');
    const response = await fetch(`${server.url}/v1/companies/acme/tasks/B-1`, {
      method: 'PUT',
      body,
      headers: { 'content-type': 'application/json' },
    });
    expect(response.status).toBe(400);
  });

  it('of another type is 415', () =>
    refused(415, ['PUT', 'tasks/B-1', 'title=x', { 'content-type': 'application/x-www-form-urlencoded' }]));

  it('of more than 1 MiB is 413', () => refused(413, ['PUT', 'tasks/B-1', { title: 'x'.repeat(1024 * 1024) }]));

  it('may be missing where no field is needed', async () => {
    expect((await api('POST', 'retries/promote-due')).status).toBe(200);
  });

  it('leaves prototypes alone', async () => {
    await api(
      'POST',
      'wakeups',
      '{"agent":"coder","payload":{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}}',
    );
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });
});

describe('a path', () => {
  it.each([
    ['PUT', 'tasks/-leading', 'task'],
    ['PUT', `tasks/${'x'.repeat(65)}`, 'task'],
    ['PUT', `tasks/${'x'.repeat(300)}`, 'task'],
    ['PUT', 'tasks/a%00b', 'task'],
    ['PUT', '/v1/companies/a%20b/tasks/B-1', 'company'],
    ['GET', 'runs/ACME-1', 'run'],
    ['GET', 'runs/ACME-1.0', 'run'],
    ['GET', 'wakeups/7', 'wakeup'],
    ['GET', 'agents/a.b', 'agent'],
  ])('%s %s with a malformed name is 400', (method, path, field) =>
    refused(400, [method, path, method === 'PUT' ? { title: 'x' } : undefined], field),
  );

  it('with a broken escape is 400', () => refused(400, ['GET', 'tasks/%E0%A4%A']));

  it.each([
    ['GET', 'agents/nobody', 'agent_not_found'],
    ['GET', 'tasks/NONE-1', 'task_not_found'],
    ['GET', 'runs/NONE-1.1', 'run_not_found'],
    ['GET', 'wakeups/0192f0c1-7a3b-7c4d-8e5f-60718293a4b5', 'wakeup_not_found'],
    ['GET', 'tasks/NONE-1/comments', 'task_not_found'],
    ['GET', 'runs/NONE-1.1/silence', 'not_found'],
    ['DELETE', 'tasks/NONE-1/comments/c-1', 'task_not_found'],
    ['POST', 'tasks/NONE-1/hold', 'task_not_found'],
    ['GET', '/v1/clock', 'not_found'],
    ['DELETE', 'tasks/NONE-1', 'not_found'],
  ])('%s %s, where nothing is, is 404', async (method, path, code) => {
    expect(await api(method, path)).toMatchObject({ status: 404, body: { code } });
  });
});

describe('a query', () => {
  it.each([
    ['runs?cursor=abc', 'cursor'],
    [`runs?cursor=${Buffer.from('["wakeups","x","y"]').toString('base64url')}`, 'cursor'],
    [`runs?cursor=${Buffer.from('["runs","2026-02-31T00:00:00Z","y"]').toString('base64url')}`, 'cursor'],
    [`events?cursor=${Buffer.from('["events","12"]').toString('base64url')}`, 'cursor'],
    [`tasks/B-1/events?cursor=${Buffer.from('["task-acme.B-1","x"]').toString('base64url')}`, 'cursor'],
    ['events?after=12x', 'after'],
    ['events?stream=task-other.B-1', 'stream'],
    ['events?stream=nonsense', 'stream'],
    ['runs?status=gone', 'status'],
    ['runs?status=failed&status=gone', 'status'],
    ['runs?colour=red', 'colour'],
    ['runs?agent=a%00', 'agent'],
    ['runs?q=%00', 'q'],
    ['activity?actor=a%20b', 'actor'],
  ])('%s is 400 and names the parameter', (path, field) => refused(400, ['GET', path], field));

  it('of a claim must say a number of seconds', () =>
    refused(400, ['POST', 'agents/coder/claims?wait=soon', { workerId: 'w', requestId: 'r' }], 'wait'));

  it('with a limit that cannot be read takes the default', async () => {
    expect((await api('GET', 'runs?limit=many')).status).toBe(200);
  });
});

describe('a header', () => {
  it.each([
    ['if-match', '3', 'If-Match'],
    ['if-match', '*', 'If-Match'],
    ['x-actor', 'alice', 'X-Actor'],
    ['x-actor', 'robot:alice', 'X-Actor'],
    ['idempotency-key', 'x'.repeat(256), 'Idempotency-Key'],
    ['idempotency-key', 'schl\u00fcssel', 'Idempotency-Key'],
  ])('%s: %s is 400', (name, value, field) => refused(400, ['PUT', 'tasks/B-1', { title: 'x' }, { [name]: value }], field));

  it('that makes a request conditional is refused where there is no one revision', async () => {
    const conditional = { 'if-match': '"3"' };
    await refused(400, ['POST', 'agents/coder/claims', { workerId: 'w', requestId: 'r' }, conditional], 'If-Match');
    await refused(400, ['POST', 'retries/promote-due', {}, conditional], 'If-Match');
  });

  it('with a position that this store never gave is 400', () =>
    refused(400, ['GET', 'runs', undefined, { 'ledger-min-position': 'yesterday' }], 'Ledger-Min-Position'));

  it('with a position that is not reached in time is 503, to be tried again', async () => {
    const { status, headers, body } = await api('GET', 'runs', undefined, { 'ledger-min-position': '9'.repeat(16) });
    expect({ status, code: body.code, retryable: body.retryable }).toEqual({
      status: 503,
      code: 'projection_behind',
      retryable: true,
    });
    expect(headers.get('retry-after')).toBe('1');
  });
});

describe('a page of another site', () => {
  it('is refused by its Origin', () =>
    refused(403, ['POST', 'agents/coder/pause', undefined, { origin: 'http://evil.example' }]));
  it('is refused also from another port of this machine', () =>
    refused(403, ['POST', 'agents/coder/pause', undefined, { origin: 'http://localhost:3000' }]));
  it('is refused without an origin of its own', () =>
    refused(403, ['POST', 'agents/coder/pause', undefined, { origin: 'null' }]));

  it('is refused under a name that only points here', async () => {
    const port = new URL(server.url).port;
    expect(await overSocket(`GET /v1/events HTTP/1.1\r\nHost: evil.example:${port}\r\nConnection: close\r\n\r\n`)).toContain(
      'host_refused',
    );
    expect(await overSocket(`GET /healthz HTTP/1.1\r\nHost: localhost:${port}\r\nConnection: close\r\n\r\n`)).toContain('200 OK');
  });

  it('of this server itself is not refused', async () => {
    expect((await api('GET', '/healthz', undefined, { origin: server.url })).status).toBe(200);
  });
});

it('survives what is no HTTP', async () => {
  const answer = await overSocket('BREAK / NOTHING\r\n\r\n');
  expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n.*application\/problem\+json/s);
  expect(JSON.parse(answer.slice(answer.indexOf('{')))).toMatchObject({ code: 'malformed', errors: [{ field: 'request' }] });
  expect((await api('GET', '/healthz')).status).toBe(200);
});

function overSocket(text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1', () => socket.write(text));
    socket.on('data', (data) => (answer += data.toString()));
    socket.on('close', () => resolve(answer));
    socket.on('error', reject);
  });
}

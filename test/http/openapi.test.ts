import { rejectedCodes } from '../../src/commands/decider.js';
import { controllers } from '../../src/http/controllers.js';
import { describeRoutes } from '../../src/http/openapi.js';
import { answeredCodes } from '../../src/http/problem.js';
import { routesOf } from '../../src/http/routes.js';
import { startServer, type TestServer } from '../server.js';

let server: TestServer;
beforeAll(async () => (server = await startServer()));
afterAll(() => server.stop());

const document = describeRoutes(controllers);

it('describes every route in OpenAPI 3.1, over HTTP as in here', async () => {
  const { status, body } = await server.api('GET', '/openapi.json');
  expect(status).toBe(200);
  expect(body.openapi).toBe('3.1.0');
  expect(body).toEqual(JSON.parse(JSON.stringify(document)));
  const routes = controllers.flatMap(routesOf).map(({ method, path }) => `${method} ${path}`);
  const described = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method} ${path}`),
  );
  expect(described.toSorted()).toEqual(routes.toSorted());
});

it('points only to what is in it', () => {
  const text = JSON.stringify(document);
  for (const [, section, name] of text.matchAll(/"#\/components\/(\w+)\/(\w+)"/g))
    expect(document.components[section!]).toHaveProperty(name!);
});

it('has an example of every code that a problem can have', () => {
  const told = rejectedCodes.filter((code) => !['lane_busy', 'run_not_queued', 'task_held', 'company_held'].includes(code));
  expect(Object.keys(document.components.examples!)).toEqual([...answeredCodes.keys()]);
  expect([...answeredCodes.keys()]).toEqual(expect.arrayContaining(told));
});

it('names for each route only the headers that it heeds, and the codes that follow from them', () => {
  const route = (path: string) => JSON.stringify(document.paths[`/v1/companies/{company}/${path}`]!.post);
  for (const named of ['IdempotencyKey', 'IfMatch', 'revision_mismatch']) {
    expect(route('runs/{run}/cancel')).toContain(named);
    expect(route('agents/{agent}/claims')).not.toContain(named);
    expect(route('runs/{run}/beat')).not.toContain(named);
  }
  expect(route('retries/promote-due')).toContain('IdempotencyKey');
  expect(route('retries/promote-due')).not.toContain('IfMatch');
});

it('shows for each command a body that is accepted as far as its form goes', async () => {
  const bodies = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { requestBody }]) => ({ path, method, requestBody })),
  );
  for (const { path, method, requestBody } of bodies) {
    if (!requestBody) continue;
    const { content } = requestBody as { content: { 'application/json': { example: object } } };
    const concrete = path.replaceAll(/\{(\w+)\}/g, (_, part: string) => examplesOfParts[part] ?? part);
    const answer = await server.api(method.toUpperCase(), concrete, content['application/json'].example);
    expect({ path, method, errors: answer.body.errors }).toEqual({ path, method, errors: undefined });
  }
});

const examplesOfParts: Readonly<Record<string, string>> = {
  company: 'acme',
  agent: 'coder',
  task: 'ACME-12',
  run: 'ACME-12.3',
  wakeup: '0192f0c1-7a3b-5c4d-8e5f-60718293a4b5',
  projection: 'run_status',
  stream: 'task-acme.ACME-12',
  schema: 'audit_2026_04',
  reaction: '0192f0c1-7a3b-5c4d-8e5f-60718293a4b5',
};

it('is a page for people that fetches nothing', async () => {
  const { status, headers, body } = await server.api('GET', '/docs');
  expect(status).toBe(200);
  expect(headers.get('content-type')).toContain('text/html');
  expect(headers.get('content-security-policy')).toContain("default-src 'none'");
  expect(body).toContain('/v1/companies/{company}/runs/{run}/finish');
  expect(body).toContain('stale_lease');
  expect(body).not.toMatch(/<script|<link|<img|src=|@import|https?:/);
});

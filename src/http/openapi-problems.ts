import { commandHeaders } from './documented.js';
import { answeredCodes } from './problem.js';
import type { Route } from './routes.js';

type Schema = Readonly<Record<string, unknown>>;

/** A response for every status that the route may refuse with, and in it an example of every code. */
export function problemResponses(route: Route): Record<string, Schema> {
  const codes = codesOf(route);
  const responses: Record<string, Schema> = {};
  for (const [code, [status, title]] of answeredCodes) {
    if (!codes.includes(code)) continue;
    const before = responses[status] as { examples: Schema } | undefined;
    const examples = { ...before?.examples, [code]: { $ref: `#/components/examples/${code}` } };
    responses[status] = { description: title, examples };
  }
  return Object.fromEntries(
    Object.entries(responses).map(([status, { description, examples }]) => [status, problem(description, examples)]),
  );
}

const problem = (description: unknown, examples: unknown): Schema => ({
  description,
  content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' }, examples } },
});

/** An example of every code that there is. */
export function problemExamples(): Record<string, Schema> {
  const entries = [...answeredCodes].map(([code, [status, title]]) => {
    const value = {
      type: `/docs#${code}`,
      title,
      status,
      detail: `${title}: …`,
      code,
      instance: '/v1/…',
      retryable: status === 503 || status === 429,
    };
    return [code, { summary: title, value }] as const;
  });
  return Object.fromEntries(entries);
}

const always = ['malformed', 'host_refused', 'origin_refused', 'rate_limited', 'internal', 'store_unavailable', 'shutting_down'];
const ofBodies = ['request_timeout', 'too_large', 'unsupported_media_type'];
/** Whatever sends a command heeds who acts. */
const ofHeaders: Readonly<Partial<Record<string, readonly string[]>>> = {
  IdempotencyKey: ['idempotency_key_reused'],
  IfMatch: ['revision_mismatch'],
  Actor: ['data_refused', 'contention', 'outcome_unknown', 'projection_behind', 'store_sealed'],
};

/** What a route may refuse. */
function codesOf({ method, path, headers = commandHeaders, refuses = [] }: Route): string[] {
  const isRead = method === 'get';
  if (path.startsWith('/v1/clock')) return [...always, 'not_found', ...(isRead ? [] : [...ofBodies, 'clock_goes_back'])];
  if (isRead)
    return [
      ...always,
      ...refuses,
      ...(path.startsWith('/v1/companies') && !path.endsWith('/stream') ? ['projection_behind'] : []),
    ];
  return [...always, ...refuses, ...ofBodies, ...headers.flatMap((header) => ofHeaders[header] ?? [])];
}

import { Rejected, type Dispatched } from '../commands/decider.js';
import type { Answered } from '../idempotency-keys.js';
import { instanceOf, type Exchange } from './call.js';
import { problemOf } from './problem.js';

export interface Showing<Answer> {
  /** default 200 */
  readonly status?: (answer: Answer) => number;
  /** what the client is shown; default the whole answer */
  readonly show?: (answer: Answer) => unknown;
}

/** The answer to a command, with the headers that all of them have. */
export function answered<Answer>(
  { answer, position, revision }: Dispatched<Answer>,
  { status, show }: Showing<Answer> = {},
): Answered {
  return {
    status: status?.(answer) ?? 200,
    headers: {
      'content-type': 'application/json; charset=utf-8',
      // What wrote nothing in an empty ledger has no position, and a batch no revision.
      ...(position !== '' && { 'ledger-position': position }),
      ...(revision !== undefined && revision >= 0 && { etag: etag(revision) }),
    },
    body: JSON.stringify(show ? show(answer) : answer),
  };
}

export function refused(error: Rejected, { request }: Exchange): Answered {
  const problem = problemOf(error, instanceOf(request));
  return { status: problem.status, headers: { 'content-type': problemType }, body: JSON.stringify(problem) };
}

export const problemType = 'application/problem+json; charset=utf-8';

export const etag = (revision: number): string => `"${revision}"`;

/** Sets status and headers; what it answers is to be sent as the body. */
export function write({ reply }: Exchange, { status, headers, body }: Answered, replayed: boolean): string {
  void reply.status(status).headers(headers);
  if (replayed) void reply.header('idempotent-replayed', 'true');
  return body;
}

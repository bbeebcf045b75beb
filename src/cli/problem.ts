import { unfitDefinitions, unfitValues } from '../commands/routines/refusals.js';

/** What the ledger answers instead of a result: RFC 9457, as this client reads it. */
export interface ProblemBody {
  readonly title?: string;
  readonly detail?: string;
  readonly code?: string;
  readonly retryable?: boolean;
  readonly errors?: readonly { readonly field: string; readonly message: string }[];
}

/** The server answered, and not with what was asked for. The message is a sentence for people. */
export class Problem extends Error {
  override readonly name = 'Problem';
  constructor(
    readonly status: number,
    readonly body: ProblemBody,
    /** as the server asked for it, in ms */
    readonly retryAfterMs?: number,
  ) {
    super(sentence(status, body));
  }

  get code(): string {
    return this.body.code ?? '';
  }

  /** The same request, with the same key, may do later. */
  get retryable(): boolean {
    return this.body.retryable ?? [429, 502, 503, 504].includes(this.status);
  }
}

/** No answer at all: whether the server got the request is unknown unless `refused`. */
export class Unanswered extends Error {
  override readonly name = 'Unanswered';
  constructor(
    message: string,
    /** nobody listens there: the request was not delivered */
    readonly refused: boolean,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The command line cannot be used as it is. */
export class Usage extends Error {
  override readonly name = 'Usage';
}

/** Found something, and it is not good: said already, only the exit code is left. */
export class Ended extends Error {
  override readonly name = 'Ended';
  constructor(readonly exitCode: ExitCode) {
    super('');
  }
}

export const exitCodes = { ok: 0, failure: 1, usage: 2, notFound: 3, conflict: 4, refused: 5, drift: 7, tryAgain: 75 } as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof Ended) return error.exitCode;
  if (error instanceof Usage) return exitCodes.usage;
  if (error instanceof Unanswered) return exitCodes.tryAgain;
  if (error instanceof Problem) return exitCodeOfProblem(error);
  return exitCodes.failure;
}

/** What was written on the command line, or in a file that it names, cannot be so. */
const mistyped: readonly string[] = [...unfitDefinitions, ...unfitValues];
const conflicts = ['stale_lease', 'revision_mismatch', 'rebuild_under_way', 'parked_elsewhere'];

function exitCodeOfProblem({ status, code, retryable }: Problem): ExitCode {
  if (retryable) return exitCodes.tryAgain;
  if (status === 404) return exitCodes.notFound;
  if (mistyped.includes(code)) return exitCodes.usage;
  if (status === 412 || status === 422 || conflicts.includes(code)) return exitCodes.conflict;
  if (status === 401 || status === 403 || status === 409) return exitCodes.refused;
  if (status === 400 || status === 413) return exitCodes.usage;
  return exitCodes.failure;
}

/** A field's own sentence is often the whole detail already. */
function sentence(status: number, { title, detail, errors = [] }: ProblemBody): string {
  const more = errors.filter(({ message }) => !detail?.includes(message)).map(({ field, message }) => `${field}: ${message}`);
  return [detail ?? title ?? `the server answered ${status} without a word`, ...more].join('\n  ');
}

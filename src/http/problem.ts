import { HttpException } from '@nestjs/common';
import { Contention, OutcomeUnknown, Rejected, rejectedCodes, type RejectedCode } from '../commands/decider.js';
import { InvalidCommand, type FieldError } from '../commands/dispatch.js';
import { StoreSealed, StoreUnavailable } from '../event-store/event-store.js';
import { isOutage } from '../database.js';
import { ClockGoesBack } from '../manual-clock.js';
import { NotYet } from '../projections/as-of/not-yet.js';
import { InvalidCursor } from '../projections/paging.js';
import { ReadModelUnknown } from '../projections/read-models.js';
import { ProjectionBehind } from '../projections/projector/progress.js';
import { SecretsLocked } from '../webhooks/secret-key.js';

/** RFC 9457, as every route answers when it does not do what was asked. */
export interface Problem {
  /** where the code is described */
  readonly type: string;
  readonly title: string;
  readonly status: number;
  /** what is so, with the value, and what would do */
  readonly detail: string;
  readonly code: ProblemCode;
  /** the path that was asked */
  readonly instance: string;
  /** the same request, with the same key, may do later */
  readonly retryable: boolean;
  readonly errors?: readonly FieldError[];
  /** the id of the wakeup that records the refusal */
  readonly wakeup?: string;
  /** the id of the fire that records it */
  readonly fire?: string;
}

export type ProblemCode = RejectedCode | keyof typeof ownProblems;

/** A request that the doors refuse before, or without, a decision. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  constructor(
    readonly code: keyof typeof ownProblems,
    message: string,
    readonly errors?: readonly FieldError[],
  ) {
    super(message);
  }
}

/** `field` names what is wrong with the request: a field of its body, a parameter of its query, or a header. */
export const malformed = (field: string, message: string): Refusal => new Refusal('malformed', message, [{ field, message }]);

/** What the doors themselves answer, beside the refusals of commands: status and title by code. */
const ownProblems = {
  malformed: [400, 'The request is not of its form'],
  not_authenticated: [401, 'It is not known who asks'],
  host_refused: [403, 'The request is for another host'],
  origin_refused: [403, 'The request comes from another site'],
  not_found: [404, 'There is nothing at this address'],
  no_such_position: [404, 'The log has no such position'],
  not_yet: [404, 'It had not come into being yet'],
  request_timeout: [408, 'The request did not come in time'],
  clock_goes_back: [409, 'Time goes forward only'],
  webhook_replayed: [409, 'The signed request came before'],
  not_sealed: [409, 'The event is in no sealed range yet'],
  not_as_sealed: [409, 'The log is not as it was sealed'],
  too_large: [413, 'The request is too large'],
  unsupported_media_type: [415, 'The body is not JSON'],
  idempotency_key_reused: [422, 'The key was used for another request'],
  rate_limited: [429, 'Too many requests'],
  internal: [500, 'The ledger failed'],
  projection_behind: [503, 'The read model is behind'],
  read_model_unknown: [503, 'This server cannot ask the read model'],
  secrets_locked: [503, 'The secrets cannot be opened'],
  contention: [503, 'Too many writers at once'],
  outcome_unknown: [503, 'It is not known whether it was done'],
  too_many_streams: [503, 'Too many clients follow the log'],
  store_unavailable: [503, 'The store is out of reach'],
  store_sealed: [503, 'The log is closed for writes'],
  shutting_down: [503, 'The server shuts down'],
} as const satisfies Record<string, readonly [status: number, title: string]>;

/** The refusals of commands that are not answered 409. */
const rejectedStatus: Partial<Record<RejectedCode, number>> = {
  agent_not_found: 404,
  task_not_found: 404,
  run_not_found: 404,
  wakeup_not_found: 404,
  comment_not_found: 404,
  rebuild_not_found: 404,
  projection_not_found: 404,
  parked_stream_not_found: 404,
  parked_reaction_not_found: 404,
  as_of_schema_not_found: 404,
  routine_not_found: 404,
  fire_not_found: 404,
  trigger_not_found: 404,
  not_permitted: 403,
  revision_mismatch: 412,
  data_refused: 422,
  blocker_cycle: 422,
  parent_cycle: 422,
  too_many: 422,
  agent_required: 422,
  routine_name_reserved: 422,
  triggers_invalid: 422,
  window_invalid: 422,
  cron_invalid: 422,
  cron_never_fires: 422,
  zone_unknown: 422,
  template_invalid: 422,
  variables_invalid: 422,
  variables_unknown: 422,
  variables_missing: 422,
  variable_invalid: 422,
  title_too_long: 422,
  description_too_long: 422,
  fingerprint_path_invalid: 422,
};

/** Every code that a problem can have, with its status and title. */
const problemCodes: ReadonlyMap<string, readonly [status: number, title: string]> = new Map([
  ...rejectedCodes.map((code) => [code, [rejectedStatus[code] ?? 409, titleOf(code)]] as const),
  ...Object.entries(ownProblems),
]);

/** The refusals to start a run: a claim, which alone starts runs, takes them for an answer. */
const neverAnswered: readonly string[] = ['lane_busy', 'run_not_queued', 'task_held', 'company_held'] satisfies RejectedCode[];
/** Those that a client can meet. */
export const answeredCodes: typeof problemCodes = new Map([...problemCodes].filter(([code]) => !neverAnswered.includes(code)));

/** Turns whatever was thrown into what the client is told of it; of a fault of ours that is nothing. */
export function problemOf(error: unknown, instance: string): Problem {
  const { code, detail, ...more } = told(error);
  const [status, title] = problemCodes.get(code)!;
  return { type: `/docs#${code}`, title, status, detail, code, instance, retryable: status === 503 || status === 429, ...more };
}

type Told = Pick<Problem, 'code' | 'detail' | 'errors' | 'wakeup' | 'fire'>;

function told(error: unknown): Told {
  if (error instanceof Rejected)
    return {
      code: error.code,
      detail: error.message,
      ...(error.wakeupId && { wakeup: error.wakeupId }),
      ...(error.fire && { fire: error.fire }),
    };
  if (error instanceof Refusal) return { code: error.code, detail: error.message, ...(error.errors && { errors: error.errors }) };
  if (error instanceof InvalidCommand) return { code: 'malformed', detail: error.message, errors: error.errors };
  if (error instanceof InvalidCursor)
    return { code: 'malformed', detail: error.message, errors: [{ field: 'cursor', message: error.message }] };
  if (error instanceof HttpException) return toldByStatus(error.getStatus(), error.message);
  const code = codeOfFault(error);
  return code === 'internal'
    ? { code, detail: 'the ledger failed at this; its log says why' }
    : { code, detail: messageOf(error) };
}

function codeOfFault(error: unknown): keyof typeof ownProblems {
  if (error instanceof NotYet) return 'not_yet';
  if (error instanceof ProjectionBehind) return 'projection_behind';
  if (error instanceof ReadModelUnknown) return 'read_model_unknown';
  if (error instanceof SecretsLocked) return 'secrets_locked';
  if (error instanceof Contention) return 'contention';
  if (error instanceof OutcomeUnknown) return 'outcome_unknown';
  if (error instanceof StoreSealed) return 'store_sealed';
  if (error instanceof StoreUnavailable || isOutage(error)) return 'store_unavailable';
  if (error instanceof ClockGoesBack) return 'clock_goes_back';
  return 'internal';
}

/** What the framework refuses by itself. */
function toldByStatus(status: number, message: string): Told {
  const [code] = Object.entries(ownProblems).find(([, [of]]) => of === status) ?? ['malformed'];
  const remedy = remedies[status];
  return { code: code as keyof typeof ownProblems, detail: remedy ? `${message}: ${remedy}` : message };
}

const remedies: Readonly<Record<number, string>> = {
  404: 'GET /openapi.json lists what there is',
  413: 'a body may have 1 MiB',
  415: 'send application/json',
};

function titleOf(code: string): string {
  const words = code.replaceAll('_', ' ');
  return words[0]!.toUpperCase() + words.slice(1);
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

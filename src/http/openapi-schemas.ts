import { answerExamples, type AnswerName } from './answer-examples.js';
import { answeredCodes } from './problem.js';

type Schema = Readonly<Record<string, unknown>>;

export const schemaName = (answer: AnswerName): string => `${answer}Answer`;

/** Of the classes that requests fill, of all answers, and of a problem. */
export function schemasOf(classes: Readonly<Record<string, object>>): Record<string, unknown> {
  const answers = Object.entries(answerExamples).map(([name, example]) => [schemaName(name as AnswerName), schemaOf(example)]);
  const Problem = {
    ...schemaOf({
      type: '',
      title: '',
      status: 400,
      detail: '',
      instance: '',
      retryable: false,
      errors: [{ field: '', message: '' }],
      wakeup: '',
      fire: '',
    }),
    required: ['type', 'title', 'status', 'detail', 'code', 'instance', 'retryable'],
  };
  const code = { enum: [...answeredCodes.keys()] };
  return { ...classes, ...Object.fromEntries(answers), Problem: { ...Problem, properties: { ...Problem.properties, code } } };
}

/** The shape of an example; what it has may be missing in an answer. */
function schemaOf(example: unknown): Schema & { readonly properties?: Schema } {
  if (Array.isArray(example)) return { type: 'array', items: schemaOf(example[0]) };
  if (typeof example !== 'object' || example === null)
    return { type: typeof example === 'number' && Number.isInteger(example) ? 'integer' : typeof example };
  const properties = Object.fromEntries(Object.entries(example).map(([name, value]) => [name, free[name] ?? schemaOf(value)]));
  return { type: 'object', properties };
}

/** Fields of answers that hold more than an example can show. */
const free: Readonly<Record<string, Schema>> = {
  payload: { type: 'object' },
  state: { type: 'object' },
  changes: {
    type: 'array',
    items: { type: 'object', properties: { path: { type: 'array', items: { type: 'string' } }, from: {}, to: {} } },
  },
};

/** Fields of requests by name: what an example of them holds. */
export const fieldExamples: Schema = {
  company: 'acme',
  agent: 'coder',
  assignee: 'coder',
  task: 'ACME-12',
  run: 'ACME-12.3',
  chain: 'ACME-12.3',
  blockedBy: ['ACME-9'],
  comment: 'c-1',
  decision: 'continue',
  wakeup: answerExamples.Wakeup.id,
  routine: 'nightly',
  trigger: 'webhook',
  fire: 'nightly@3',
  triggers: [{ id: 'schedule', kind: 'schedule', cron: '0 9 * * *', zone: 'Europe/Berlin' }],
  count: 10,
  name: 'Acme Inc.',
  title: 'Mend the build',
  reason: 'asked for',
  workerId: 'build-host-1',
  requestId: 'build-host-1-7',
  lease: answerExamples.ClaimedRuns.runs[0]!.lease.token,
  outcome: 'succeeded',
  status: 'done',
  host: 'build-host',
  pid: 4711,
  startedAt: answerExamples.Clock.now,
  now: answerExamples.Clock.now,
  at: answerExamples.Clock.now,
  asOf: answerExamples.Clock.now,
  asOfPosition: '0000000000000042',
  types: 'RunFailed',
  stream: 'task-acme.ACME-12',
  after: '0000000000000042',
  projection: 'run_status',
  readModel: 'run_status_v1',
  rebuild: 'run_status_v2',
  reaction: answerExamples.Wakeup.id,
  schema: 'audit_2026_04',
  in: 'audit_2026_04',
  version: 1,
  limit: 50,
  policy: { delaysMs: [60_000, 300_000] },
};

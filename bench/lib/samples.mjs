import { randomUUID } from 'node:crypto';

const tag = `${process.pid.toString(36)}-${Date.now().toString(36)}`;
let count = 0;

/** A stream that nobody has written to. */
export const newStream = () => `task-bench.B-${tag}-${++count}`;

/** An event of about 460 bytes, with its metadata: the size of a scheduled retry. */
export const sampleEvent = () => ({
  id: randomUUID(),
  schema: 1,
  type: 'RetryScheduled',
  data: {
    runId: `BENCH-${++count}.2`,
    retryOf: `BENCH-${count}.1`,
    agent: 'worker',
    attempt: count % 5,
    reason: 'transient_failure',
    dueAt: '2026-04-20T12:02:00.000Z',
    error: { code: 'upstream_overload', family: 'transient_upstream' },
    usage: { inputTokens: 12_345 + count, outputTokens: 678 },
    context: { source: 'automation' },
  },
});

export const sampleMetadata = () => {
  const commandId = randomUUID();
  return { actor: { type: 'user', id: 'operator' }, commandId, causationId: commandId, correlationId: 'BENCH-1.1' };
};

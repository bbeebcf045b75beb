import { randomUUID } from 'node:crypto';
import type { NewEvent } from '../../src/events/event.js';
import type { Write } from '../../src/event-store/event-store.js';
import { metadata } from '../event-store/contract.js';

export const largeBytes = 50_000;

/** Several of these are more than what the system keeps for a socket that nobody reads. */
export function large(count: number): Write {
  const commented = (): NewEvent => ({
    id: randomUUID(),
    type: 'CommentAdded',
    schema: 1,
    data: { task: 'T-1', commentId: 'c', author: metadata.actor, body: 'a'.repeat(largeBytes), mentions: [], wakeupIds: [] },
  });
  return {
    stream: 'task-acme.T-1',
    expectedRevision: 'any',
    events: Array.from({ length: count }, commented),
    metadata,
  };
}

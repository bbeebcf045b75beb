import {
  beginning,
  taskOfRun,
  taskStream,
  type Position,
  type Recorded,
  type RunId,
  type StreamId,
  type TaskId,
  type WakeupId,
} from '../../events/event.js';
import type { LedgerEvent } from '../../events/ledger-event.js';
import { positionInWords } from '../../events/positions.js';
import type { EventStore } from '../../event-store/event-store.js';

/** What was asked for as of a position came into being after it. */
export class NotYet extends Error {
  override readonly name = 'NotYet';
  constructor(thing: string, asked: Position, { position, recordedAt }: Pick<Recorded, 'position' | 'recordedAt'>) {
    const then = asked === beginning ? 'before the first event of the ledger' : `at position ${positionInWords(asked)}`;
    super(
      `there was no ${thing} ${then}: it came into being at ${recordedAt}, position ${positionInWords(position)}; ask for that or later`,
    );
  }
}

/** Something on the stream of a task, and how the event is known that it began with. */
export interface Thing {
  /** as a sentence calls it: "run ACME-12.3" */
  readonly name: string;
  readonly stream: StreamId;
  readonly isBegunBy: (event: Recorded<LedgerEvent>) => boolean;
}

export const taskThing = (company: string, task: TaskId): Thing => ({
  name: `task ${task}`,
  stream: taskStream(company, task),
  isBegunBy: () => true,
});

export const runThing = (company: string, run: RunId): Thing => ({
  name: `run ${run}`,
  stream: taskStream(company, taskOfRun(run)),
  isBegunBy: (event) => (event.type === 'RunQueued' || event.type === 'RetryScheduled') && event.data.runId === run,
});

export const wakeupThing = (company: string, task: TaskId, wakeup: WakeupId): Thing => ({
  name: `wakeup ${wakeup}`,
  stream: taskStream(company, task),
  isBegunBy: (event) => event.type === 'WakeupRequested' && event.data.wakeupId === wakeup,
});

/** Most begin early: a task with its first event. */
const pageSizes = { first: 1, most: 1_000 };

/** The event that a thing began with; undefined if it never did. */
export async function beginningOf(store: EventStore, { stream, isBegunBy }: Thing): Promise<Recorded<LedgerEvent> | undefined> {
  for (let from = 0, limit = pageSizes.first; ; from += limit, limit = Math.min(limit * 10, pageSizes.most)) {
    const events = await store.readStream<LedgerEvent>(stream, { from, limit });
    const first = events.find(isBegunBy);
    if (first || events.length < limit) return first;
  }
}

/** Of a thing that was not there at a position. @throws NotYet if it came later */
export async function refuseEarly(store: EventStore, thing: Thing, asked: Position): Promise<void> {
  const first = await beginningOf(store, thing);
  if (first) throw new NotYet(thing.name, asked, first);
}

import type { JsonObject, RunId, WakeupId } from '../events/event.js';
import { amend, create, projection, type Change, type Fact } from './projection.js';

export const wakeupStatuses = [
  'queued',
  'coalesced',
  'deferred',
  'skipped',
  'cancelled',
  'claimed',
  'completed',
  'failed',
] as const;
export type WakeupStatus = (typeof wakeupStatuses)[number];

/** One demand, and what became of it. One that joined another shares the other's fate, which the query looks up. */
export interface WakeupRow {
  readonly company: string;
  readonly wakeup_id: WakeupId;
  readonly agent: string;
  readonly task: string;
  readonly source: string;
  readonly trigger: string;
  readonly reason: string;
  readonly payload: JsonObject;
  readonly comment_ids: readonly string[];
  readonly status: WakeupStatus;
  readonly code: string | null;
  readonly run: RunId | null;
  readonly coalesced_into: WakeupId | null;
  /** how many joined this one */
  readonly coalesced_count: number;
  /** `user:alice` */
  readonly requested_by: string;
  readonly requested_at: string;
  readonly claimed_at: string | null;
  readonly finished_at: string | null;
}

export const wakeupRequests = projection<WakeupRow>({
  name: 'wakeup_requests',
  version: 1,
  key: ['company', 'wakeup_id'],
  keyedBy: 'stream',
  on: {
    WakeupRequested: (event) => create([event.company, event.data.wakeupId], requested(event)),
    WakeupCoalesced: ({ company, data: { wakeupId, into } }) => [
      became(company, wakeupId, { status: 'coalesced', coalesced_into: into }),
      amend([company, into], (lead) => ({ ...lead, coalesced_count: lead.coalesced_count + 1 })),
    ],
    WakeupDeferred: ({ company, data }) => became(company, data.wakeupId, { status: 'deferred', coalesced_into: null }),
    WakeupSkipped: ({ company, data }) =>
      became(company, data.wakeupId, { status: 'skipped', code: data.code, finished_at: data.skippedAt }),
    WakeupCancelled: ({ company, data }) =>
      became(company, data.wakeupId, { status: 'cancelled', code: data.code, finished_at: data.cancelledAt }),
    CommentRemoved: ({ company, data: { wakeupIds, commentId } }) =>
      wakeupIds.map((id) =>
        amend([company, id], (wakeup) => ({ ...wakeup, comment_ids: wakeup.comment_ids.filter((known) => known !== commentId) })),
      ),
    RunQueued: (event) => carried(event),
    RetryScheduled: (event) => carried(event),
    RunStarted: (event) => each(event, { status: 'claimed', claimed_at: event.data.startedAt }),
    RunSucceeded: (event) => each(event, { status: 'completed', finished_at: event.data.finishedAt }),
    RunFailed: (event) => each(event, { status: 'failed', finished_at: event.data.finishedAt }),
    RunTimedOut: (event) => each(event, { status: 'failed', finished_at: event.data.finishedAt }),
    RunCancelled: (event) => {
      const { wakeups, code, cancelledAt } = event.data;
      // What passes on is carried by the run that is queued in the same append.
      return wakeups === 'passed' ? [] : each(event, { status: wakeups, code, finished_at: cancelledAt });
    },
  },
});

function requested({ company, subject, metadata: { actor }, data }: Fact<'WakeupRequested'>): WakeupRow {
  const { wakeupId, agent, source, trigger, reason, payload, requestedAt } = data;
  return {
    company,
    wakeup_id: wakeupId,
    agent,
    task: subject,
    source,
    trigger,
    reason,
    payload,
    comment_ids: commentsIn(payload),
    status: 'queued',
    code: null,
    run: null,
    coalesced_into: null,
    coalesced_count: 0,
    requested_by: `${actor.type}:${actor.id}`,
    requested_at: requestedAt,
    claimed_at: null,
    finished_at: null,
  };
}

function commentsIn({ commentId, commentIds }: JsonObject): string[] {
  const ids = Array.isArray(commentIds) ? commentIds : [commentId];
  return ids.filter((id) => typeof id === 'string');
}

const became = (company: string, wakeupId: WakeupId, change: Partial<WakeupRow>): Change<WakeupRow> =>
  amend([company, wakeupId], (wakeup) => ({ ...wakeup, ...change }));

type Carrying = Fact<
  'RunQueued' | 'RetryScheduled' | 'RunStarted' | 'RunSucceeded' | 'RunFailed' | 'RunTimedOut' | 'RunCancelled'
>;

const each = ({ company, data }: Carrying, change: Partial<WakeupRow>): Change<WakeupRow>[] =>
  data.wakeupIds.map((wakeupId) => became(company, wakeupId, change));

const carried = (event: Fact<'RunQueued' | 'RetryScheduled'>): Change<WakeupRow>[] =>
  each(event, { status: 'queued', run: event.data.runId, coalesced_into: null, claimed_at: null });

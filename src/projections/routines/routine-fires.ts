import type { RoutineId, RunId, TaskId, WakeupId } from '../../events/event.js';
import type { FireConcluded, FireEvent, FireId, FireSource, TriggerId } from '../../events/routine.js';
import { amend, create, projection, type Change, type Fact } from '../projection.js';

/** `caught_up`: no fire, but slots that are not fired, as one. */
export const fireOutcomes = ['pending', 'created', 'coalesced', 'skipped', 'suppressed', 'failed', 'caught_up'] as const;
export type FireOutcome = (typeof fireOutcomes)[number];

/** A fire of a routine, and what has come of it; or slots that are not fired. */
export interface FireRow {
  readonly company: string;
  readonly routine: RoutineId;
  readonly fire: FireId;
  /** place among the routine's fires */
  readonly n: number;
  readonly trigger: TriggerId | null;
  readonly source: FireSource;
  /** of a schedule: when it was due; of slots that are not fired, the first */
  readonly slot: string | null;
  readonly fired_at: string;
  readonly outcome: FireOutcome;
  /** null: it has no outcome yet */
  readonly settled_at: string | null;
  readonly code: string | null;
  readonly reason: string | null;
  /** where it has led to; of a pending one, where it is on its way to */
  readonly task: TaskId | null;
  readonly run: RunId | null;
  readonly wakeup: WakeupId | null;
  /** the fire that opened the task which it has joined */
  readonly coalesced_into: FireId | null;
  readonly fingerprint: string | null;
  /** of slots that are not fired: how many, and the last of them */
  readonly count: number | null;
  readonly last_slot: string | null;
  /** how the task ended that it has opened */
  readonly concluded: Conclusion | null;
}

export interface Conclusion {
  readonly outcome: FireConcluded['data']['outcome'];
  readonly status: FireConcluded['data']['status'];
  readonly at: string;
  readonly reason?: string;
}

export const routineFires = projection<FireRow>({
  name: 'routine_fires',
  version: 1,
  key: ['company', 'routine', 'fire'],
  keyedBy: 'stream',
  on: {
    RoutineFired: (event) => create(fireOf(event), fired(event)),
    SlotsMissed: (event) => create(fireOf(event), missed(event)),
    FireRedirected: (event) => moved(event, { task: event.data.order.task }),
    FireCreated: (event) => {
      const { task, run, wakeupId, createdAt } = event.data;
      return moved(event, { outcome: 'created', settled_at: createdAt, task, run, wakeup: wakeupId });
    },
    FireCoalesced: (event) => {
      const { task, run, wakeupId, into, coalescedAt } = event.data;
      const joined = { task, run, wakeup: wakeupId, coalesced_into: into };
      return moved(event, { outcome: 'coalesced', settled_at: coalescedAt, ...joined });
    },
    FireSkipped: (event) => {
      const { task, code, skippedAt } = event.data;
      return moved(event, { outcome: 'skipped', settled_at: skippedAt, task, code });
    },
    FireSuppressed: (event) => {
      const { code, reason, suppressedAt } = event.data;
      return moved(event, { outcome: 'suppressed', settled_at: suppressedAt, code, reason });
    },
    FireFailed: (event) => {
      const { task, code, reason, failedAt } = event.data;
      return moved(event, { outcome: 'failed', settled_at: failedAt, task, code, reason });
    },
    FireConcluded: (event) => {
      const { outcome, status, reason, concludedAt: at } = event.data;
      return moved(event, { concluded: { outcome, status, at, ...(reason !== null && { reason }) } });
    },
    FireReopened: (event) => moved(event, { concluded: null }),
  },
});

type OfFire = Fact<FireEvent['type']>;

const fireOf = ({ company, subject, data }: OfFire) => [company, subject, data.fire];

const moved = (event: OfFire, change: Partial<FireRow>): Change<FireRow> =>
  amend(fireOf(event), (row) => ({ ...row, ...change }));

const fired = ({ company, subject, data }: Fact<'RoutineFired'>): FireRow => ({
  company,
  routine: subject,
  fire: data.fire,
  n: data.n,
  trigger: data.trigger,
  source: data.source,
  slot: data.slot,
  fired_at: data.firedAt,
  ...unsettled,
  task: data.order?.task ?? null,
  fingerprint: data.fingerprint,
});

const unsettled = {
  outcome: 'pending',
  settled_at: null,
  code: null,
  reason: null,
  task: null,
  run: null,
  wakeup: null,
  coalesced_into: null,
  fingerprint: null,
  count: null,
  last_slot: null,
  concluded: null,
} as const;

const missed = ({ company, subject, data }: Fact<'SlotsMissed'>): FireRow => ({
  company,
  routine: subject,
  fire: data.fire,
  n: data.n,
  trigger: data.trigger,
  source: 'schedule',
  slot: data.first,
  fired_at: data.missedAt,
  ...unsettled,
  outcome: 'caught_up',
  settled_at: data.missedAt,
  code: data.code,
  count: data.count,
  last_slot: data.last,
});

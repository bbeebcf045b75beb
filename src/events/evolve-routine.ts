import type { Stream, TaskId } from './event.js';
import type { FireId, FireTask, PendingFire, Routine, RoutineDefinition, RoutineEvent, Trigger, TriggerId } from './routine.js';

/** A routine that was never defined is `undefined`. */
export const routines: Stream<Routine | undefined, RoutineEvent> = { initial: undefined, evolve: evolveRoutine };

function evolveRoutine(known: Routine | undefined, event: RoutineEvent): Routine | undefined {
  switch (event.type) {
    case 'RoutineDefined':
      return defined(event.data);
    default:
      return known && evolveDefined(known, event);
  }
}

const defined = ({ routine, definedAt, ...definition }: RoutineDefinition & { routine: string; definedAt: string }): Routine => ({
  ...definition,
  routine,
  status: 'active',
  reason: null,
  since: definedAt,
  fires: 0,
  pending: [],
  tasks: [],
});

function evolveDefined(known: Routine, event: Exclude<RoutineEvent, { type: 'RoutineDefined' }>): Routine {
  switch (event.type) {
    case 'RoutineChanged': {
      const { routine: _, changedAt: __, ...definition } = event.data;
      return { ...known, ...definition };
    }
    case 'RoutinePaused':
      return { ...known, status: 'paused', reason: event.data.reason, since: event.data.pausedAt };
    case 'RoutineResumed':
      return { ...known, status: 'active', reason: null, since: event.data.resumedAt };
    case 'RoutineArchived':
      return { ...known, status: 'archived', reason: event.data.reason, since: event.data.archivedAt };
    case 'TriggerSecretRotated':
      return known;
    case 'RoutineFired': {
      const { fire, n, trigger, source, nextSlot, fingerprint, order } = event.data;
      const triggers = source === 'schedule' ? slotPassed(known.triggers, trigger, nextSlot) : known.triggers;
      const counted = { ...known, triggers, fires: n };
      return order === null || fingerprint === null ? counted : ordered(counted, { ...order, fire, fingerprint });
    }
    case 'SlotsMissed':
      return { ...known, triggers: slotPassed(known.triggers, event.data.trigger, event.data.nextSlot), fires: event.data.n };
    case 'FireRedirected': {
      const pending = known.pending.find(({ fire }) => fire === event.data.fire);
      return pending ? ordered(settled(known, pending.fire), { ...pending, ...event.data.order }) : known;
    }
    case 'FireCreated':
    case 'FireCoalesced':
    case 'FireFailed':
    case 'FireSkipped':
    case 'FireSuppressed':
      return settled(known, event.data.fire);
    case 'FireConcluded':
      return taskMoved(known, event.data.task, event.data.status === 'blocked');
    case 'FireReopened':
      return taskMoved(known, event.data.task, true);
  }
}

/** The triggers of a routine, of which one schedule goes on to its next slot. */
export const slotPassed = (triggers: readonly Trigger[], id: TriggerId | null, nextSlot: string | null): Trigger[] =>
  triggers.map((one) => (one.id === id && one.kind === 'schedule' ? { ...one, nextSlot } : one));

/** What comes next with this fingerprint joins it, even before its task was opened. */
const ordered = (known: Routine, order: PendingFire): Routine => ({
  ...known,
  pending: [...known.pending, order],
  tasks: withTask(known.tasks, order),
});

const settled = (known: Routine, fire: FireId): Routine => ({
  ...known,
  pending: known.pending.filter((one) => one.fire !== fire),
});

const keptTasks = 500;

/** What was used last is the last: a fingerprint that is there already is put behind all others. */
const withTask = (known: readonly FireTask[], { fingerprint, task }: PendingFire): FireTask[] =>
  kept([...known.filter((one) => one.fingerprint !== fingerprint), { fingerprint, task, open: true }]);

/** What is closed is forgotten first: the same work would open another task all the same. */
function kept(tasks: readonly FireTask[]): FireTask[] {
  if (tasks.length <= keptTasks) return [...tasks];
  const forgotten = tasks.find(({ open }) => !open) ?? tasks[0];
  return tasks.filter((one) => one !== forgotten);
}

const taskMoved = (known: Routine, task: TaskId, open: boolean): Routine => ({
  ...known,
  tasks: known.tasks.map((one) => (one.task === task ? { ...one, open } : one)),
});

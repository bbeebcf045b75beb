import type { Stream } from './event.js';
import type { FireOrder, Routine, RoutineDefinition, RoutineEvent, Trigger, TriggerId } from './routine.js';

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
  pending: {},
  tasks: {},
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
      const moved = source === 'schedule' && trigger !== null ? slotPassed(known, trigger, nextSlot) : known;
      const counted = { ...moved, fires: n };
      return order === null || fingerprint === null ? counted : ordered(counted, fire, { ...order, fingerprint });
    }
    case 'SlotsMissed':
      return { ...slotPassed(known, event.data.trigger, event.data.nextSlot), fires: event.data.n };
    case 'FireRedirected': {
      const pending = known.pending[event.data.fire];
      return pending ? ordered(known, event.data.fire, { ...pending, ...event.data.order }) : known;
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

const slotPassed = (known: Routine, trigger: TriggerId, nextSlot: string | null): Routine => ({
  ...known,
  triggers: known.triggers.map((one): Trigger => (one.id === trigger && one.kind === 'schedule' ? { ...one, nextSlot } : one)),
});

type Ordered = FireOrder & { readonly fingerprint: string };

/** What comes next with this fingerprint joins it, even before its task was opened. */
const ordered = (known: Routine, fire: string, order: Ordered): Routine =>
  withTask({ ...known, pending: { ...known.pending, [fire]: order } }, order);

function settled(known: Routine, fire: string): Routine {
  const { [fire]: _, ...pending } = known.pending;
  return { ...known, pending };
}

const keptTasks = 500;

/** What was used last is the last: a fingerprint that is there already is put behind all others. */
function withTask(known: Routine, { fingerprint, task }: Ordered): Routine {
  const { [fingerprint]: _, ...others } = known.tasks;
  const kept = Object.entries({ ...others, [fingerprint]: { task, open: true } }).slice(-keptTasks);
  return { ...known, tasks: Object.fromEntries(kept) };
}

function taskMoved(known: Routine, task: string, open: boolean): Routine {
  const fingerprint = Object.keys(known.tasks).find((one) => known.tasks[one]?.task === task);
  return fingerprint === undefined ? known : { ...known, tasks: { ...known.tasks, [fingerprint]: { task, open } } };
}

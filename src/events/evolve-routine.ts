import type { Stream } from './event.js';
import type { FireOrder, Routine, RoutineDefinition, RoutineEvent, Trigger, TriggerId } from './routine.js';

/** A routine that was never defined is `undefined`. */
export const routines: Stream<Routine | undefined, RoutineEvent> = { initial: undefined, evolve: evolveRoutine };

function evolveRoutine(known: Routine | undefined, event: RoutineEvent): Routine | undefined {
  if (event.type === 'RoutineDefined') return defined(event.data);
  return known && evolveDefined(known, event);
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
      if (order === null || fingerprint === null) return { ...moved, fires: n };
      return { ...moved, fires: n, pending: { ...known.pending, [fire]: { ...order, fingerprint } } };
    }
    case 'SlotsMissed':
      return { ...slotPassed(known, event.data.trigger, event.data.nextSlot), fires: event.data.n };
    case 'FireRedirected':
      return redirected(known, event.data.fire, event.data.order);
    case 'FireCreated':
    case 'FireCoalesced':
      return withTask(settled(known, event.data.fire), known.pending[event.data.fire]);
    case 'FireFailed':
      return event.data.task === null
        ? settled(known, event.data.fire)
        : withTask(settled(known, event.data.fire), known.pending[event.data.fire]);
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

function redirected(known: Routine, fire: string, order: FireOrder): Routine {
  const pending = known.pending[fire];
  return pending ? { ...known, pending: { ...known.pending, [fire]: { ...pending, ...order } } } : known;
}

function settled(known: Routine, fire: string): Routine {
  const { [fire]: _, ...pending } = known.pending;
  return { ...known, pending };
}

const keptTasks = 500;

/** What was used last is the last: a fingerprint that is there already is put behind all others. */
function withTask(known: Routine, order: (FireOrder & { fingerprint: string }) | undefined): Routine {
  if (!order) return known;
  const { [order.fingerprint]: _, ...others } = known.tasks;
  const kept = Object.entries({ ...others, [order.fingerprint]: { task: order.task, open: true } }).slice(-keptTasks);
  return { ...known, tasks: Object.fromEntries(kept) };
}

function taskMoved(known: Routine, task: string, open: boolean): Routine {
  const fingerprint = Object.keys(known.tasks).find((one) => known.tasks[one]?.task === task);
  return fingerprint === undefined ? known : { ...known, tasks: { ...known.tasks, [fingerprint]: { task, open } } };
}

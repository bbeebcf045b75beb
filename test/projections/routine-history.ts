import { fireId, fireTask, routineStream, type StreamId } from '../../src/events/event.js';
import {
  concurrencyPolicies,
  fireSources,
  type FireOrder,
  type RoutineDefinition,
  type RoutineEvent,
  type RoutineStatus,
  type ScheduleTrigger,
} from '../../src/events/routine.js';
import type { Draw } from './history.js';

interface Routine {
  readonly company: string;
  readonly routine: string;
  readonly agent: string;
  revision: number;
  fires: number;
  status: RoutineStatus;
  /** on their way, and where to */
  pending: { fire: string; order: FireOrder }[];
  /** those that have opened a task, and whether that is over */
  opened: { n: number; over: boolean }[];
}

/** What an append adds to a stream. */
interface Addition {
  readonly stream: StreamId;
  readonly revision: number;
  readonly events: RoutineEvent[];
}

const most = 4;

/** What happens to routines in a history: a fire may be on its way for long, and others come between. */
export class RoutineHistory {
  private readonly routines: Routine[] = [];

  constructor(
    private readonly draw: Draw,
    private readonly at: () => string,
    private readonly newId: () => string,
  ) {}

  step(agents: readonly { company: string; agent: string }[]): Addition {
    if (this.routines.length < most) return this.define(this.pick(agents));
    const routine = this.pick(this.routines);
    return this.append(routine, this.move(routine));
  }

  private define({ company, agent }: { company: string; agent: string }): Addition {
    const name = `R-${this.routines.length}`;
    const routine: Routine = { company, routine: name, agent, revision: -1, fires: 0, status: 'active', pending: [], opened: [] };
    this.routines.push(routine);
    return this.append(routine, [
      { type: 'RoutineDefined', data: { ...this.definition(routine), routine: name, definedAt: this.at() } },
    ]);
  }

  private move(routine: Routine): RoutineEvent[] {
    const waiting = routine.pending[0] && this.pick(routine.pending);
    const choice = this.draw(10);
    if (choice < 4 && waiting) return [this.settle(routine, waiting)];
    if (choice < 6 && routine.opened.length > 0) return [this.conclude(routine, this.pick(routine.opened))];
    if (choice === 6) return [this.change(routine)];
    return choice === 7 ? [this.miss(routine)] : this.fire(routine);
  }

  private definition({ agent }: Routine): RoutineDefinition {
    const triggers = [this.schedule(), { id: 'push', kind: 'webhook', enabled: true, signing: 'none', windowSec: 300 } as const];
    return {
      title: 'Check {{date}}',
      description: this.draw(2) ? 'All of it' : null,
      agent: this.draw(4) ? agent : null,
      priority: 'medium',
      concurrency: this.pick(concurrencyPolicies),
      catchUp: 'skip_missed',
      variables: [],
      fingerprintIgnore: ['delivery.id'],
      spreadSec: this.draw(3) * 60,
      activeFrom: null,
      activeUntil: null,
      triggers,
    };
  }

  private schedule(): ScheduleTrigger {
    const dst = { gap: 'shift', overlap: 'once' } as const;
    return { id: 'daily', kind: 'schedule', enabled: this.draw(4) > 0, cron: '0 * * * *', zone: 'UTC', dst, nextSlot: this.at() };
  }

  private change(routine: Routine): RoutineEvent {
    const of = { routine: routine.routine, reason: 'because' };
    const choice = this.draw(12);
    if (choice === 0) routine.status = 'archived';
    if (choice === 0) return { type: 'RoutineArchived', data: { ...of, archivedAt: this.at() } };
    const rotated = { routine: of.routine, trigger: 'push', overlapUntil: this.at(), rotatedAt: this.at() };
    if (choice < 3) return { type: 'TriggerSecretRotated', data: rotated };
    if (choice < 6)
      return { type: 'RoutineChanged', data: { ...this.definition(routine), routine: of.routine, changedAt: this.at() } };
    routine.status = routine.status === 'paused' ? 'active' : 'paused';
    return routine.status === 'paused'
      ? { type: 'RoutinePaused', data: { ...of, pausedAt: this.at() } }
      : { type: 'RoutineResumed', data: { ...of, resumedAt: this.at() } };
  }

  private miss(routine: Routine): RoutineEvent {
    const n = ++routine.fires;
    const slots = { trigger: 'daily', count: 2, first: this.at(), last: this.at(), nextSlot: this.at() };
    const of = { routine: routine.routine, fire: fireId(routine.routine, n), n };
    return { type: 'SlotsMissed', data: { ...of, ...slots, code: 'missed', missedAt: this.at() } };
  }

  private fire(routine: Routine): RoutineEvent[] {
    const n = ++routine.fires;
    const fire = fireId(routine.routine, n);
    const isLost = routine.status === 'paused' || this.draw(6) === 0;
    const order = isLost ? null : this.order(routine, n);
    if (order) routine.pending.push({ fire, order });
    return [this.fired(routine, n, order), ...(order ? [] : [this.lost(routine, fire)])];
  }

  private fired({ routine }: Routine, n: number, order: FireOrder | null): RoutineEvent {
    const source = this.pick(fireSources);
    const [slot, nextSlot] = source === 'schedule' ? [this.at(), this.draw(3) ? this.at() : null] : [null, null];
    const trigger = source === 'schedule' ? 'daily' : source === 'webhook' ? 'push' : null;
    const of = { routine, fire: fireId(routine, n), n, trigger, source, slot, nextSlot };
    return { type: 'RoutineFired', data: { ...of, fingerprint: order && 'f'.repeat(64), order, firedAt: this.at() } };
  }

  private order({ routine, agent, opened }: Routine, n: number): FireOrder {
    const joined = this.draw(2) && opened[0] ? this.pick(opened).n : n;
    const what = { agent, priority: 'medium', concurrency: 'coalesce_if_active', title: 'Check it', payload: {} } as const;
    return { task: fireTask(routine, joined), ...what };
  }

  private lost({ routine, status }: Routine, fire: string): RoutineEvent {
    const of = { routine, fire };
    return status === 'paused'
      ? { type: 'FireSuppressed', data: { ...of, code: 'routine_paused', reason: 'because', suppressedAt: this.at() } }
      : { type: 'FireFailed', data: { ...of, task: null, code: 'variables_missing', reason: 'because', failedAt: this.at() } };
  }

  private settle(routine: Routine, waiting: Routine['pending'][number]): RoutineEvent {
    const { fire, order } = waiting;
    const n = Number(fire.slice(fire.indexOf('@') + 1));
    const own = fireTask(routine.routine, n);
    const of = { routine: routine.routine, fire, task: order.task };
    const isOwn = order.task === own;
    const joined = !isOwn && this.draw(4);
    if (joined === 0) {
      waiting.order = { ...order, task: own };
      return { type: 'FireRedirected', data: { ...of, from: order.task, order: waiting.order, redirectedAt: this.at() } };
    }
    routine.pending = routine.pending.filter((one) => one !== waiting);
    if (joined === 1) return { type: 'FireSkipped', data: { ...of, code: 'task_active', skippedAt: this.at() } };
    const woken = { ...of, wakeupId: this.newId(), run: this.draw(3) ? `${order.task}.1` : null };
    if (!isOwn) return { type: 'FireCoalesced', data: { ...woken, into: order.task.replace('~', '@'), coalescedAt: this.at() } };
    routine.opened.push({ n, over: false });
    return { type: 'FireCreated', data: { ...woken, createdAt: this.at() } };
  }

  private conclude({ routine }: Routine, opened: Routine['opened'][number]): RoutineEvent {
    const of = { routine, fire: fireId(routine, opened.n), task: fireTask(routine, opened.n) };
    opened.over = !opened.over;
    if (!opened.over) return { type: 'FireReopened', data: { ...of, reopenedAt: this.at() } };
    const how = this.draw(2)
      ? ({ status: 'done', outcome: 'completed', reason: null } as const)
      : ({ status: 'blocked', outcome: 'failed', reason: 'because' } as const);
    return { type: 'FireConcluded', data: { ...of, ...how, concludedAt: this.at() } };
  }

  private append(routine: Routine, events: RoutineEvent[]): Addition {
    const { revision } = routine;
    routine.revision += events.length;
    return { stream: routineStream(routine.company, routine.routine), revision, events };
  }

  private pick<T>(items: readonly T[]): T {
    return items[this.draw(items.length)]!;
  }
}

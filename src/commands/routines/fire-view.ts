import type { RoutineId, RunId, TaskId } from '../../events/event.js';
import type { FireId, FireSource, RoutineEvent, RoutineFired, TriggerId } from '../../events/routine.js';

/** A fire as an answer to a command shows it: the shape of the read model's. */
export interface FireView {
  readonly id: FireId;
  readonly company: string;
  readonly routine: RoutineId;
  readonly trigger?: TriggerId;
  readonly source: FireSource;
  readonly slot?: string;
  readonly firedAt: string;
  /** `pending`: its task has not answered yet; what comes of it is recorded when it does */
  readonly outcome: 'pending' | 'created' | 'coalesced' | 'skipped' | 'suppressed' | 'failed' | 'caught_up';
  readonly code?: string;
  readonly reason?: string;
  /** where it has led to; of a pending one, where it is on its way to */
  readonly task?: TaskId;
  readonly run?: RunId;
  /** the fire that opened the task which it has joined */
  readonly into?: FireId;
  readonly fingerprint?: string;
  readonly count?: number;
  readonly lastSlot?: string;
}

/** The fires that these events are about, as far as they say what has come of them. */
export function firesOf(company: string, events: readonly RoutineEvent[]): FireView[] {
  const fires = new Map<FireId, FireView>();
  for (const event of events) {
    if (event.type === 'RoutineFired') fires.set(event.data.fire, pending(company, event.data));
    const fire = 'fire' in event.data && fires.get(event.data.fire);
    if (fire) fires.set(fire.id, { ...fire, ...changeOf(event) });
  }
  return [...fires.values()];
}

const pending = (company: string, { fire, routine, trigger, source, slot, firedAt, fingerprint, order }: RoutineFired['data']) =>
  ({
    id: fire,
    company,
    routine,
    ...(trigger !== null && { trigger }),
    source,
    ...(slot !== null && { slot }),
    firedAt,
    outcome: 'pending',
    ...(order && { task: order.task }),
    ...(fingerprint !== null && { fingerprint }),
  }) satisfies FireView;

function changeOf(event: RoutineEvent): Partial<FireView> {
  switch (event.type) {
    case 'FireCreated':
      return { outcome: 'created', task: event.data.task, ...runIn(event.data) };
    case 'FireCoalesced':
      return { outcome: 'coalesced', task: event.data.task, into: event.data.into, ...runIn(event.data) };
    case 'FireSkipped':
      return { outcome: 'skipped', task: event.data.task, code: event.data.code };
    case 'FireSuppressed':
      return { outcome: 'suppressed', code: event.data.code, reason: event.data.reason };
    case 'FireFailed': {
      const { code, reason, task } = event.data;
      return { outcome: 'failed', code, reason, ...(task !== null && { task }) };
    }
    case 'FireRedirected':
      return { task: event.data.order.task };
    default:
      return {};
  }
}

const runIn = ({ run }: { readonly run: RunId | null }) => (run === null ? {} : { run });

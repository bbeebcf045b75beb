import { fireOfTask, routineStream, type Position, type Appended } from '../../events/event.js';
import type { FireRedirected, Routine, RoutineEvent, RoutineFired } from '../../events/routine.js';
import type { FireTaken } from '../../events/task.js';
import { StoreUnavailable, type EventStore } from '../../event-store/event-store.js';
import { Contention, OutcomeUnknown, type CommandContext, type Outcome } from '../decider.js';
import type { Ledger } from '../ledger.js';
import { FireDueSlots, fireDueSlots, type FiredSlots } from './due-slots.js';
import { FireRoutine, fireRoutine } from './fire.js';
import { firesOf } from './fire-view.js';
import { SettleFire, settleFire } from './settle-fire.js';
import { settling, stepAfter, taking } from './steps.js';
import { TakeFire, takeFire } from './take-fire.js';

export interface FirePorts {
  readonly store: Pick<EventStore, 'readStream'>;
  readonly ledger: Ledger;
}

/** Fires, and goes with the fire to its task and back, so that the answer has its outcome. */
export async function fire(command: FireRoutine, context: CommandContext, ports: FirePorts) {
  const { answer, outcome } = await ports.ledger.handle(fireRoutine, command, context);
  const { fires, ...dispatched } = await carryOut(outcome, ports);
  return { ...dispatched, answer: { fire: fires[0] ?? answer.fire } };
}

/** One after the other, so that those that are the same work find the task that the first has opened. */
export async function fireSlots(command: FireDueSlots, context: CommandContext, ports: FirePorts) {
  const { answer, outcome } = await ports.ledger.handle(fireDueSlots, command, context);
  const { fires, ...dispatched } = await carryOut(outcome, ports);
  return { ...dispatched, answer: { ...answer, fires } satisfies FiredSlots };
}

type Fired = Outcome<Routine | undefined, RoutineEvent>;
type Sent = Appended<RoutineFired> | Appended<FireRedirected>;

async function carryOut({ events, position, revision, replayed }: Fired, ports: FirePorts) {
  const walk = new Walk(ports, { position, revision });
  for (const event of events) if (isSent(event)) await walk.withFire(event);
  const fires = firesOf(events[0]?.company ?? '', [...events, ...walk.settled]);
  return { fires, ...walk.end, replayed };
}

const isSent = <E extends Appended<RoutineEvent>>(event: E): event is E & Sent =>
  event.type === 'RoutineFired' || event.type === 'FireRedirected';

/** From fires to their outcomes. */
class Walk {
  readonly settled: RoutineEvent[] = [];

  constructor(
    private readonly ports: FirePorts,
    /** where a reader of all this has to look */
    public end: { position: Position; revision: number },
  ) {}

  /** What an outage cuts off stays pending: the policy takes the same steps when it is over. */
  async withFire(event: Sent): Promise<void> {
    try {
      for (let next: Sent | undefined = event; next;) next = await this.toTaskAndBack(next);
    } catch (error) {
      if (![StoreUnavailable, OutcomeUnknown, Contention].some((kind) => error instanceof kind)) throw error;
    }
  }

  /** Answers where the fire goes on to. */
  private async toTaskAndBack(event: Sent): Promise<Sent | undefined> {
    const taken = (await this.take(event)) ?? ((await this.openFirst(event)) && (await this.take(event)));
    if (!taken) return undefined;
    const { fields, stream } = settling(taken);
    const step = stepAfter(taken, stream, SettleFire.name);
    const { outcome } = await this.ports.ledger.handle(settleFire, Object.assign(new SettleFire(), fields), step);
    this.settled.push(...outcome.events);
    this.end = { position: latest(this.end.position, outcome.position), revision: outcome.revision };
    return outcome.events.find(isSent);
  }

  private async take(event: Sent): Promise<Appended<FireTaken> | undefined> {
    const to = taking(event);
    if (!to) return undefined;
    const step = stepAfter(event, to.stream, TakeFire.name);
    const { outcome } = await this.ports.ledger.handle(takeFire, Object.assign(new TakeFire(), to.fields), step);
    this.end = { ...this.end, position: latest(this.end.position, outcome.position) };
    return outcome.events.find((taken) => taken.type === 'FireTaken');
  }

  /** The fire that opens the task has not come there yet: it is cut off, or on its way in another process. */
  private async openFirst({ company, data: { routine, order } }: Sent): Promise<boolean> {
    if (!order) return false;
    const stream = routineStream(company, routine);
    const lately = await this.ports.store.readStream<RoutineEvent>(stream, { from: Math.max(0, this.end.revision - farBack) });
    const opener = lately
      .filter(isSent)
      .find((event) => event.data.fire === fireOfTask(order.task) && event.data.order?.task === order.task);
    return opener !== undefined && (await this.take(opener)) !== undefined;
  }
}

/** Events of a routine: a fire that is still pending was fired lately. */
const farBack = 1_000;

const latest = (one: Position, other: Position): Position => (one > other ? one : other);

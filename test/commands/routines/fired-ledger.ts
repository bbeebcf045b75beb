import { putAgent } from '../../../src/commands/agent.js';
import type { FireView } from '../../../src/commands/routines/fire-view.js';
import { fireRoutine, type FireRoutine } from '../../../src/commands/routines/fire.js';
import { putRoutine, type PutRoutine } from '../../../src/commands/routines/routine.js';
import { routineStream, type Recorded } from '../../../src/events/event.js';
import { routines } from '../../../src/events/evolve-routine.js';
import type { LedgerEvent } from '../../../src/events/ledger-event.js';
import type { Routine, RoutineEvent } from '../../../src/events/routine.js';
import { MemoryEventStore } from '../../../src/event-store/memory.js';
import { FaultyStore } from '../../event-store/faulty.js';
import { VirtualClock, VirtualLedger } from '../../virtual-ledger.js';

/** Without a schedule, and the same work each time. */
const nightly = { routine: 'nightly', title: 'Check the exports', agent: 'fixer', triggers: [{ id: 'button', kind: 'api' }] };

type Fields<C> = { readonly [Field in keyof C]?: unknown };

/** A ledger with two agents and the routine nightly, on a store that can fail. */
export class FiredLedger extends VirtualLedger {
  readonly faulty: FaultyStore;

  constructor(clock = new VirtualClock(), store = new FaultyStore(new MemoryEventStore({ now: clock.now }))) {
    // An append that is lost is sent again only in the test that means to.
    super({ store, clock, patience: { races: 10, settleMs: 0 } });
    this.faulty = store;
  }

  static async begin(definition: Fields<PutRoutine> = {}): Promise<FiredLedger> {
    const ledger = new FiredLedger();
    for (const agent of ['fixer', 'reviewer']) await ledger.send(putAgent, { agent });
    await ledger.define(definition);
    return ledger;
  }

  async define(definition: Fields<PutRoutine> = {}): Promise<void> {
    await this.send(putRoutine, { ...nightly, ...definition });
  }

  async fire(fields: Fields<FireRoutine> = {}, commandId?: string): Promise<FireView> {
    return (await this.send(fireRoutine, { routine: 'nightly', ...fields }, { ...(commandId && { commandId }) })).answer.fire;
  }

  /** How the fire's own stream has it. */
  async routine(id = 'nightly'): Promise<Routine> {
    const state = (await this.routineHistory(id)).reduce(routines.evolve, routines.initial);
    if (!state) throw new Error(`there is no routine ${id}`);
    return state;
  }

  routineHistory(id = 'nightly'): Promise<Recorded<RoutineEvent>[]> {
    return this.ports.store.readStream<RoutineEvent>(routineStream('acme', id));
  }

  /** What was recorded of fires, one line each: `FireCoalesced nightly@2`. */
  async fires(id = 'nightly'): Promise<string[]> {
    return (await this.routineHistory(id)).flatMap(({ type, data }) => ('fire' in data ? [`${type} ${data.fire}`] : []));
  }

  /** The tasks that fires have opened. */
  async tasks(): Promise<string[]> {
    return (await this.log()).flatMap(({ type, data }) => (type === 'TaskOpened' ? [data.task] : []));
  }

  async expectEachSettledOnce(): Promise<void> {
    expectEachSettledOnce(await this.log());
  }
}

/** Every fire ends once, and what its task took of it was taken once. */
export function expectEachSettledOnce(log: readonly Recorded<LedgerEvent>[]): void {
  const counts = new Map<string, number>();
  const isEnd = (type: string) => ['FireCreated', 'FireCoalesced', 'FireSkipped', 'FireSuppressed', 'FireFailed'].includes(type);
  for (const { type, data } of log) {
    const key = 'fire' in data && `${isEnd(type) ? 'ended' : type} ${data.fire}`;
    if (key) counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  for (const { type, data } of log) {
    if (type !== 'RoutineFired') continue;
    const count = (what: string) => counts.get(`${what} ${data.fire}`) ?? 0;
    const taken = data.order ? 1 + count('FireRedirected') : 0;
    expect([data.fire, count('ended'), count('FireTaken')]).toEqual([data.fire, 1, taken]);
  }
}

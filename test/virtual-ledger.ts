import { Turns } from '../src/commands/turns.js';
import { beginning, nameUuid, taskStream, type Actor, type Recorded } from '../src/events/event.js';
import type { LedgerEvent } from '../src/events/ledger-event.js';
import { lanes } from '../src/events/evolve-lane.js';
import type { Lane, LaneEvent } from '../src/events/lane.js';
import { catalogue, type CommandPorts } from '../src/commands/catalogue.js';
import { claimRuns, ReadyRuns, type ReadyRun } from '../src/commands/claim-runs.js';
import type { CommandContext, Dispatched, Sendable } from '../src/commands/decider.js';
import { validated } from '../src/commands/dispatch.js';
import { Ledger, type Patience } from '../src/commands/ledger.js';
import { DueRetries, promoteDueRetries, type DueLane } from '../src/commands/promote-due-retries.js';
import { finishRun, reportRunLost } from '../src/commands/run.js';
import type { EventStore } from '../src/event-store/event-store.js';
import { MemoryEventStore } from '../src/event-store/memory.js';
import { dueRetries } from '../src/projections/due-retries.js';
import { holds } from '../src/projections/holds.js';
import { readyRuns } from '../src/projections/ready-runs.js';
import { tasks } from '../src/projections/tasks.js';
import { at, person } from './facts.js';
import { heldBy } from './folded-holds.js';
import { Folding, Foldings } from './folding.js';
import { VirtualLeases } from './virtual-leases.js';
import { VirtualPolicies } from './virtual-policies.js';

type Fields<C> = { readonly [Field in keyof C]?: unknown };
export type Claimed = { readonly run: string; readonly lease: string };

type LaneFacts = { readonly [E in LaneEvent as E['type']]: E['data'] };

export class VirtualClock {
  chance = 0.5;
  private time = at('12:00');

  now = (): Date => this.time;
  random = (): number => this.chance;

  set(clock: string): void {
    this.time = at(clock);
  }

  advance(ms: number): void {
    this.time = new Date(this.time.getTime() + ms);
  }
}

/**
 * The whole ledger but its doors and its database: real commands on an event store in memory, with read models that fold the
 * log when they are asked, on a clock that the test moves.
 */
export class VirtualLedger {
  readonly clock: VirtualClock;
  readonly leases: VirtualLeases;
  readonly ports: CommandPorts;
  readonly reactions: VirtualPolicies;
  private readonly process: number;
  private sent = 0;
  private claims = 0;

  constructor({
    store,
    clock = new VirtualClock(),
    leases,
    reactions = new VirtualPolicies(),
    patience,
    process = 1,
  }: Partial<Parts> = {}) {
    this.process = process;
    this.clock = clock;
    this.reactions = reactions;
    this.leases = leases ?? new VirtualLeases(clock);
    const events = store ?? new MemoryEventStore({ now: clock.now });
    const ledger = new Ledger(events, clock, this.leases, patience);
    this.ports = {
      store: events,
      ledger,
      clock,
      leases: this.leases,
      dueRetries: new FoldedDueRetries(events),
      promotions: new Turns(),
      readyRuns: new FoldedReadyRuns(events, this.leases),
      parking: nothingParked,
      sideSchemas: builtAtOnce,
      reactions: noneWaits,
    };
  }

  /** Another process on the same log, clock, leases and checkpoints. */
  another(): VirtualLedger {
    const { clock, leases, reactions } = this;
    return new VirtualLedger({ store: this.ports.store, clock, leases, reactions, process: this.process + 1 });
  }

  /** As Dispatch sends it, each time under a commandId of its own unless one is given. */
  async send<C extends object, Answer>(
    kind: Sendable<C, Answer>,
    fields: Fields<C>,
    context: Partial<CommandContext> = {},
  ): Promise<Dispatched<Answer>> {
    const execution = catalogue.find(({ command }) => command === kind.command);
    if (!execution) throw new Error(`${kind.command.name} is not in the catalogue`);
    const command = validated(kind.command, { company: 'acme', ...fields });
    const commandId = nameUuid('sent by the test', this.process, ++this.sent);
    // The catalogue's list forgets the type of each answer; `kind` remembers it.
    return (await execution.execute(command, { commandId, actor: person, ...context }, this.ports)) as Dispatched<Answer>;
  }

  async answer<C extends object, Answer>(kind: Sendable<C, Answer>, fields: Fields<C>, actor: Actor = person): Promise<Answer> {
    return (await this.send(kind, fields, { actor })).answer;
  }

  /** What a worker does: as many runs as there are, up to `max`. */
  async claim(agent: string, fields: { max?: number; requestId?: string; leaseMs?: number } = {}): Promise<Claimed[]> {
    const { runs } = await this.answer(claimRuns, {
      agent,
      workerId: 'laptop',
      requestId: `claim-${this.process}-${++this.claims}`,
      max: 10,
      ...fields,
    });
    return runs.map(({ run, lease }) => ({ run: run.id, lease: lease.token }));
  }

  /** Claims the agent's next run, and says how it ended. */
  async work(agent: string, ending: Fields<InstanceType<typeof finishRun.command>>): Promise<string> {
    const [claimed] = await this.claim(agent, { max: 1 });
    if (!claimed) throw new Error(`there is nothing to do for ${agent}`);
    await this.send(finishRun, { ...claimed, ...ending });
    return claimed.run;
  }

  async promoteDue(): Promise<readonly string[]> {
    return (await this.answer(promoteDueRetries, { company: undefined })).runIds;
  }

  /** What the reaper does: leases that nobody has renewed in time are taken back, and their runs reported as lost. */
  async reap(): Promise<void> {
    for (const lost of this.leases.revoke()) {
      await this.send(reportRunLost, lost, { actor: { type: 'system', id: 'reaper' } });
      this.leases.forget(lost);
    }
  }

  /** What the policies do, until they are at rest. Answers how many reactions have written something. */
  react(): Promise<number> {
    return this.reactions.react({ store: this.ports.store, send: (...command) => this.send(...command) });
  }

  log(): Promise<Recorded<LedgerEvent>[]> {
    return wholeLog(this.ports.store);
  }

  async history(task: string, company = 'acme'): Promise<Recorded<LaneEvent>[]> {
    return this.ports.store.readStream<LaneEvent>(taskStream(company, task));
  }

  async lane(task: string): Promise<Lane> {
    return (await this.history(task)).reduce(lanes.evolve, lanes.initial);
  }

  /** The data of the task's last event of this type. */
  async last<Type extends LaneEvent['type']>(task: string, type: Type): Promise<LaneFacts[Type]> {
    const found = (await this.history(task)).findLast((event) => event.type === type);
    if (!found) throw new Error(`${task} has no ${type}`);
    // Found by its type, which the compiler does not carry over to the data.
    return found.data as LaneFacts[Type];
  }
}

interface Parts {
  readonly store: EventStore;
  readonly clock: VirtualClock;
  readonly leases: VirtualLeases;
  readonly reactions: VirtualPolicies;
  readonly patience: Patience;
  readonly process: number;
}

const wholeLog = (store: EventStore) => store.readAll<LedgerEvent>({ after: beginning, limit: 1_000_000 });

/** What is held, read as the log stands. */
class FoldedHolds {
  private readonly holds = new Folding(holds);
  private readonly tasks = new Folding(tasks);

  follow(events: readonly Recorded<LedgerEvent>[]): void {
    this.holds.follow(events);
    this.tasks.follow(events);
  }

  now = () => heldBy(this.holds.all(), this.tasks.all());
}

class FoldedDueRetries extends DueRetries {
  private readonly parked = new Folding(dueRetries);
  private readonly held = new FoldedHolds();
  private readonly foldings: Foldings;

  constructor(store: EventStore) {
    super();
    this.foldings = new Foldings(store, [this.parked, this.held]);
  }

  async caughtUp(): Promise<void> {}

  async due(now: string, limit: number, { company, after }: { company?: string; after?: DueLane }): Promise<DueLane[]> {
    const lanes = (await this.lanes()).filter((lane) => lane.dueAt <= now && (company === undefined || lane.company === company));
    return lanes.filter((lane) => !after || byDueTime(lane, after) > 0).slice(0, limit);
  }

  async nextDue(): Promise<string | undefined> {
    return (await this.lanes()).find(({ runs, held }) => held.length < runs.length)?.dueAt;
  }

  private async lanes(): Promise<DueLane[]> {
    await this.foldings.reachHead();
    const held = this.held.now();
    const rows = this.parked.all().map(({ due_at: dueAt, parked: runs, ...lane }): DueLane => {
      const stays = runs.filter(({ agent }) => held.lane(lane) || held.agent({ company: lane.company, agent }));
      return { ...lane, dueAt, runs, held: stays.map(({ runId }) => runId) };
    });
    return rows.sort(byDueTime);
  }
}

class FoldedReadyRuns extends ReadyRuns {
  private readonly ready = new Folding(readyRuns);
  private readonly held = new FoldedHolds();
  private readonly foldings: Foldings;

  constructor(
    store: EventStore,
    private readonly leases: VirtualLeases,
  ) {
    super();
    this.foldings = new Foldings(store, [this.ready, this.held]);
  }

  async caughtUp(): Promise<void> {}

  async candidates(company: string, agent: string, limit: number): Promise<ReadyRun[]> {
    await this.foldings.reachHead();
    const held = this.held.now();
    const rows = this.ready.all().filter((row) => row.company === company && row.agent === agent);
    const free = rows.filter((row) => this.leases.isFree(company, row.task) && !held.lane(row));
    const inOrder = free.sort(
      (a, b) => a.rank - b.rank || a.priority - b.priority || compare(a.ready_at, b.ready_at) || a.n - b.n,
    );
    return inOrder.slice(0, limit).map(({ task, run_id: runId }) => ({ task, runId }));
  }
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
const byDueTime = (a: DueLane, b: DueLane): number =>
  compare(a.dueAt, b.dueAt) || compare(a.company, b.company) || compare(a.task, b.task);

/** Rows are folded when they are asked for, and a fold that fails fails the test. */
const nothingParked: CommandPorts['parking'] = {
  find: () => Promise.resolve(undefined),
  refold: () => Promise.resolve({}),
};

const builtAtOnce: CommandPorts['sideSchemas'] = {
  build: async ({ projection }, record) => {
    await record([projection]);
    return undefined;
  },
  drop: () => Promise.resolve(),
};

const noneWaits: CommandPorts['reactions'] = {
  find: () => Promise.resolve(undefined),
  drop: () => Promise.resolve(),
};

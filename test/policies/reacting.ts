import { finishRun } from '../../src/commands/run.js';
import { nameUuid, taskOfRun, taskStream, type AgentId, type Recorded, type TaskId } from '../../src/events/event.js';
import type { LedgerEvent } from '../../src/events/ledger-event.js';
import type { LaneEvent } from '../../src/events/lane.js';
import { toWrite } from '../../src/commands/write.js';
import { MemoryEventStore } from '../../src/event-store/memory.js';
import { PolicyIndex, type Policy, type Reaction, type RunningWhere } from '../../src/policies/policy.js';
import { foldLog } from '../../src/projections/projector/fold.js';
import { runStatus } from '../../src/projections/run-status.js';
import { tasks, type TaskRow } from '../../src/projections/tasks.js';
import { wakeupRequests } from '../../src/projections/wakeup-requests.js';
import { FaultyStore } from '../event-store/faulty.js';
import { machine } from '../facts.js';
import { heldIn, VirtualClock, VirtualLedger, type Claimed } from '../virtual-ledger.js';

type Ending = Parameters<VirtualLedger['work']>[1];

/** A ledger whose policies react when the test says so, and whose workers hear of a cancel when it says so. */
export class ReactingLedger extends VirtualLedger {
  private readonly store: FaultyStore;
  private readonly atWork: Claimed[] = [];
  private seen = 0;

  constructor(private readonly policies: readonly Policy[]) {
    const clock = new VirtualClock();
    const store = new FaultyStore(new MemoryEventStore({ now: clock.now }));
    super({ store, clock });
    this.store = store;
  }

  /** Until nothing is left to react to. Answers how many reactions have written something. */
  async react(): Promise<number> {
    let wrote = 0;
    for (let log = await this.log(); this.seen < log.length; log = await this.log()) {
      const event = log[this.seen++]!;
      for (const policy of this.policies)
        for (const reaction of await reactions(policy, event, new FoldedHolds(log)))
          if (await this.carryOut(policy, event, reaction)) wrote++;
    }
    return wrote;
  }

  /** The policies come by everything once more. */
  forgetCheckpoint(): void {
    this.seen = 0;
  }

  override async claim(...asked: Parameters<VirtualLedger['claim']>): Promise<Claimed[]> {
    const claimed = await super.claim(...asked);
    this.atWork.push(...claimed);
    return claimed;
  }

  /** Workers stop what was cancelled, and report so; which gives their lanes back. */
  async stopCancelled(): Promise<void> {
    for (const claimed of this.atWork.splice(0)) {
      const task = taskOfRun(claimed.run);
      const { open } = await this.lane(task);
      if (open.some(({ runId }) => runId === claimed.run)) this.atWork.push(claimed);
      else if ((await this.leases.of('acme', task))?.runId === claimed.run)
        await this.send(finishRun, { ...claimed, outcome: 'cancelled' });
    }
  }

  /** All that is at work ends like this. */
  async finishAll(ending: Ending): Promise<void> {
    while (this.atWork.length > 0) await this.finishOne(ending);
  }

  /** The first that was claimed of those that are at work, unless its worker has reported already. */
  async finishOne(ending: Ending): Promise<void> {
    const claimed = this.atWork.shift();
    if (claimed && (await this.leases.of('acme', taskOfRun(claimed.run)))?.runId === claimed.run)
      await this.send(finishRun, { ...claimed, ...ending });
  }

  /** fixer's next claim, whose starts are decided and not yet written when something else happens. */
  async beforeStart(happening: () => Promise<unknown>): Promise<string[]> {
    let happened = false;
    this.store.beforeAppend = async () => {
      if (happened) return;
      happened = true;
      await happening();
    };
    return (await this.claim('fixer')).map(({ run }) => run);
  }

  /** Another process writes what it decided before it had heard of anything. */
  async write(task: TaskId, ...events: readonly LaneEvent[]): Promise<void> {
    const revision = (await this.history(task)).length - 1;
    await this.store.append([
      toWrite(taskStream('acme', task), revision, events, { commandId: nameUuid(task), actor: machine }, undefined),
    ]);
  }

  private async carryOut({ name }: Policy, { id }: Recorded, { kind, fields, stream }: Reaction): Promise<boolean> {
    const before = await this.store.head();
    const commandId = nameUuid(name, id, stream, kind.command.name);
    await this.send(kind, fields, { commandId, actor: { type: 'system', id: name } });
    return (await this.store.head()) !== before;
  }
}

async function reactions({ on }: Policy, event: Recorded<LedgerEvent>, index: PolicyIndex): Promise<readonly Reaction[]> {
  // The table is keyed by the event's own type, which the compiler cannot follow through a union.
  const react = on[event.type] as
    ((event: Recorded<LedgerEvent>, index: PolicyIndex) => Promise<readonly Reaction[]>) | undefined;
  return (await react?.(event, index)) ?? [];
}

/** As much of an index as holds, terminations and stranded tasks ask, folded from a log. */
class FoldedHolds extends PolicyIndex {
  private readonly held: ReturnType<typeof heldIn>;

  constructor(private readonly log: readonly Recorded<LedgerEvent>[]) {
    super();
    this.held = heldIn(log);
  }

  async running(company: string, { agent, task, subtree = false }: RunningWhere) {
    const lanes = foldLog(tasks, this.log).filter((row) => row.company === company);
    const runs = new Map(foldLog(runStatus, this.log).map((run) => [run.run_id, run]));
    const within = (row: TaskRow | undefined, passed: readonly (TaskRow | undefined)[] = []): boolean =>
      row !== undefined &&
      !passed.includes(row) &&
      (row.task === task ||
        (subtree &&
          within(
            lanes.find((above) => above.task === row.parent),
            [...passed, row],
          )));
    return lanes.flatMap((row) => {
      const run = runs.get(row.running ?? '');
      const isMeant = run && (agent === undefined || run.agent === agent) && (task === undefined || within(row));
      return isMeant ? [{ task: row.task, runId: run.run_id }] : [];
    });
  }

  async isHeld(company: string, task: TaskId, agent: AgentId): Promise<boolean> {
    return this.held.lane({ company, task }) || this.held.agent({ company, agent });
  }

  async isTerminated(company: string, agent: AgentId): Promise<boolean> {
    return this.held.isTerminated({ company, agent });
  }

  async lanesOf(company: string, agent: AgentId): Promise<TaskId[]> {
    const runs = foldLog(runStatus, this.log).filter(({ finished_at }) => finished_at === null);
    const demands = foldLog(wakeupRequests, this.log).filter(({ status }) => status === 'deferred');
    const own = [...runs, ...demands].filter((row) => row.company === company && row.agent === agent);
    return [...new Set(own.map(({ task }) => task))];
  }

  async tasksOf(company: string, agent: AgentId): Promise<TaskId[]> {
    return this.toBeDone(company).flatMap((row) => (row.assignee === agent ? [row.task] : []));
  }

  async isIdle(company: string, task: TaskId): Promise<boolean> {
    const runs = foldLog(runStatus, this.log).filter(({ finished_at }) => finished_at === null);
    const demands = foldLog(wakeupRequests, this.log).filter(({ status }) => status === 'deferred');
    const isOfTask = (row: { company: string; task: TaskId }) => row.company === company && row.task === task;
    return this.toBeDone(company).some(isOfTask) && ![...runs, ...demands].some(isOfTask);
  }

  private toBeDone(company: string): TaskRow[] {
    const isToDo = ({ status, assignee }: TaskRow) => assignee !== null && (status === 'todo' || status === 'in_progress');
    return foldLog(tasks, this.log).filter((row) => row.company === company && isToDo(row));
  }

  dependentsOf = notAsked;
  ringThrough = notAsked;
  parentOf = notAsked;
  childrenOf = notAsked;
}

function notAsked(): never {
  throw new Error('nobody here asks this of the index');
}

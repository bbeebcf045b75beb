import { finishRun } from '../../src/commands/run.js';
import { nameUuid, taskOfRun, taskStream, type TaskId } from '../../src/events/event.js';
import type { LaneEvent } from '../../src/events/lane.js';
import { toWrite } from '../../src/commands/write.js';
import { MemoryEventStore } from '../../src/event-store/memory.js';
import type { Policy } from '../../src/policies/policy.js';
import { FaultyStore } from '../event-store/faulty.js';
import { machine } from '../facts.js';
import { VirtualClock, VirtualLedger, type Claimed } from '../virtual-ledger.js';
import { VirtualPolicies } from '../virtual-policies.js';

type Ending = Parameters<VirtualLedger['work']>[1];

/** A ledger whose policies react when the test says so, and whose workers hear of a cancel when it says so. */
export class ReactingLedger extends VirtualLedger {
  private readonly store: FaultyStore;
  private readonly atWork: Claimed[] = [];

  constructor(policies: readonly Policy[]) {
    const clock = new VirtualClock();
    const store = new FaultyStore(new MemoryEventStore({ now: clock.now }));
    super({ store, clock, reactions: new VirtualPolicies(policies) });
    this.store = store;
  }

  /** The policies come by everything once more. */
  forgetCheckpoint(): void {
    this.reactions.forgetCheckpoints();
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
}

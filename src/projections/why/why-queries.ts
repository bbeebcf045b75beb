import { findRun } from '../../commands/lane.js';
import { taskOfRun, type RoutineId, type RunId, type TaskId, type WakeupId } from '../../events/event.js';
import type { FireId } from '../../events/routine.js';
import { pause } from '../../pause.js';
import type { FireOutcome } from '../routines/routine-fires.js';
import type { Facts, FireFacts } from './facts.js';
import { Gathering, type Subject, type WhyWorld } from './gather.js';
import { fireFacts } from './gather-fire.js';
import { askedOfFires, caughtUp } from './gather-lags.js';
import { laggingReasons } from './lagging.js';
import { reasonsOfDemand } from './of-demand.js';
import { reasonsOfFire } from './of-fire.js';
import { reasonsOfRun } from './of-run.js';
import { reasonsOfTask } from './of-task.js';
import { whyOf, type Why } from './reason.js';

/** What a hold, a lease or a run kept until a moment ago is found by workers and by the promoter within this time, in ms. */
export const lookAgainMs = 2_500;
/** A run that ends frees its lane a moment before the read models tell of its end, in ms. */
const lookSoonMs = 250;

/** Why a run, a task, a demand or a fire stands where it stands; undefined: there is none. The one engine for all doors. */
export class WhyQueries {
  private readonly gathering: Gathering;

  constructor(private readonly world: WhyWorld) {
    this.gathering = new Gathering(world);
  }

  run(company: string, run: RunId): Promise<Why | undefined> {
    return twice(() => this.ofRun(company, run));
  }

  task(company: string, task: TaskId): Promise<Why | undefined> {
    return twice(() => this.ofTask(company, task));
  }

  wakeup(company: string, id: WakeupId): Promise<Why | undefined> {
    return twice(() => this.ofWakeup(company, id));
  }

  /** Its own reasons, and then those of the run, the demand or the task that it has led to. */
  fire(company: string, routine: RoutineId, fire: FireId): Promise<Why | undefined> {
    return twice(async () => {
      const facts = await fireFacts(this.world, company, routine, fire, await caughtUp(this.world, askedOfFires));
      if (!facts) return undefined;
      const { reasons = [] } = (await this.ledTo(facts)) ?? {};
      return whyOf(facts.fire.outcome, [...laggingReasons(facts), ...reasonsOfFire(facts), ...reasons]);
    });
  }

  private async ofRun(company: string, run: RunId): Promise<Why | undefined> {
    const isCaughtUp = await caughtUp(this.world);
    return this.explain({ company, task: taskOfRun(run), run }, isCaughtUp, ofRun(run));
  }

  private async ofTask(company: string, task: TaskId): Promise<Why | undefined> {
    return this.explain({ company, task }, await caughtUp(this.world), ofTask);
  }

  private async ofWakeup(company: string, id: WakeupId): Promise<Why | undefined> {
    const isCaughtUp = await caughtUp(this.world);
    const demand = await this.gathering.demand(company, id);
    return (
      demand &&
      this.explain({ company, task: demand.task, demand }, isCaughtUp, (facts) =>
        whyOf(demand.status, [...laggingReasons(facts), ...reasonsOfDemand(facts, demand)]),
      )
    );
  }

  private async ledTo({ fire: { company, outcome, task, run, wakeup } }: FireFacts): Promise<Why | undefined> {
    if (task === null || !leading.includes(outcome)) return undefined;
    if (run !== null) return this.ofRun(company, run);
    return wakeup === null ? this.ofTask(company, task) : this.ofWakeup(company, wakeup);
  }

  private async explain(subject: Subject, isCaughtUp: boolean, explain: Explain): Promise<Why | undefined> {
    const found = await this.gathering.around(subject, isCaughtUp);
    if (!found) return undefined;
    const { task, ...rest } = found;
    const why = task && explain({ ...rest, task });
    return why ?? unseen(subject, rest);
  }
}

const leading: readonly FireOutcome[] = ['created', 'coalesced', 'failed'];

type Explain = (facts: Facts) => Why | undefined;

const ofTask: Explain = (facts) => whyOf(facts.task.status, [...laggingReasons(facts), ...reasonsOfTask(facts)]);

const ofRun =
  (id: RunId): Explain =>
  (facts) => {
    const run = facts.runs.find(({ run_id }) => run_id === id);
    return run && whyOf(run.status, [...laggingReasons(facts), ...reasonsOfRun(facts, run)]);
  };

/** It has happened, and the read models do not show it yet. */
function unseen({ run }: Subject, facts: Omit<Facts, 'task'>): Why | undefined {
  const { lane, lags } = facts;
  const status = run === undefined ? lane.status : findRun(lane, run)?.status;
  return status !== undefined && lags.length > 0 ? whyOf(status, laggingReasons(facts)) : undefined;
}

/** That nothing explains it, or that its worker is gone, is said only when it is so a second time, a little later. */
async function twice(look: () => Promise<Why | undefined>): Promise<Why | undefined> {
  const first = await look();
  const codes = first?.reasons.map(({ code }) => code) ?? [];
  const ms = codes.includes('SHOULD_BE_RUNNING') ? lookAgainMs : codes.includes('LEASE_LOST') ? lookSoonMs : undefined;
  if (ms === undefined) return first;
  await pause(ms);
  return look();
}

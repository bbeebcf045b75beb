import { findRun } from '../../commands/lane.js';
import { taskOfRun, type RunId, type TaskId, type WakeupId } from '../../events/event.js';
import { pause } from '../../pause.js';
import type { Facts } from './facts.js';
import { Gathering, type Subject, type WhyWorld } from './gather.js';
import { caughtUp } from './gather-lags.js';
import { laggingReasons } from './lagging.js';
import { reasonsOfDemand } from './of-demand.js';
import { reasonsOfRun } from './of-run.js';
import { reasonsOfTask } from './of-task.js';
import { whyOf, type Why } from './reason.js';

/** What a hold, a lease or a run kept until a moment ago is found by workers and by the promoter within this time, in ms. */
export const lookAgainMs = 2_500;
/** A run that ends frees its lane a moment before the read models tell of its end, in ms. */
const lookSoonMs = 250;

/** Why a run, a task or a demand stands where it stands; undefined: there is none. The one engine for all doors. */
export class WhyQueries {
  private readonly gathering: Gathering;

  constructor(private readonly world: WhyWorld) {
    this.gathering = new Gathering(world);
  }

  run(company: string, run: RunId): Promise<Why | undefined> {
    return twice(async () => {
      const isCaughtUp = await caughtUp(this.world);
      return this.explain({ company, task: taskOfRun(run), run }, isCaughtUp, ofRun(run));
    });
  }

  task(company: string, task: TaskId): Promise<Why | undefined> {
    return twice(async () => this.explain({ company, task }, await caughtUp(this.world), ofTask));
  }

  wakeup(company: string, id: WakeupId): Promise<Why | undefined> {
    return twice(async () => {
      const isCaughtUp = await caughtUp(this.world);
      const demand = await this.gathering.demand(company, id);
      return (
        demand &&
        this.explain({ company, task: demand.task, demand }, isCaughtUp, (facts) =>
          whyOf(demand.status, [...laggingReasons(facts), ...reasonsOfDemand(facts, demand)]),
        )
      );
    });
  }

  private async explain(subject: Subject, isCaughtUp: boolean, explain: Explain): Promise<Why | undefined> {
    const found = await this.gathering.around(subject, isCaughtUp);
    if (!found) return undefined;
    const { task, ...rest } = found;
    const why = task && explain({ ...rest, task });
    return why ?? unseen(subject, rest);
  }
}

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

import type { Lane, LaneEvent } from '../events/lane.js';
import { decision, type World } from './decider.js';
import { Exact, RunId, Slug } from './fields.js';
import { fenceOf, ofRun, openRun } from './lane.js';
import { refuseStaleLease } from './run.js';
import { runView } from './run-view.js';

class UnderLease {
  @Slug() company!: string;
  @RunId() run!: string;
  @Exact(200) lease!: string;
}

/** The worker that started the run is gone, and its process goes on. Said once, by whoever finds it so. */
export class DetachRun extends UnderLease {}

export const detachRun = decision({
  command: DetachRun,
  ...ofRun,
  fence: { of: fenceOf },
  decide({ run: runId, lease }: DetachRun, lane: Lane, world: World): LaneEvent[] {
    refuseStaleLease(lane, runId, lease, world);
    const run = openRun(lane, runId);
    if (run?.status !== 'running' || run.detached) return [];
    return [{ type: 'RunDetached', data: { runId, agent: run.agent, detachedAt: world.now.toISOString() } }];
  },
  answer: ({ company, run }, outcome) => ({ run: runView(company, outcome, run) }),
});

/** A worker on the same host has taken the process up again, and answers for it from now on. */
export class ReattachRun extends UnderLease {}

export const reattachRun = decision({
  command: ReattachRun,
  ...ofRun,
  fence: { of: fenceOf },
  decide({ run: runId, lease }: ReattachRun, lane: Lane, world: World): LaneEvent[] {
    refuseStaleLease(lane, runId, lease, world);
    const run = openRun(lane, runId);
    if (run?.status !== 'running' || !run.detached) return [];
    return [{ type: 'RunReattached', data: { runId, agent: run.agent, reattachedAt: world.now.toISOString() } }];
  },
  answer: ({ company, run }, outcome) => ({ run: runView(company, outcome, run) }),
});

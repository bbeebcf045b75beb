import type { AgentEvent } from '../../src/events/agent.js';
import { agents } from '../../src/projections/agents.js';
import { failedRun, parkedRetry, policy, promoted, runningRun, waitingRun } from '../facts.js';
import { given, only, onAgent, onTask } from './folded.js';

const description = { agent: 'fixer', name: 'Fixer', adapter: 'process', manager: null, policy };
const registered: AgentEvent = { type: 'AgentRegistered', data: { ...description, registeredAt: '2026-04-20T09:00:00.000Z' } };
const paused: AgentEvent = {
  type: 'AgentPaused',
  data: { agent: 'fixer', reason: 'too noisy', interrupt: false, pausedAt: '2026-04-20T10:00:00.000Z' },
};
const resumed: AgentEvent = {
  type: 'AgentResumed',
  data: { agent: 'fixer', reason: 'quiet again', resumedAt: '2026-04-20T10:30:00.000Z' },
};
const terminated: AgentEvent = {
  type: 'AgentTerminated',
  data: { agent: 'fixer', reason: 'replaced', terminatedAt: '2026-04-20T10:40:00.000Z' },
};

describe('agents', () => {
  it('has an agent as it was described last', () => {
    const changed: AgentEvent = {
      type: 'AgentChanged',
      data: { ...description, name: 'Fixer II', changedAt: '2026-04-20T09:30:00.000Z' },
    };
    expect(only(given(onAgent([registered, changed])).folded(agents))).toMatchObject({
      agent: 'fixer',
      name: 'Fixer II',
      status: 'active',
      revision: 1,
    });
  });

  it('says since when it is paused or terminated, and why', () => {
    const row = (...facts: AgentEvent[]) => only(given(onAgent([registered, ...facts])).folded(agents));
    expect(row(paused)).toMatchObject({ status: 'paused', since: '2026-04-20T10:00:00.000Z', reason: 'too noisy' });
    expect(row(paused, resumed)).toMatchObject({ status: 'active', reason: 'quiet again' });
    expect(row(terminated)).toMatchObject({ status: 'terminated', reason: 'replaced' });
  });

  it('counts its open runs where they stand', () => {
    const counts = (facts: Parameters<typeof onTask>[0]) => {
      const { queued, running, parked } = only(given(onAgent([registered]), onTask(facts)).folded(agents));
      return { queued, running, parked };
    };
    expect(counts(waitingRun)).toEqual({ queued: 1, running: 0, parked: 0 });
    expect(counts(runningRun)).toEqual({ queued: 0, running: 1, parked: 0 });
    expect(counts(failedRun)).toEqual({ queued: 0, running: 0, parked: 0 });
    expect(counts(parkedRetry)).toEqual({ queued: 0, running: 0, parked: 1 });
    expect(counts([...parkedRetry, promoted(2)])).toEqual({ queued: 1, running: 0, parked: 0 });
  });

  it('names the run that was started last', () => {
    expect(only(given(onAgent([registered]), onTask(runningRun)).folded(agents))).toMatchObject({
      last_run: 'ACME-12.1',
      last_run_at: '2026-04-20T11:15:00.000Z',
    });
  });
});

import type { AgentEvent } from '../../src/events/agent.js';
import { agentCounts } from '../../src/projections/agent-counts.js';
import { dashboard } from '../../src/projections/dashboard.js';
import { taskCounts } from '../../src/projections/task-counts.js';
import {
  failed,
  failedRun,
  movedTo,
  moving,
  opened,
  parkedRetry,
  policy,
  promoted,
  queued,
  runningRun,
  started,
  timedOut,
  waitingRun,
} from '../facts.js';
import { given, onAgent, only, onTask } from './folded.js';

const days = (...facts: Parameters<typeof onTask>[0][number][]) => given(onTask(facts)).folded(dashboard);
const none = { queued: 0, running: 0, parked: 0, succeeded: 0, failed: 0, timed_out: 0, cancelled: 0 };
const day = { company: 'acme', day: '2026-04-20', ...none };

describe('dashboard', () => {
  it('counts a run where it stands', () => {
    expect(only(days(...waitingRun))).toEqual({ ...day, queued: 1 });
    expect(only(days(...runningRun))).toEqual({ ...day, running: 1 });
    expect(only(days(...failedRun))).toEqual({ ...day, failed: 1 });
    expect(only(days(...runningRun, timedOut(1)))).toEqual({ ...day, timed_out: 1 });
  });

  it('counts a retry as a run of its own, parked and then queued', () => {
    expect(only(days(...parkedRetry))).toEqual({ ...day, failed: 1, parked: 1 });
    expect(only(days(...parkedRetry, promoted(2)))).toEqual({ ...day, failed: 1, queued: 1 });
  });

  it('counts a run to the UTC day on which it was queued, whenever it ends', () => {
    const lateEvening = { queuedAt: '2026-04-19T23:59:59.999Z' };
    const facts = [queued(1, lateEvening), started(1, lateEvening), failed(1, { ...moving(1, 'running', lateEvening) })];
    expect(days(...facts, queued(2))).toEqual([
      { ...day, day: '2026-04-19', failed: 1 },
      { ...day, queued: 1 },
    ]);
  });
});

describe('task_counts', () => {
  it('counts tasks by status, and moves them', () => {
    const rows = given(onTask([opened(), movedTo('in_progress')]), onTask([opened()], 'ACME-13')).folded(taskCounts);
    expect(rows).toEqual([
      { company: 'acme', status: 'todo', tasks: 1 },
      { company: 'acme', status: 'in_progress', tasks: 1 },
    ]);
  });

  it("leaves out agents' own heartbeat lanes", () => {
    const heartbeat = opened({ task: 'heartbeat~fixer', kind: 'heartbeat' });
    expect(given(onTask([heartbeat], 'heartbeat~fixer')).folded(taskCounts)).toEqual([]);
  });
});

describe('agent_counts', () => {
  const registered = (agent: string): AgentEvent => ({
    type: 'AgentRegistered',
    data: { agent, name: agent, adapter: 'process', manager: null, policy, registeredAt: '' },
  });
  const paused = (agent: string): AgentEvent => ({
    type: 'AgentPaused',
    data: { agent, reason: 'paused', interrupt: true, pausedAt: '' },
  });
  const resumed = (agent: string): AgentEvent => ({ type: 'AgentResumed', data: { agent, reason: 'resumed', resumedAt: '' } });
  const terminated = (agent: string): AgentEvent => ({
    type: 'AgentTerminated',
    data: { agent, reason: 'terminated', terminatedAt: '' },
  });
  const none = { company: 'acme', registered: 0, paused: [], terminated: 0 };

  it('counts who is paused once, however often that was said', () => {
    const rows = given(onAgent([registered('fixer'), paused('fixer'), paused('fixer')]), onAgent([registered('coder')]));
    expect(rows.folded(agentCounts)).toEqual([{ ...none, registered: 2, paused: ['fixer'] }]);
  });

  it('counts nobody as paused who was resumed, or terminated, from whatever status', () => {
    const back = onAgent([registered('fixer'), paused('fixer'), resumed('fixer')]);
    const gone = onAgent([registered('coder'), paused('coder'), terminated('coder')]);
    const straight = onAgent([registered('reviewer'), terminated('reviewer')]);
    expect(given(back, gone, straight).folded(agentCounts)).toEqual([{ ...none, registered: 3, terminated: 2 }]);
  });
});

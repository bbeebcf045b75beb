import type { AgentEvent } from '../../src/events/agent.js';
import { heartbeatTask } from '../../src/events/event.js';
import type { LaneEvent } from '../../src/events/lane.js';
import { dueHeartbeats } from '../../src/projections/due-heartbeats.js';
import { deferred, failed, moving, parked, policy, queued, requested, started, succeeded, fact } from '../facts.js';
import { given, only, onAgent, onTask } from './folded.js';

const own = heartbeatTask('fixer');
const description = { agent: 'fixer', name: 'Fixer', adapter: 'process', manager: null };
const beating = (intervalSec: number, enabled = true) => ({ ...policy, heartbeat: { enabled, intervalSec } });
const registered = (of = beating(600)): AgentEvent => ({
  type: 'AgentRegistered',
  data: { ...description, policy: of, registeredAt: iso('09:00') },
});
const changed = (of: typeof policy, clock: string): AgentEvent => ({
  type: 'AgentChanged',
  data: { ...description, policy: of, changedAt: iso(clock) },
});
const paused: AgentEvent = {
  type: 'AgentPaused',
  data: { agent: 'fixer', reason: '', interrupt: false, pausedAt: iso('10:00') },
};
const resumed: AgentEvent = { type: 'AgentResumed', data: { agent: 'fixer', reason: '', resumedAt: iso('10:30') } };
const terminated: AgentEvent = { type: 'AgentTerminated', data: { agent: 'fixer', reason: '', terminatedAt: iso('10:40') } };
const tick = requested(1, { source: 'timer', trigger: 'system', reason: 'heartbeat_timer', requestedAt: iso('11:05') });

function iso(clock: string): string {
  return `2026-04-20T${clock}:00.000Z`;
}

/** When the next heartbeat is due after these facts of the agent, and of a lane. */
const dueAfter = (ofAgent: readonly AgentEvent[], facts: readonly LaneEvent[] = [], task = own) =>
  only(given(onAgent(ofAgent), onTask(facts, task)).folded(dueHeartbeats)).due_at;

describe('due_heartbeats', () => {
  it('has an agent due an interval after it was registered, or its heartbeat was switched on', () => {
    expect(dueAfter([registered()])).toBe(iso('09:10'));
    expect(dueAfter([registered(beating(600, false)), changed(beating(600), '09:30')])).toBe(iso('09:40'));
    expect(dueAfter([registered(beating(0)), changed(beating(600), '09:30')])).toBe(iso('09:40'));
  });

  it('has none due whose heartbeat is off, that is paused, or was terminated', () => {
    expect(dueAfter([registered(beating(600, false))])).toBeNull();
    expect(dueAfter([registered(beating(0))])).toBeNull();
    expect(dueAfter([registered(), changed(beating(600, false), '09:05')])).toBeNull();
    expect(dueAfter([registered(), paused])).toBeNull();
    expect(dueAfter([registered(), paused, resumed])).toBe(iso('09:10'));
    expect(dueAfter([registered(), terminated])).toBeNull();
  });

  it('counts another interval from where it counted before', () => {
    expect(dueAfter([registered(), changed(beating(1_200), '09:05')])).toBe(iso('09:20'));
  });

  it('counts from the end of a run, on whichever lane', () => {
    expect(dueAfter([registered()], [requested(1), queued(1), started(1), succeeded(1)])).toBe(iso('12:10'));
    expect(dueAfter([registered()], [queued(1), started(1)], 'ACME-12')).toBe(iso('09:10'));
    expect(dueAfter([registered()], [queued(1), started(1), failed(1)], 'ACME-12')).toBe(iso('12:10'));
  });

  it('does not count from an end that lies before what it counts from', () => {
    const switchedOn = [registered(beating(0)), changed(beating(600), '12:30')];
    expect(dueAfter(switchedOn, [queued(1), started(1), succeeded(1)], 'ACME-12')).toBe(iso('12:40'));
  });

  it('awaits none as long as a run is open on its own lane, be it parked or behind another one', () => {
    expect(dueAfter([registered()], [requested(1), queued(1)])).toBeNull();
    expect(dueAfter([registered()], [queued(1), started(1), requested(2), deferred(2, 1)])).toBeNull();
    expect(dueAfter([registered()], [queued(1), started(1), failed(1), requested(2), parked(2)])).toBeNull();
  });

  it('does not count from work elsewhere that was withdrawn before it began', () => {
    const withdrawn = fact('RunCancelled', {
      ...moving(1, 'queued'),
      code: 'issue_done',
      reason: '',
      intent: 'stop',
      wakeups: 'cancelled',
      cancelledAt: iso('11:30'),
    });
    expect(dueAfter([registered()], [queued(1), withdrawn], 'ACME-12')).toBe(iso('09:10'));
    expect(dueAfter([registered()], [queued(1), withdrawn])).toBe(iso('11:40'));
  });

  it('counts from a tick that was refused, so that it does not come again at once', () => {
    expect(dueAfter([registered()], [tick])).toBe(iso('11:15'));
    expect(dueAfter([registered()], [requested(1)])).toBe(iso('09:10'));
  });
});

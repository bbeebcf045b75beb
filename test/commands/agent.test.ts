import { pauseAgent, putAgent, resumeAgent, terminateAgent } from '../../src/commands/agent.js';
import type { AgentEvent, AgentPaused, AgentRegistered } from '../../src/events/agent.js';
import { defaultRetryPolicy } from '../../src/commands/retry-policy.js';
import { InvalidCommand } from '../../src/commands/dispatch.js';
import { at, policy } from '../facts.js';
import { given } from '../given.js';

const since = at('09:00').toISOString();
const registered: AgentRegistered = {
  type: 'AgentRegistered',
  data: { agent: 'fixer', name: 'fixer', adapter: 'process', manager: null, policy, registeredAt: since },
};
const paused: AgentPaused = { type: 'AgentPaused', data: { agent: 'fixer', reason: 'paused', interrupt: true, pausedAt: since } };
const terminated: AgentEvent = { type: 'AgentTerminated', data: { agent: 'fixer', reason: 'terminated', terminatedAt: since } };
const fixer = { company: 'acme', agent: 'fixer' };

describe('PutAgent', () => {
  it('registers an agent with the default policy', () =>
    given()
      .when(putAgent, fixer)
      .answering({ agent: { id: 'fixer', company: 'acme', name: 'fixer', status: 'active', policy, revision: 0 } })
      .then({ type: 'AgentRegistered', data: { agent: 'fixer', name: 'fixer', adapter: 'process', manager: null, policy } }));

  it('does nothing for the same description', () =>
    given(registered)
      .when(putAgent, { ...fixer, policy: { retry: {} } })
      .thenNothing());

  it('does nothing for the same description in another order of keys', () => {
    const { retry, heartbeat, wakeOnDemand, maxConcurrentRuns } = policy;
    const { notBeforeJitterMs, ...rest } = retry;
    const reordered = { retry: { notBeforeJitterMs, ...rest }, heartbeat, wakeOnDemand, maxConcurrentRuns };
    const kept: AgentRegistered = { type: 'AgentRegistered', data: { ...registered.data, policy: reordered } };
    given(kept).when(putAgent, fixer).thenNothing();
  });

  it('counts the changes of a retry policy, and leaves the defaults of what is not said', () =>
    given(registered)
      .when(putAgent, { ...fixer, policy: { maxConcurrentRuns: 2, retry: { delaysMs: [1_000] } } })
      .then({
        type: 'AgentChanged',
        data: {
          policy: { maxConcurrentRuns: 2, retry: { ...defaultRetryPolicy, name: 'agent', version: 2, delaysMs: [1_000] } },
        },
      }));

  it('takes a field that is there and undefined for one that is missing', () => {
    const retry = { delaysMs: [1_000], jitterRatio: undefined, maxNotBeforeMs: undefined, notBeforeJitterMs: undefined };
    given()
      .when(putAgent, { ...fixer, policy: { retry } })
      .then({
        type: 'AgentRegistered',
        data: { policy: { retry: { jitterRatio: 0.25, maxNotBeforeMs: 86_400_000, notBeforeJitterMs: 0 } } },
      });
  });

  it('keeps what it owes and how far it may go on only where that is not the usual', () => {
    const talk = { requireComment: true, continuations: 2, maxAgentReplies: 3 } as const;
    given(registered)
      .when(putAgent, { ...fixer, policy: talk })
      .then({ type: 'AgentChanged', data: { policy: { ...policy, ...talk } } });
    given(registered)
      .when(putAgent, { ...fixer, policy: { requireComment: false, continuations: 0, maxAgentReplies: 6 } })
      .thenNothing();
    const talking: AgentRegistered = { type: 'AgentRegistered', data: { ...registered.data, policy: { ...policy, ...talk } } };
    given(talking)
      .when(putAgent, { ...fixer, policy: talk })
      .thenNothing();
    const [changed] = given(talking).when(putAgent, fixer).events();
    expect(changed?.data).toMatchObject({ policy });
    expect(changed?.data).not.toHaveProperty('policy.requireComment');
  });

  it('refuses one that was terminated', () =>
    given(registered, terminated)
      .when(putAgent, { ...fixer, name: 'Fixer' })
      .refuses('agent_terminated', /register another/));

  it.each([
    ['no slots', { maxConcurrentRuns: 0 }],
    ['eleven slots', { maxConcurrentRuns: 11 }],
    ['a delay below a second', { retry: { delaysMs: [999] } }],
    ['a jitter of more than everything', { retry: { jitterRatio: 1.1 } }],
    ['more continuations than two', { continuations: 3 }],
    ['no reply at all', { maxAgentReplies: 0 }],
    ['more replies in a row than a thousand', { maxAgentReplies: 1_001 }],
    ['a policy that it does not know', { retries: {} }],
  ])('refuses %s', (_, policy) => {
    expect(() => given().when(putAgent, { ...fixer, policy })).toThrow(InvalidCommand);
  });
});

describe('PauseAgent', () => {
  it('pauses, and asks that what runs is handed back', () =>
    given(registered)
      .when(pauseAgent, { ...fixer, reason: 'over the weekend' })
      .answering({ agent: { status: 'paused', reason: 'over the weekend' } })
      .then({ type: 'AgentPaused', data: { reason: 'over the weekend', interrupt: true } }));
  it('lets what runs go on where that is wanted', () =>
    given(registered)
      .when(pauseAgent, { ...fixer, interrupt: false })
      .then({ type: 'AgentPaused', data: { interrupt: false } }));
  it('does nothing twice', () => given(registered, paused).when(pauseAgent, fixer).thenNothing());

  it('interrupts after all what it had let go on, and never less', () => {
    const gently: AgentEvent = { type: 'AgentPaused', data: { ...paused.data, interrupt: false } };
    given(registered, gently)
      .when(pauseAgent, fixer)
      .then({ type: 'AgentPaused', data: { interrupt: true } });
    given(registered, paused)
      .when(pauseAgent, { ...fixer, interrupt: false })
      .thenNothing();
  });
  it('refuses an unknown agent', () => given().when(pauseAgent, fixer).refuses('agent_not_found', /fixer/));
  it('refuses one that was terminated', () => given(registered, terminated).when(pauseAgent, fixer).refuses('agent_terminated'));
});

describe('ResumeAgent', () => {
  it('lets a paused agent go on', () =>
    given(registered, paused)
      .when(resumeAgent, fixer)
      .answering({ agent: { status: 'active' } })
      .then({ type: 'AgentResumed', data: { agent: 'fixer' } }));
  it('does nothing for one that is not paused', () => given(registered).when(resumeAgent, fixer).thenNothing());
  it('refuses an unknown agent', () => given().when(resumeAgent, fixer).refuses('agent_not_found'));
  it('refuses one that was terminated', () => given(registered, terminated).when(resumeAgent, fixer).refuses('agent_terminated'));
});

describe('TerminateAgent', () => {
  it('ends an agent for good, paused or not', () =>
    given(registered, paused)
      .when(terminateAgent, fixer)
      .answering({ agent: { status: 'terminated' } })
      .then({ type: 'AgentTerminated', data: { agent: 'fixer' } }));
  it('does nothing twice', () => given(registered, terminated).when(terminateAgent, fixer).thenNothing());
  it('refuses an unknown agent', () => given().when(terminateAgent, fixer).refuses('agent_not_found'));
});

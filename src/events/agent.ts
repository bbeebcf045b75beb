import type { AgentId, Event, Stream } from './event.js';
import type { Hold } from './hold.js';

export type AgentRegistered = Event<'AgentRegistered', AgentDescription & { agent: AgentId; registeredAt: string }>;
export type AgentChanged = Event<'AgentChanged', AgentDescription & { agent: AgentId; changedAt: string }>;
/** `interrupt`: its running runs are to be handed back, not only its next ones held */
export type AgentPaused = Event<'AgentPaused', { agent: AgentId; reason: string; interrupt: boolean; pausedAt: string }>;
export type AgentResumed = Event<'AgentResumed', { agent: AgentId; reason: string; resumedAt: string }>;
export type AgentTerminated = Event<'AgentTerminated', { agent: AgentId; reason: string; terminatedAt: string }>;

export type AgentEvent = AgentRegistered | AgentChanged | AgentPaused | AgentResumed | AgentTerminated;

export interface AgentDescription {
  readonly name: string;
  /** which program runs it: `claude_local`, `codex_local`, `process` … */
  readonly adapter: string;
  readonly manager: AgentId | null;
  readonly policy: AgentPolicy;
}

export interface AgentPolicy {
  readonly maxConcurrentRuns: number;
  readonly wakeOnDemand: boolean;
  readonly heartbeat: { readonly enabled: boolean; readonly intervalSec: number };
  readonly retry: RetryPolicy;
  /** a run that an assignment asked for, and that succeeds without a comment of its agent, is followed by one more */
  readonly requireComment?: true;
  /** how many runs may follow one that succeeded and says that it has only planned, or done nothing; without it, none */
  readonly continuations?: number;
  /** how many comments of agents in a row wake it */
  readonly maxAgentReplies?: number;
}

/** Of an agent whose policy does not say. */
export const usualAgentReplies = 6;

/** The bounded retry of failed runs; as many attempts as there are delays. */
export interface RetryPolicy {
  readonly name: string;
  /** counts the changes of an agent's policy, so that a recorded decision names the one it was made under */
  readonly version: number;
  readonly delaysMs: readonly number[];
  /** 0.25: a delay is drawn from ±25 % around its base */
  readonly jitterRatio: number;
  /** how far ahead a provider's not-before is believed */
  readonly maxNotBeforeMs: number;
  /** spreads runs that wait for the same not-before */
  readonly notBeforeJitterMs: number;
}

export type AgentStatus = 'active' | 'paused' | 'terminated';
export type Agent = AgentDescription & { readonly status: AgentStatus; readonly since: string; readonly pause: Hold | null };

export const agents: Stream<Agent | undefined, AgentEvent> = { initial: undefined, evolve: evolveAgent };

function evolveAgent(agent: Agent | undefined, event: AgentEvent): Agent | undefined {
  switch (event.type) {
    case 'AgentRegistered':
      return { ...described(event.data), status: 'active', since: event.data.registeredAt, pause: null };
    case 'AgentChanged':
      return agent && { ...agent, ...described(event.data) };
    case 'AgentPaused': {
      const { reason, interrupt, pausedAt: since } = event.data;
      return agent && { ...agent, status: 'paused', since, pause: { reason, interrupt, since } };
    }
    case 'AgentResumed':
      return agent && { ...agent, status: 'active', since: event.data.resumedAt, pause: null };
    case 'AgentTerminated':
      return agent && { ...agent, status: 'terminated', since: event.data.terminatedAt, pause: null };
  }
}

const described = ({ name, adapter, manager, policy }: AgentDescription): AgentDescription => ({
  name,
  adapter,
  manager,
  policy,
});

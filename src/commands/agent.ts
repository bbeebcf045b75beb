import { isDeepStrictEqual } from 'node:util';
import { ArrayMaxSize, IsArray, IsBoolean, IsNumber, Max, Min } from 'class-validator';
import {
  agents,
  usualAgentReplies,
  type Agent,
  type AgentDescription,
  type AgentEvent,
  type AgentPolicy,
  type RetryPolicy,
} from '../events/agent.js';
import { agentStream } from '../events/event.js';
import { decision, noSuch, Rejected, type Outcome, type World } from './decider.js';
import { Int, Nested, Optional, OptionalOrNull, Slug, Text } from './fields.js';
import { defaultRetryPolicy } from './retry-policy.js';

const ofAgent = { of: agents, stream: ({ company, agent }: { company: string; agent: string }) => agentStream(company, agent) };

const day = 24 * 60 * 60 * 1000;

/** Delays of 1 s to 30 days, at most 20 of them; as many retries as there are delays. */
export class RetryFields {
  @Optional() @IsArray() @ArrayMaxSize(20) @Int(1_000, 30 * day, { each: true }) delaysMs?: number[];
  @Optional() @IsNumber() @Min(0) @Max(1) jitterRatio?: number;
  @Optional() @Int(0, 30 * day) maxNotBeforeMs?: number;
  @Optional() @Int(0, day) notBeforeJitterMs?: number;
}

export class HeartbeatFields {
  @IsBoolean() enabled!: boolean;
  @Optional() @Int(0, 30 * 24 * 60 * 60) intervalSec?: number;
}

export class PolicyFields {
  @Optional() @Int(1, 10) maxConcurrentRuns?: number;
  @Optional() @IsBoolean() wakeOnDemand?: boolean;
  @Optional() @Nested(() => HeartbeatFields) heartbeat?: HeartbeatFields;
  @Optional() @Nested(() => RetryFields) retry?: RetryFields;
  @Optional() @IsBoolean() requireComment?: boolean;
  @Optional() @Int(0, 2) continuations?: number;
  @Optional() @Int(1, 1_000) maxAgentReplies?: number;
}

/** Registers an agent, or replaces its description and the whole of its policy: what is left out becomes the default. */
export class PutAgent {
  @Slug() company!: string;
  @Slug() agent!: string;
  @Optional() @Text(200) name?: string;
  @Optional() @Text(100) adapter?: string;
  @OptionalOrNull() @Slug() manager?: string | null;
  @Optional() @Nested(() => PolicyFields) policy?: PolicyFields;
}

export const putAgent = decision({
  command: PutAgent,
  ...ofAgent,
  decide(command: PutAgent, known: Agent | undefined, { now }: World): AgentEvent[] {
    const { agent, name = agent, adapter = 'process', manager = null } = command;
    const description = { name, adapter, manager, policy: policyOf(command.policy, known?.policy) };
    if (!known) return [{ type: 'AgentRegistered', data: { agent, ...description, registeredAt: now.toISOString() } }];
    notTerminated(agent, known);
    return isSame(known, description)
      ? []
      : [{ type: 'AgentChanged', data: { agent, ...description, changedAt: now.toISOString() } }];
  },
  answer: agentAnswer,
});

function policyOf(fields: PolicyFields = {}, known?: AgentPolicy): AgentPolicy {
  const { maxConcurrentRuns = 5, wakeOnDemand = true, heartbeat, retry } = fields;
  const { enabled = false, intervalSec = 0 } = heartbeat ?? {};
  const heartbeats = { enabled, intervalSec };
  return {
    maxConcurrentRuns,
    wakeOnDemand,
    heartbeat: heartbeats,
    retry: versioned(retryOf(retry), known?.retry),
    ...talk(fields),
  };
}

/** Only what differs from the usual. */
const talk = ({ requireComment = false, continuations = 0, maxAgentReplies = usualAgentReplies }: PolicyFields) => ({
  ...(requireComment && { requireComment }),
  ...(continuations > 0 && { continuations }),
  ...(maxAgentReplies !== usualAgentReplies && { maxAgentReplies }),
});

/** Field by field: a field that was left out is there as `undefined`, and must not replace the default. */
export function retryOf(fields: RetryFields = {}): Omit<RetryPolicy, 'name' | 'version'> {
  const { delaysMs, jitterRatio, maxNotBeforeMs, notBeforeJitterMs } = defaultRetryPolicy;
  return {
    delaysMs: fields.delaysMs ?? delaysMs,
    jitterRatio: fields.jitterRatio ?? jitterRatio,
    maxNotBeforeMs: fields.maxNotBeforeMs ?? maxNotBeforeMs,
    notBeforeJitterMs: fields.notBeforeJitterMs ?? notBeforeJitterMs,
  };
}

/** A policy that differs from the one before it gets the next version. */
function versioned(policy: Omit<RetryPolicy, 'name' | 'version'>, before: RetryPolicy = defaultRetryPolicy): RetryPolicy {
  const { name, version } = before;
  return isDeepStrictEqual({ ...policy, name, version }, before) ? before : { ...policy, name: 'agent', version: version + 1 };
}

/** A store may give the keys of an object back in another order. */
const isSame = (known: AgentDescription, { name, adapter, manager, policy }: AgentDescription): boolean =>
  isDeepStrictEqual([known.name, known.adapter, known.manager, known.policy], [name, adapter, manager, policy]);

class Reasoned {
  @Slug() company!: string;
  @Slug() agent!: string;
  @Optional() @Text(4_000) reason?: string;
}

/** What the agent has to do is held where it is; nothing is lost. `interrupt` asks that what runs is handed back. */
export class PauseAgent extends Reasoned {
  @Optional() @IsBoolean() interrupt?: boolean;
}

export const pauseAgent = decision({
  command: PauseAgent,
  ...ofAgent,
  decide({ agent, reason = 'paused', interrupt = true }: PauseAgent, known: Agent | undefined, { now }: World): AgentEvent[] {
    const { pause } = notTerminated(agent, known);
    return pause && (pause.interrupt || !interrupt)
      ? []
      : [{ type: 'AgentPaused', data: { agent, reason, interrupt, pausedAt: now.toISOString() } }];
  },
  answer: agentAnswer,
});

/** What was held goes on. */
export class ResumeAgent extends Reasoned {}

export const resumeAgent = decision({
  command: ResumeAgent,
  ...ofAgent,
  decide({ agent, reason = 'resumed' }: ResumeAgent, known: Agent | undefined, { now }: World): AgentEvent[] {
    return notTerminated(agent, known).status === 'active'
      ? []
      : [{ type: 'AgentResumed', data: { agent, reason, resumedAt: now.toISOString() } }];
  },
  answer: agentAnswer,
});

/** For good: the agent takes no more demands. */
export class TerminateAgent extends Reasoned {}

export const terminateAgent = decision({
  command: TerminateAgent,
  ...ofAgent,
  decide({ agent, reason = 'terminated' }: TerminateAgent, known: Agent | undefined, { now }: World): AgentEvent[] {
    return registered(agent, known).status === 'terminated'
      ? []
      : [{ type: 'AgentTerminated', data: { agent, reason, terminatedAt: now.toISOString() } }];
  },
  answer: agentAnswer,
});

function registered(id: string, known: Agent | undefined): Agent {
  if (!known) throw noSuch('agent', id);
  return known;
}

function notTerminated(id: string, known: Agent | undefined): Agent {
  const agent = registered(id, known);
  if (agent.status === 'terminated')
    throw new Rejected('agent_terminated', `${id} was terminated and stays so; register another agent`);
  return agent;
}

function agentAnswer(
  { company, agent }: { company: string; agent: string },
  { state, revision }: Outcome<Agent | undefined, AgentEvent>,
) {
  const { pause, ...description } = state ?? { pause: null };
  return { agent: { id: agent, company, ...description, ...(pause && { reason: pause.reason }), revision } };
}

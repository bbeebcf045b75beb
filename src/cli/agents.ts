import type { Command } from 'commander';
import type { pauseAgent } from '../commands/agent.js';
import type { Agent } from '../projections/agent-queries.js';
import type { AgentPolicy } from '../events/agent.js';
import type { Page } from '../projections/paging.js';
import { inOption, type InOptions } from './as-of.js';
import type { AnswerOf } from './client.js';
import { act, asItIs, named, openDoor, surely, verb, type Door, type DoorOptions } from './door.js';
import { sayDuration } from '../projections/say-duration.js';
import { duration, durations, pageOptions, wholeNumber, type PageOptions } from './options.js';
import { sayTime } from './times.js';

export function addAgents(program: Command): void {
  const agents = program.command('agents').description('who runs: their policies, their load, pausing them');

  inOption(pageOptions(verb(agents, 'list', 'by name'))).action((options: DoorOptions & PageOptions & InOptions) =>
    list(openDoor(options), options),
  );

  verb(agents, 'get <agent>', 'one agent, its policy and its load').action((agent: string, options: DoorOptions) =>
    get(openDoor(options), agent),
  );

  verb(agents, 'set <agent>', 'register an agent, or change what is given of it')
    .option('--name <name>', 'for people')
    .option('--adapter <adapter>', 'which program runs it: process, claude_local, codex_local …')
    .option('--manager <agent>')
    .option('--max-concurrent <n>', 'runs at the same time, 1 to 10', wholeNumber)
    .option('--retry-delays <durations>', 'as many retries as there are delays, such as 3s,6s,10s', durations)
    .option('--wake-on-demand', 'runs when it is asked to')
    .option('--no-wake-on-demand', 'refuses to be woken but by its heartbeat')
    .option('--heartbeat <duration>', 'woken by a timer so often', duration)
    .option('--no-heartbeat', 'not woken by a timer')
    .option('--require-comment', 'a run that an assignment asked for owes the task a comment, and is asked once for it')
    .option('--no-require-comment', 'owes none')
    .option('--continuations <n>', 'how often it may go on when it has only planned, 0 to 2', wholeNumber)
    .option('--max-agent-replies <n>', 'how many comments of agents in a row wake it', wholeNumber)
    .action((agent: string, options: SetOptions) => set(openDoor(options), agent, options));

  verb(agents, 'pause <agent>', 'hold what it has to do; nothing is lost')
    .option('--reason <reason>', 'kept with the change')
    .option('--no-interrupt', 'let what runs go on')
    .action((agent: string, options: ReasonOptions & { interrupt: boolean }) =>
      steer(openDoor(options), agent, 'pause', { reason: options.reason, interrupt: options.interrupt }),
    );

  for (const [step, description] of [
    ['resume', 'let go on what was held'],
    ['terminate', 'end it for good, and what it has to do with it'],
  ] as const) {
    verb(agents, `${step} <agent>`, description)
      .option('--reason <reason>', 'kept with the change')
      .action((agent: string, options: ReasonOptions) => steer(openDoor(options), agent, step, { reason: options.reason }));
  }
}

interface SetOptions extends DoorOptions {
  name?: string;
  adapter?: string;
  manager?: string;
  maxConcurrent?: number;
  retryDelays?: number[];
  wakeOnDemand?: boolean;
  heartbeat?: number | boolean;
  requireComment?: boolean;
  continuations?: number;
  maxAgentReplies?: number;
}

interface ReasonOptions extends DoorOptions {
  reason?: string;
}

async function list({ client, output }: Door, { limit, cursor, in: schema }: PageOptions & InOptions): Promise<void> {
  output.list(await client.get<Page<Agent>>(['agents'], { limit, cursor, in: schema }), [
    ['agent', (agent) => agent.id],
    ['status', (agent) => agent.status],
    ['adapter', (agent) => agent.adapter],
    ['running', (agent) => `${agent.counts.running}/${agent.policy.maxConcurrentRuns}`],
    ['queued', (agent) => agent.counts.queued],
    ['parked', (agent) => agent.counts.parked],
    ['deferred', (agent) => agent.counts.deferred],
    ['held', (agent) => agent.counts.held],
    ['worker seen', (agent) => sayTime(agent.workerSeenAt)],
    ['last run', (agent) => agent.lastRun],
  ]);
}

async function get({ client, output }: Door, agent: string): Promise<void> {
  output.one(await named(client, 'agents', agent, (id) => client.get<Agent>(['agents', id])), (one) => [
    ['agent', one.id],
    ['name', one.name],
    ['status', one.status],
    ['adapter', one.adapter],
    ['manager', one.manager],
    ['runs at once', one.policy.maxConcurrentRuns],
    ['woken on demand', one.policy.wakeOnDemand ? 'yes' : 'no'],
    ['heartbeat', one.policy.heartbeat.enabled ? `every ${sayDuration(one.policy.heartbeat.intervalSec * 1_000)}` : 'off'],
    ['retries after', one.policy.retry.delaysMs.map(sayDuration).join(', ') || 'none'],
    ['owes a comment', one.policy.requireComment ? 'yes' : undefined],
    ['continuations', one.policy.continuations],
    ['agent replies', one.policy.maxAgentReplies],
    ...Object.entries(one.counts),
    ['worker seen', sayTime(one.workerSeenAt)],
    ['last run', one.lastRun],
  ]);
}

/** PUT replaces the whole policy, so what is not given is taken from what is there. */
async function set({ client, output }: Door, agent: string, options: SetOptions): Promise<void> {
  const { before, etag } = await asItIs<Agent>(client, ['agents', agent]);
  const body = {
    name: options.name ?? before?.name ?? agent,
    adapter: options.adapter ?? before?.adapter ?? 'process',
    manager: options.manager ?? before?.manager ?? undefined,
    policy: changed(before?.policy, options),
  };
  const { body: after } = await surely(client, (key) => client.put<Agent>(['agents', agent], body, { key, ifMatch: etag }));
  output.did(after, before ? `${agent} is changed` : `${agent} is registered`);
}

/** Only what the route takes: a policy as it is shown also says its name and version. */
function changed(policy: AgentPolicy | undefined, options: SetOptions) {
  const { maxConcurrent, wakeOnDemand, heartbeat, retryDelays } = options;
  const { jitterRatio, maxNotBeforeMs, notBeforeJitterMs, delaysMs } = policy?.retry ?? {};
  return {
    maxConcurrentRuns: maxConcurrent ?? policy?.maxConcurrentRuns,
    wakeOnDemand: wakeOnDemand ?? policy?.wakeOnDemand,
    heartbeat: heartbeatOf(heartbeat) ?? policy?.heartbeat,
    retry: { delaysMs: retryDelays ?? delaysMs, jitterRatio, maxNotBeforeMs, notBeforeJitterMs },
    requireComment: options.requireComment ?? policy?.requireComment,
    continuations: options.continuations ?? policy?.continuations,
    maxAgentReplies: options.maxAgentReplies ?? policy?.maxAgentReplies,
  };
}

function heartbeatOf(every: number | boolean | undefined): AgentPolicy['heartbeat'] | undefined {
  if (typeof every === 'number') return { enabled: true, intervalSec: Math.max(1, Math.round(every / 1_000)) };
  return every === false ? { enabled: false, intervalSec: 0 } : undefined;
}

async function steer(door: Door, agent: string, step: 'pause' | 'resume' | 'terminate', reason: object): Promise<void> {
  const { id, body } = await act<AnswerOf<typeof pauseAgent>['agent']>(door, 'agents', agent, step, reason);
  door.output.did(body, `${id} is ${body.status}`);
}

import type { AgentDescription, AgentPolicy, AgentStatus } from '../events/agent.js';
import type { AgentId, RunId } from '../events/event.js';
import type { Moving, OpenStatus } from '../events/run.js';
import { amend, create, projection, type Change, type Fact } from './projection.js';

/** An agent, and how many of its runs are where. */
export interface AgentRow {
  readonly company: string;
  readonly agent: AgentId;
  readonly name: string;
  readonly adapter: string;
  readonly manager: AgentId | null;
  readonly policy: AgentPolicy;
  readonly status: AgentStatus;
  readonly since: string;
  readonly reason: string | null;
  readonly running: number;
  readonly queued: number;
  readonly parked: number;
  /** the run that was started last */
  readonly last_run: RunId | null;
  readonly last_run_at: string | null;
  /** of the agent's own stream */
  readonly revision: number;
}

export const agents = projection<AgentRow>({
  name: 'agents',
  version: 1,
  key: ['company', 'agent'],
  keyedBy: 'wider',
  on: {
    AgentRegistered: ({ company, revision, data }) =>
      create([company, data.agent], {
        company,
        agent: data.agent,
        ...described(data),
        status: 'active',
        since: data.registeredAt,
        reason: null,
        ...idle,
        revision,
      }),
    AgentChanged: (event) => changed(event, described(event.data)),
    AgentPaused: (event) => changed(event, { status: 'paused', since: event.data.pausedAt, reason: event.data.reason }),
    AgentResumed: (event) => changed(event, { status: 'active', since: event.data.resumedAt, reason: event.data.reason }),
    AgentTerminated: (event) =>
      changed(event, { status: 'terminated', since: event.data.terminatedAt, reason: event.data.reason }),
    RunQueued: ({ company, data }) => counted(company, data.agent, undefined, 'queued'),
    RetryScheduled: ({ company, data }) => counted(company, data.agent, undefined, 'scheduled_retry'),
    RetryPromoted: ({ company, data }) => counted(company, data.agent, data.from, 'queued'),
    RunStarted: ({ company, data }) => started(company, data),
    RunSucceeded: ({ company, data }) => counted(company, data.agent, data.from),
    RunFailed: ({ company, data }) => counted(company, data.agent, data.from),
    RunTimedOut: ({ company, data }) => counted(company, data.agent, data.from),
    RunCancelled: ({ company, data }) => counted(company, data.agent, data.from),
    RetrySuperseded: ({ company, data }) => counted(company, data.agent, data.from),
  },
});

const idle = { running: 0, queued: 0, parked: 0, last_run: null, last_run_at: null };

const described = ({ name, adapter, manager, policy }: AgentDescription) => ({ name, adapter, manager, policy });

const changed = (
  { company, revision, data }: Fact<'AgentChanged' | 'AgentPaused' | 'AgentResumed' | 'AgentTerminated'>,
  change: Partial<AgentRow>,
): Change<AgentRow> => amend([company, data.agent], (row) => ({ ...row, ...change, revision }));

const columns = { queued: 'queued', scheduled_retry: 'parked', running: 'running' } as const satisfies Record<
  OpenStatus,
  keyof AgentRow
>;

const counted = (company: string, agent: AgentId, from?: OpenStatus, to?: OpenStatus): Change<AgentRow> =>
  amend([company, agent], (row) => moveCount(row, from, to));

const started = (company: string, { agent, runId, from, startedAt }: Moving & { startedAt: string }): Change<AgentRow> =>
  amend([company, agent], (row) => ({ ...moveCount(row, from, 'running'), last_run: runId, last_run_at: startedAt }));

function moveCount(row: AgentRow, from?: OpenStatus, to?: OpenStatus): AgentRow {
  const left = from ? { ...row, [columns[from]]: row[columns[from]] - 1 } : row;
  return to ? { ...left, [columns[to]]: left[columns[to]] + 1 } : left;
}

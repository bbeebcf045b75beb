import type { AgentId } from '../events/event.js';
import { change, projection, type Change } from './projection.js';

/**
 * How many agents a company has. Who is paused is kept by name, because what ends a pause does not say what was before it; the others
 * are active.
 */
export interface AgentCountsRow {
  readonly company: string;
  readonly registered: number;
  readonly paused: readonly AgentId[];
  readonly terminated: number;
}

export const agentCounts = projection<AgentCountsRow>({
  name: 'agent_counts',
  version: 1,
  key: ['company'],
  keyedBy: 'wider',
  on: {
    AgentRegistered: ({ company }) => counted(company, (row) => ({ ...row, registered: row.registered + 1 })),
    AgentPaused: ({ company, data }) =>
      counted(company, (row) => ({ ...row, paused: [...without(row, data.agent), data.agent] })),
    AgentResumed: ({ company, data }) => counted(company, (row) => ({ ...row, paused: without(row, data.agent) })),
    AgentTerminated: ({ company, data }) =>
      counted(company, (row) => ({ ...row, paused: without(row, data.agent), terminated: row.terminated + 1 })),
  },
});

const none = { registered: 0, paused: [], terminated: 0 };

const counted = (company: string, fold: (row: AgentCountsRow) => AgentCountsRow): Change<AgentCountsRow> =>
  change([company], (row = { company, ...none }) => fold(row));

const without = ({ paused }: AgentCountsRow, agent: AgentId): AgentId[] => paused.filter((one) => one !== agent);

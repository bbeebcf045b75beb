import { change, projection, remove, type Change, type Fact } from './projection.js';

/** What is paused, held or terminated now, and so keeps work where it is: an agent, a task, a company. */
export interface HoldRow {
  readonly company: string;
  readonly kind: HoldKind;
  /** the agent or task; of a company, its own name */
  readonly target: string;
  /** of a task: those below it are held with it */
  readonly subtree: boolean;
  readonly status: 'paused' | 'terminated' | 'held';
  readonly reason: string;
  readonly since: string;
}
export type HoldKind = 'agent' | 'task' | 'company';

export const holds = projection<HoldRow>({
  name: 'holds',
  version: 1,
  key: ['company', 'kind', 'target'],
  keyedBy: 'stream',
  sparse: true,
  on: {
    AgentPaused: (event) => holding('agent', event, { status: 'paused', since: event.data.pausedAt }),
    AgentResumed: (event) => released('agent', event),
    AgentTerminated: (event) => holding('agent', event, { status: 'terminated', since: event.data.terminatedAt }),
    TaskHeld: (event) => holding('task', event, { status: 'held', since: event.data.heldAt, subtree: event.data.subtree }),
    TaskReleased: (event) => released('task', event),
    CompanyHeld: (event) => holding('company', event, { status: 'held', since: event.data.heldAt }),
    CompanyReleased: (event) => released('company', event),
  },
});

type Held = Fact<'AgentPaused' | 'AgentTerminated' | 'TaskHeld' | 'CompanyHeld'>;
type Released = Fact<'AgentResumed' | 'TaskReleased' | 'CompanyReleased'>;

function holding(
  kind: HoldKind,
  { company, subject: target, data: { reason } }: Held,
  how: Pick<HoldRow, 'status' | 'since'> & { readonly subtree?: boolean },
): Change<HoldRow> {
  return change([company, kind, target], () => ({ company, kind, target, reason, subtree: false, ...how }));
}

const released = (kind: HoldKind, { company, subject }: Released): Change<HoldRow> => remove([company, kind, subject]);

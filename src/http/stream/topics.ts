import type { AgentEvent } from '../../events/agent.js';
import type { CompanyEvent } from '../../events/company.js';
import type { Recorded } from '../../events/event.js';
import type { LaneEvent } from '../../events/lane.js';
import type { RoutineEvent } from '../../events/routine.js';
import { agentCounts } from '../../projections/agent-counts.js';
import { dashboard } from '../../projections/dashboard.js';
import { dueRetries } from '../../projections/due-retries.js';
import { taskCounts } from '../../projections/task-counts.js';

/** What a reader can ask for: events by what they are about, and `dashboard`, which says only that the counters have changed. */
export const topics = ['companies', 'agents', 'tasks', 'wakeups', 'runs', 'routines', 'dashboard'] as const;
export type Topic = (typeof topics)[number];
type TopicOfEvents = Exclude<Topic, 'dashboard'>;

/** Every event of a company has one. */
export const topicOf = ({ type }: Recorded): TopicOfEvents | undefined => topicByType.get(type);

/** The dashboard of the event's company may show something else after it. */
export const changesDashboard = ({ type }: Recorded): boolean => countedTypes.has(type);

const topicsOfEvents: Readonly<Record<(CompanyEvent | AgentEvent | LaneEvent | RoutineEvent)['type'], TopicOfEvents>> = {
  CompanyNamed: 'companies',
  CompanyHeld: 'companies',
  CompanyReleased: 'companies',
  AgentRegistered: 'agents',
  AgentChanged: 'agents',
  AgentPaused: 'agents',
  AgentResumed: 'agents',
  AgentTerminated: 'agents',
  TaskOpened: 'tasks',
  TaskChanged: 'tasks',
  TaskAssigned: 'tasks',
  TaskStatusChanged: 'tasks',
  BlockersSet: 'tasks',
  BlockerResolved: 'tasks',
  BlockerReopened: 'tasks',
  CommentAdded: 'tasks',
  CommentRemoved: 'tasks',
  TaskHeld: 'tasks',
  TaskReleased: 'tasks',
  FireTaken: 'tasks',
  WakeupRequested: 'wakeups',
  WakeupCoalesced: 'wakeups',
  WakeupDeferred: 'wakeups',
  WakeupSkipped: 'wakeups',
  WakeupCancelled: 'wakeups',
  RunQueued: 'runs',
  RunStarted: 'runs',
  ProcessRecorded: 'runs',
  RunDetached: 'runs',
  RunReattached: 'runs',
  RunWentSilent: 'runs',
  SilenceDecided: 'runs',
  RunSucceeded: 'runs',
  RunFailed: 'runs',
  RunTimedOut: 'runs',
  RunCancelled: 'runs',
  RetryScheduled: 'runs',
  RetryPromoted: 'runs',
  RetrySuperseded: 'runs',
  RetryExhausted: 'runs',
  RecoveryEscalated: 'runs',
  RoutineDefined: 'routines',
  RoutineChanged: 'routines',
  RoutinePaused: 'routines',
  RoutineResumed: 'routines',
  RoutineArchived: 'routines',
  TriggerSecretRotated: 'routines',
  RoutineFired: 'routines',
  FireCreated: 'routines',
  FireCoalesced: 'routines',
  FireSkipped: 'routines',
  FireSuppressed: 'routines',
  FireFailed: 'routines',
  FireRedirected: 'routines',
  FireConcluded: 'routines',
  FireReopened: 'routines',
  SlotsMissed: 'routines',
};
const topicByType = new Map<string, TopicOfEvents>(Object.entries(topicsOfEvents));

/** What the read models of the dashboard fold. */
const countedTypes: ReadonlySet<string> = new Set(
  [dashboard, agentCounts, taskCounts, dueRetries].flatMap(({ on }) => Object.keys(on)),
);

import type { LedgerEvent } from '../events/ledger-event.js';
import type { OperationsEvent } from '../events/operations.js';
import type { FireEvent, RoutineEvent } from '../events/routine.js';
import type { TaskFact } from '../events/task.js';
import { create, projection, type Change, type Fact, type Handlers } from './projection.js';
import { story } from './story.js';

/** A line of what happened, for people. */
export interface ActivityRow {
  readonly company: string;
  readonly position: string;
  readonly at: string;
  readonly actor_type: string;
  readonly actor_id: string;
  /** the event's type */
  readonly action: string;
  readonly entity_type: 'company' | 'agent' | 'task' | 'wakeup' | 'run' | 'routine' | 'fire';
  readonly entity_id: string;
  readonly agent: string | null;
  readonly task: string | null;
  readonly run: string | null;
  readonly sentence: string;
}

export const activity = projection<ActivityRow>({
  name: 'activity',
  version: 1,
  key: ['company', 'position'],
  keyedBy: 'stream',
  on: {
    CompanyNamed: ofCompany,
    CompanyHeld: ofCompany,
    CompanyReleased: ofCompany,
    AgentRegistered: ofAgent,
    AgentChanged: ofAgent,
    AgentPaused: ofAgent,
    AgentResumed: ofAgent,
    AgentTerminated: ofAgent,
    TaskOpened: ofTask,
    TaskChanged: ofTask,
    TaskAssigned: ofTask,
    TaskStatusChanged: ofTask,
    BlockersSet: ofTask,
    BlockerResolved: ofTask,
    BlockerReopened: ofTask,
    CommentAdded: ofTask,
    CommentRemoved: ofTask,
    TaskHeld: ofTask,
    TaskReleased: ofTask,
    FireTaken: ofTask,
    WakeupRequested: ofWakeup,
    WakeupCoalesced: ofWakeup,
    WakeupDeferred: ofWakeup,
    WakeupSkipped: ofWakeup,
    WakeupCancelled: ofWakeup,
    RunQueued: ofRun,
    RunStarted: ofRun,
    RunDetached: ofRun,
    RunReattached: ofRun,
    RunWentSilent: ofRun,
    SilenceDecided: ofRun,
    RunSucceeded: ofRun,
    RunFailed: ofRun,
    RunTimedOut: ofRun,
    RunCancelled: ofRun,
    RetryScheduled: ofRun,
    RetryPromoted: ofRun,
    RetrySuperseded: ofRun,
    RetryExhausted: ofRun,
    RecoveryEscalated: ofTask,
    RoutineDefined: ofRoutine,
    RoutineChanged: ofRoutine,
    RoutinePaused: ofRoutine,
    RoutineResumed: ofRoutine,
    RoutineArchived: ofRoutine,
    TriggerSecretRotated: ofRoutine,
    RoutineFired: ofFire,
    FireCreated: ofFire,
    FireCoalesced: ofFire,
    FireSkipped: ofFire,
    FireSuppressed: ofFire,
    FireFailed: ofFire,
    FireRedirected: ofFire,
    FireConcluded: ofFire,
    FireReopened: ofFire,
    SlotsMissed: ofFire,
  } satisfies Omit<Required<Handlers<ActivityRow>>, 'ProcessRecorded' | OperationsEvent['type']>,
});

const longestSentence = 500;

function ofCompany(event: Fact<'CompanyNamed' | 'CompanyHeld' | 'CompanyReleased'>): Change<ActivityRow> {
  return line(event, 'company', event.company);
}

type OfAgent = Fact<'AgentRegistered' | 'AgentChanged' | 'AgentPaused' | 'AgentResumed' | 'AgentTerminated'>;

function ofAgent(event: OfAgent): Change<ActivityRow> {
  return line(event, 'agent', event.data.agent, { agent: event.data.agent });
}

function ofTask(event: Fact<TaskFact['type'] | 'RecoveryEscalated'>): Change<ActivityRow> {
  const agent = 'assignee' in event.data ? event.data.assignee : null;
  const run = event.type === 'FireTaken' ? event.data.runId : null;
  return line(event, 'task', event.subject, { task: event.subject, agent, run });
}

type OfWakeup = Fact<'WakeupRequested' | 'WakeupCoalesced' | 'WakeupDeferred' | 'WakeupSkipped' | 'WakeupCancelled'>;

function ofWakeup(event: OfWakeup): Change<ActivityRow> {
  const run = 'runId' in event.data ? event.data.runId : null;
  return line(event, 'wakeup', event.data.wakeupId, { task: event.subject, agent: event.data.agent, run });
}

type OfRun = Exclude<
  Extract<LedgerEvent, { data: { runId: string; agent: string } }>['type'],
  'RecoveryEscalated' | 'WakeupCoalesced'
>;

function ofRun(event: Fact<OfRun>): Change<ActivityRow> {
  const { runId: run, agent } = event.data;
  return line(event, 'run', run, { task: event.subject, agent, run });
}

function ofRoutine(event: Fact<OfRoutine>): Change<ActivityRow> {
  return line(event, 'routine', event.subject, { agent: 'agent' in event.data ? event.data.agent : null });
}

function ofFire(event: Fact<FireEvent['type']>): Change<ActivityRow> {
  const { fire, ...data } = event.data;
  const order = 'order' in data ? data.order : null;
  const task = 'task' in data ? data.task : (order?.task ?? null);
  return line(event, 'fire', fire, { task, agent: order?.agent, run: 'run' in data ? data.run : null });
}

type OfRoutine = Exclude<RoutineEvent, FireEvent>['type'];

type About = Partial<Pick<ActivityRow, 'agent' | 'task' | 'run'>>;

function line(
  event: Fact<LedgerEvent['type']>,
  entity: ActivityRow['entity_type'],
  id: string,
  { agent = null, task = null, run = null }: About = {},
): Change<ActivityRow> {
  const { company, position, recordedAt, type, metadata } = event;
  return create([company, position], {
    company,
    position,
    at: recordedAt,
    actor_type: metadata.actor.type,
    actor_id: metadata.actor.id,
    action: type,
    entity_type: entity,
    entity_id: id,
    agent,
    task,
    run,
    sentence: story(event).slice(0, longestSentence),
  });
}

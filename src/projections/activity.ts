import type { LedgerEvent } from '../events/ledger-event.js';
import type { Blocker, TaskFact } from '../events/task.js';
import { create, projection, type Change, type Fact, type Handlers } from './projection.js';

/** A line of what happened, for people. */
export interface ActivityRow {
  readonly company: string;
  readonly position: string;
  readonly at: string;
  readonly actor_type: string;
  readonly actor_id: string;
  /** the event's type */
  readonly action: string;
  readonly entity_type: 'company' | 'agent' | 'task' | 'wakeup' | 'run';
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
    CompanyNamed: (event) => line(event, 'company', event.company, `is called ${event.data.name}`),
    CompanyHeld: (event) => line(event, 'company', event.company, `is held: ${event.data.reason}`),
    CompanyReleased: (event) => line(event, 'company', event.company, `is released: ${event.data.reason}`),
    AgentRegistered: (event) => ofAgent(event, `was registered as ${event.data.name}`),
    AgentChanged: (event) => ofAgent(event, 'was changed'),
    AgentPaused: (event) => ofAgent(event, `was paused: ${event.data.reason}`),
    AgentResumed: (event) => ofAgent(event, `was resumed: ${event.data.reason}`),
    AgentTerminated: (event) => ofAgent(event, `was terminated: ${event.data.reason}`),
    TaskOpened: (event) => ofTask(event, `was opened: ${event.data.title}`),
    TaskChanged: (event) => ofTask(event, `was changed: ${event.data.title}`),
    TaskAssigned: (event) => ofTask(event, `was assigned to ${event.data.assignee ?? 'nobody'}`),
    TaskStatusChanged: (event) => ofTask(event, `went from ${event.data.from} to ${event.data.to}${because(event.data.why)}`),
    BlockersSet: (event) => ofTask(event, waitsFor(event.data.blockers)),
    BlockerResolved: (event) => ofTask(event, `waits for ${event.data.blocker} no longer: ${event.data.note ?? 'it is done'}`),
    BlockerReopened: (event) => ofTask(event, `waits for ${event.data.blocker} again`),
    CommentAdded: (event) => ofTask(event, `was commented on by ${event.data.author.id}: ${event.data.body}`),
    CommentRemoved: (event) => ofTask(event, `has lost the comment ${event.data.commentId}`),
    TaskHeld: (event) => ofTask(event, `is held${event.data.subtree ? ' with all below it' : ''}: ${event.data.reason}`),
    TaskReleased: (event) => ofTask(event, `is released: ${event.data.reason}`),
    WakeupRequested: (event) => ofWakeup(event, `asks ${event.data.agent} to run: ${event.data.reason}`),
    WakeupCoalesced: (event) => ofWakeup(event, `joined ${event.data.runId ?? `the wakeup ${event.data.into}`}`),
    WakeupDeferred: (event) => ofWakeup(event, `waits for the end of ${event.data.behind}`),
    WakeupSkipped: (event) => ofWakeup(event, `was skipped: ${event.data.code}`),
    WakeupCancelled: (event) => ofWakeup(event, `was cancelled: ${event.data.code}`),
    RunQueued: (event) => ofRun(event, `was queued for ${event.data.agent}: ${event.data.cause}`),
    RunStarted: (event) => ofRun(event, `was started by ${event.data.workerId}`),
    RunDetached: (event) => ofRun(event, 'goes on without its worker'),
    RunReattached: (event) => ofRun(event, 'has a worker again'),
    RunWentSilent: (event) => ofRun(event, `has said nothing since ${event.data.lastOutputAt}: ${event.data.level}`),
    SilenceDecided: (event) => ofRun(event, `may be silent: ${event.data.decision}, ${event.data.reason}`),
    RunSucceeded: (event) => ofRun(event, 'succeeded'),
    RunFailed: (event) => ofRun(event, `failed: ${event.data.errorCode}`),
    RunTimedOut: (event) => ofRun(event, `timed out: ${event.data.errorCode}`),
    RunCancelled: (event) => ofRun(event, `was cancelled: ${event.data.code}`),
    RetryScheduled: (event) =>
      ofRun(
        event,
        `will retry ${event.data.retryOf} at ${event.data.dueAt} (${event.data.attempt} of ${event.data.maxAttempts})`,
      ),
    RetryPromoted: (event) => ofRun(event, `was promoted: ${event.data.trigger}`),
    RetrySuperseded: (event) => ofRun(event, `gave way to ${event.data.by}`),
    RetryExhausted: (event) => ofRun(event, `has no attempt left of ${event.data.maxAttempts}: ${event.data.reason}`),
    RecoveryEscalated: (event) => ofTask(event, `needs a person: ${event.data.why}`),
  } satisfies Omit<Required<Handlers<ActivityRow>>, 'ProcessRecorded'>,
});

const longestSentence = 500;

const because = (why: string | null) => (why ? `: ${why}` : '');

const ofAgent = (
  event: Fact<'AgentRegistered' | 'AgentChanged' | 'AgentPaused' | 'AgentResumed' | 'AgentTerminated'>,
  sentence: string,
) => line(event, 'agent', event.data.agent, sentence, { agent: event.data.agent });

const waitsFor = (blockers: readonly Blocker[]): string =>
  blockers.length > 0 ? `waits for ${blockers.map(({ task }) => task).join(', ')}` : 'waits for no other task';

const ofTask = (event: Fact<TaskFact['type'] | 'RecoveryEscalated'>, sentence: string) =>
  line(event, 'task', event.subject, sentence, {
    task: event.subject,
    agent: 'assignee' in event.data ? event.data.assignee : null,
  });

const ofWakeup = (
  event: Fact<'WakeupRequested' | 'WakeupCoalesced' | 'WakeupDeferred' | 'WakeupSkipped' | 'WakeupCancelled'>,
  sentence: string,
) =>
  line(event, 'wakeup', event.data.wakeupId, sentence, {
    task: event.subject,
    agent: event.data.agent,
    run: 'runId' in event.data ? event.data.runId : null,
  });

type OfRun = Exclude<Extract<LedgerEvent, { data: { runId: string; agent: string } }>['type'], 'RecoveryEscalated'>;

const ofRun = (event: Fact<Exclude<OfRun, 'WakeupCoalesced'>>, sentence: string) =>
  line(event, 'run', event.data.runId, sentence, { task: event.subject, agent: event.data.agent, run: event.data.runId });

type About = Partial<Pick<ActivityRow, 'agent' | 'task' | 'run'>>;

function line(
  { company, position, recordedAt, type, metadata: { actor } }: Fact<LedgerEvent['type']>,
  entity: ActivityRow['entity_type'],
  id: string,
  sentence: string,
  { agent = null, task = null, run = null }: About = {},
): Change<ActivityRow> {
  return create([company, position], {
    company,
    position,
    at: recordedAt,
    actor_type: actor.type,
    actor_id: actor.id,
    action: type,
    entity_type: entity,
    entity_id: id,
    agent,
    task,
    run,
    sentence: `${entity === 'wakeup' ? 'the wakeup' : id} ${sentence}`.slice(0, longestSentence),
  });
}

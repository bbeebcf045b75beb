import type { AgentPolicy } from '../events/agent.js';
import { isHeartbeat, type Recorded } from '../events/event.js';
import { commentIdsIn } from '../events/lane.js';
import type { LedgerEvent } from '../events/ledger-event.js';
import type { Failure, RetryScheduled, RunCancelled, RunContext, SilenceDecided } from '../events/run.js';
import type { BlockerResolved, BlockersSet, CommentAdded, TaskOpened } from '../events/task.js';
import { causeInWords, listed, reasonInWords, refusalInWords, shortened, utc } from './in-words.js';
import { fireTakenInWords, routineStory } from './routines/routine-story.js';
import { operationsStory } from './operations/operations-story.js';
import { sayDuration } from './say-duration.js';

/**
 * An event as a sentence, for a person who was not there: it names what it is about, says why, and needs no other sentence to be
 * understood. The same everywhere and always: times are in UTC.
 */
export function story(event: Recorded<LedgerEvent>): string {
  const { company, subject } = event;
  switch (event.type) {
    case 'CompanyNamed':
      return `${company} is called ${event.data.name}`;
    case 'CompanyHeld':
      return `nothing of ${company} starts from now on${whatRuns(event.data.interrupt)}: ${event.data.reason}`;
    case 'CompanyReleased':
      return `${company} goes on: ${event.data.reason}`;
    case 'AgentRegistered':
      return `${event.data.agent} is registered: ${event.data.adapter}, ${retries(event.data.policy)}`;
    case 'AgentChanged':
      return `${event.data.agent} is changed: ${event.data.adapter}, ${retries(event.data.policy)}`;
    case 'AgentPaused':
      return `${event.data.agent} is paused${whatRuns(event.data.interrupt)}: ${event.data.reason}`;
    case 'AgentResumed':
      return `${event.data.agent} goes on: ${event.data.reason}`;
    case 'AgentTerminated':
      return `${event.data.agent} is terminated, and all of its work ends: ${event.data.reason}`;
    case 'TaskOpened':
      return openedAs(event.data);
    case 'TaskChanged':
      return `${subject} is now "${event.data.title}", priority ${event.data.priority}`;
    case 'TaskAssigned':
      return `${subject} is ${owner(event.data.assignee)} from now on; it was ${owner(event.data.previous)}`;
    case 'TaskStatusChanged':
      return `${subject} goes from ${event.data.from} to ${event.data.to}${event.data.why ? `: ${event.data.why}` : ''}`;
    case 'BlockersSet':
      return waitsFor(subject, event.data);
    case 'BlockerResolved':
      return waitsNoLonger(subject, event.data);
    case 'BlockerReopened':
      return `${event.data.blocker} is to be done again, so ${subject} waits for it again`;
    case 'CommentAdded':
      return said(subject, event.data);
    case 'CommentRemoved':
      return `a comment on ${subject} is removed (${event.data.commentId}); whoever was still to be told of it is not`;
    case 'TaskHeld':
      return `nothing on ${subject}${event.data.subtree ? ' and the tasks below it' : ''} starts from now on${whatRuns(event.data.interrupt)}: ${event.data.reason}`;
    case 'TaskReleased':
      return `${subject} goes on: ${event.data.reason}`;
    case 'WakeupRequested':
      return `${event.data.agent} is asked to run${lane(subject)}, because ${reasonInWords(event.data.reason)}`;
    case 'WakeupCoalesced':
      return `this demand joins ${event.data.runId ?? `one that waits for ${event.data.agent} already`}`;
    case 'WakeupDeferred':
      return `this demand waits until ${event.data.agent} has finished ${event.data.behind}`;
    case 'WakeupSkipped':
      return `nothing comes of this demand on ${event.data.agent}: ${refusalInWords(event.data)}`;
    case 'WakeupCancelled':
      return `a demand on ${event.data.agent} is withdrawn: ${event.data.reason}`;
    case 'RunQueued':
      return `${event.data.runId} is queued for ${event.data.agent}, ${causeInWords(event.data)}${toldOf(event.data.context)}`;
    case 'RunStarted':
      return `${event.data.runId} is started by ${event.data.workerId}${mayOnlyAnswer(subject, event.data.blockedBy)}`;
    case 'ProcessRecorded':
      return `${event.data.runId} is process ${event.data.pid} on ${event.data.host}`;
    case 'RunDetached':
      return `the worker of ${event.data.runId} is gone; its process goes on alone`;
    case 'RunReattached':
      return `a worker has taken up the process of ${event.data.runId} again`;
    case 'RunWentSilent':
      return `${event.data.runId} has said nothing since ${utc(event.data.lastOutputAt)}, which is ${event.data.level}`;
    case 'SilenceDecided':
      return maybeSilent(event.data);
    case 'RunSucceeded':
      return `${event.data.runId} succeeded`;
    case 'RunFailed':
      return `${event.data.runId} failed${failure(event.data)}`;
    case 'RunTimedOut':
      return `${event.data.runId} ran out of time${failure(event.data)}`;
    case 'RunCancelled':
      return stopped(event.data);
    case 'RetryScheduled':
      return parked(event.data);
    case 'RetryPromoted':
      return `${event.data.runId} is queued, ${event.data.trigger === 'due' ? 'because it is due' : 'because somebody did not want to wait'}`;
    case 'RetrySuperseded':
      return `${event.data.runId} gives way to ${event.data.by}, which does its work as well`;
    case 'RetryExhausted':
      return `${event.data.runId} is not tried again: ${event.data.attempts} of ${event.data.maxAttempts} retries are used`;
    case 'RecoveryEscalated':
      return `${subject} needs a person: ${event.data.why}`;
    case 'FireTaken':
      return fireTakenInWords(event.data);
    case 'RoutineDefined':
    case 'RoutineChanged':
    case 'RoutinePaused':
    case 'RoutineResumed':
    case 'RoutineArchived':
    case 'TriggerSecretRotated':
    case 'RoutineFired':
    case 'FireCreated':
    case 'FireCoalesced':
    case 'FireSkipped':
    case 'FireSuppressed':
    case 'FireFailed':
    case 'FireRedirected':
    case 'FireConcluded':
    case 'FireReopened':
    case 'SlotsMissed':
      return routineStory(event);
    default:
      return operationsStory(event);
  }
}

const owner = (agent: string | null): string => (agent === null ? "nobody's" : `${agent}'s`);

const lane = (task: string): string => (isHeartbeat(task) ? ' on its own account' : ` on ${task}`);

const whatRuns = (interrupt: boolean): string => (interrupt ? ', and what runs is handed back' : '; what runs goes on');

const retries = ({ retry: { delaysMs } }: AgentPolicy): string =>
  delaysMs.length > 0 ? `retries after ${delaysMs.map(sayDuration).join(', ')}` : 'no retries';

const openedAs = ({ task, title, status, assignee }: TaskOpened['data']): string =>
  `${task} "${shortened(title)}" is opened as ${status}, ${owner(assignee)}`;

function waitsFor(task: string, { blockers }: BlockersSet['data']): string {
  const [open, done] = [true, false].map((is) =>
    blockers.filter((blocker) => blocker.open === is).map((blocker) => blocker.task),
  );
  if (!open?.length) return `${task} waits for no other task${done?.length ? `: ${listed(done)} need nothing more` : ''}`;
  return `${task} waits until ${listed(open)} ${open.length > 1 ? 'are' : 'is'} done${done?.length ? `, not for ${listed(done)} any more` : ''}`;
}

function waitsNoLonger(task: string, { blocker, how, note }: BlockerResolved['data']): string {
  const because = {
    done: `${blocker} is done`,
    cancelled: `${blocker} was cancelled`,
    cycle: `${blocker} waited for it as well`,
  };
  return `${task} waits for ${blocker} no longer: ${note ?? because[how]}`;
}

function said(task: string, { author, body, mentions, wakeupIds }: CommentAdded['data']): string {
  const words = body.trim() === '' ? 'comments without words' : `says "${shortened(body)}"`;
  const names = mentions.length > 0 ? `, mentions ${listed(mentions)}` : '';
  const { length: woken } = wakeupIds;
  return `${author.id} ${words} on ${task}${names}, and wakes ${woken === 0 ? 'nobody' : woken === 1 ? 'one agent' : `${woken} agents`}`;
}

/** What was said while the run before was at work goes on to this one. */
function toldOf(context: RunContext): string {
  const { length: count } = commentIdsIn(context);
  return count > 0 ? `; it is told of ${count === 1 ? 'one comment' : `${count} comments`}` : '';
}

const mayOnlyAnswer = (task: string, blockedBy: readonly string[] = []): string =>
  blockedBy.length > 0 ? `, to answer and not to work: ${task} still waits for ${listed(blockedBy)}` : '';

function maybeSilent({ runId, decision, until, reason }: SilenceDecided['data']): string {
  const when = until ? utc(until) : 'it has spoken and fallen silent again';
  const decided = {
    snooze: `the silence of ${runId} is to be looked at again at ${when}`,
    continue: `${runId} may go on in silence until ${when}`,
    dismiss: `the silence of ${runId} means nothing, and is not raised again before ${when}`,
  };
  return `${decided[decision]}: ${reason}`;
}

const failure = ({ exitCode, errorFamily, error, notBefore }: Failure): string => {
  const when = notBefore ? `, not before ${utc(notBefore)}` : '';
  return `${exitCode === null ? '' : ` with exit code ${exitCode}`} (${errorFamily}${when})${error ? `: ${shortened(error)}` : ''}`;
};

function stopped({ runId, from, intent, reason, code }: RunCancelled['data']): string {
  const what =
    intent === 'requeue' ? 'is handed back, to be done again' : from === 'running' ? 'is stopped' : 'is not started any more';
  return `${runId} ${what}: ${reason} (${code})`;
}

const parked = (data: RetryScheduled['data']): string =>
  `${data.runId} waits until ${utc(data.dueAt)} to try ${data.retryOf} again: retry ${data.attempt} of ${data.maxAttempts}, ${whyThen(data)}${toldOf(data.context)}`;

function whyThen({ baseDelayMs, delayMs, notBefore, notBeforeCapped }: RetryScheduled['data']): string {
  const [base, delay] = [sayDuration(baseDelayMs), sayDuration(delayMs)];
  if (!notBefore) return base === delay ? `after ${delay}` : `after ${base}, by chance ${delay}`;
  const capped = notBeforeCapped && notBeforeCapped !== notBefore ? `, believed until ${utc(notBeforeCapped)}` : '';
  return `because the provider said ${utc(notBefore)}${capped}`;
}

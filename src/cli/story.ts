import type { Event } from '../events/event.js';
import type { LedgerEvent } from '../events/ledger-event.js';
import type { Failure } from '../events/run.js';
import type { Recorded } from '../events/event.js';
import { sayDuration } from './durations.js';
import type { Column } from './table.js';
import { sayTime } from './times.js';

/** When, where in the stream, what, by whom, and the sentence that says it to a person. */
export const storyColumns: readonly Column<Recorded>[] = [
  ['time', ({ recordedAt }) => sayTime(recordedAt)],
  ['rev', ({ revision }) => revision],
  ['event', ({ type }) => type],
  ['by', ({ metadata: { actor } }) => `${actor.type}:${actor.id}`],
  ['what', (fact) => story(fact), 'wrapped'],
];

/** An event as a sentence. One that this version does not know is told by its name alone. */
export function story(event: Event): string {
  // The ledger's own events have their shapes from `events/`; what is not one of them falls through to the default.
  const told = event as LedgerEvent;
  switch (told.type) {
    case 'CompanyNamed':
      return `the company is named ${told.data.name}`;
    case 'AgentRegistered':
      return `${told.data.agent} is registered: ${told.data.adapter}, ${retries(told.data.policy.retry.delaysMs)}`;
    case 'AgentChanged':
      return `${told.data.agent} is changed: ${told.data.adapter}, ${retries(told.data.policy.retry.delaysMs)}`;
    case 'AgentPaused':
      return `${told.data.agent} is paused: ${told.data.reason}`;
    case 'AgentResumed':
      return `${told.data.agent} goes on: ${told.data.reason}`;
    case 'AgentTerminated':
      return `${told.data.agent} is terminated: ${told.data.reason}`;
    case 'TaskOpened':
      return `"${told.data.title}" is opened as ${told.data.status}, ${owner(told.data.assignee)}`;
    case 'TaskChanged':
      return `"${told.data.title}", priority ${told.data.priority}`;
    case 'TaskAssigned':
      return `${owner(told.data.previous)} before, ${owner(told.data.assignee)} now`;
    case 'TaskStatusChanged':
      return `${told.data.from} → ${told.data.to}${told.data.why ? `: ${told.data.why}` : ''}`;
    case 'WakeupRequested':
      return `${told.data.agent} is asked to run: ${told.data.reason} (${told.data.source})`;
    case 'WakeupCoalesced':
      return `the demand joins ${told.data.runId ?? 'one that waits already'}`;
    case 'WakeupDeferred':
      return `the demand waits for the end of ${told.data.behind}`;
    case 'WakeupSkipped':
      return `the demand is refused: ${told.data.code}`;
    case 'WakeupCancelled':
      return `the demand is withdrawn: ${told.data.reason} (${told.data.code})`;
    case 'RunQueued':
      return `${told.data.runId} is queued for ${told.data.agent}: ${told.data.cause}, attempt ${told.data.attempt}`;
    case 'RunStarted':
      return `${told.data.runId} is started by ${told.data.workerId}`;
    case 'ProcessRecorded':
      return `${told.data.runId} is process ${told.data.pid} on ${told.data.host}`;
    case 'RunSucceeded':
      return `${told.data.runId} succeeded`;
    case 'RunFailed':
      return `${told.data.runId} failed${failure(told.data)}`;
    case 'RunTimedOut':
      return `${told.data.runId} ran out of time${failure(told.data)}`;
    case 'RunCancelled':
      return `${told.data.runId} is cancelled, ${told.data.intent === 'requeue' ? 'to be done again' : 'for good'}: ${told.data.reason} (${told.data.code})`;
    case 'RetryScheduled':
      return `${told.data.runId} is parked until ${sayTime(told.data.dueAt)}: attempt ${told.data.attempt} of ${told.data.maxAttempts} after ${told.data.retryOf}, ${told.data.reason}${delay(told.data)}`;
    case 'RetryPromoted':
      return `${told.data.runId} is queued, ${told.data.trigger === 'due' ? 'because it is due' : 'because somebody did not want to wait'}`;
    case 'RetrySuperseded':
      return `${told.data.runId} gives way to ${told.data.by}`;
    case 'RetryExhausted':
      return `${told.data.runId} is not tried again: ${told.data.attempts} of ${told.data.maxAttempts} retries are used`;
    case 'RecoveryEscalated':
      return `a person must look at it: ${told.data.why}`;
    default:
      return '';
  }
}

const owner = (agent: string | null): string => (agent === null ? "nobody's" : `${agent}'s`);

const retries = (delaysMs: readonly number[]): string =>
  delaysMs.length > 0 ? `retries after ${delaysMs.map(sayDuration).join(', ')}` : 'no retries';

const failure = ({ exitCode, errorFamily, error, notBefore }: Failure): string => {
  const when = notBefore ? `, not before ${sayTime(notBefore)}` : '';
  return `${exitCode === null ? '' : ` with exit code ${exitCode}`} (${errorFamily}${when})${error ? `: ${shortened(error)}` : ''}`;
};

interface Delay {
  readonly baseDelayMs: number;
  readonly delayMs: number;
  readonly notBefore?: string;
  readonly notBeforeCapped?: string;
}

function delay({ baseDelayMs, delayMs, notBefore, notBeforeCapped }: Delay): string {
  if (!notBefore) return ` (${sayDuration(baseDelayMs)} became ${sayDuration(delayMs)})`;
  const capped = notBeforeCapped && notBeforeCapped !== notBefore ? `, believed until ${sayTime(notBeforeCapped)}` : '';
  return ` (the provider said ${sayTime(notBefore)}${capped})`;
}

const shortened = (text: string): string => {
  const line = text.trim().replaceAll(/\s+/g, ' ');
  return line.length > 160 ? `${line.slice(0, 159)}…` : line;
};

import type { Recorded } from '../../events/event.js';
import type {
  FireConcluded,
  RoutineDefinition,
  RoutineEvent,
  RoutineFired,
  SlotsMissed,
  Trigger,
  TriggerSecretRotated,
} from '../../events/routine.js';
import type { FireTaken } from '../../events/task.js';
import { fireRefusalInWords, listed, shortened, utc } from '../in-words.js';

/** What became of routines and their fires, as sentences like those of `story`. */
export function routineStory(event: Recorded<RoutineEvent>): string {
  const { subject } = event;
  switch (event.type) {
    case 'RoutineDefined':
      return `${subject} is defined: ${definitionInWords(event.data)}`;
    case 'RoutineChanged':
      return `${subject} is changed: ${definitionInWords(event.data)}`;
    case 'RoutinePaused':
      return `${subject} is paused, and fires by hand only: ${event.data.reason}`;
    case 'RoutineResumed':
      return `${subject} goes on: ${event.data.reason}`;
    case 'RoutineArchived':
      return `${subject} is archived, and never fires again: ${event.data.reason}`;
    case 'TriggerSecretRotated':
      return rotated(subject, event.data);
    case 'RoutineFired':
      return fired(event.data);
    case 'FireCreated':
      return `${event.data.fire} has opened ${event.data.task}${andRun(event.data.run)}`;
    case 'FireCoalesced':
      return `${event.data.fire} has joined ${event.data.task}, which ${event.data.into} has opened${andRun(event.data.run)}`;
    case 'FireSkipped':
      return `nothing comes of ${event.data.fire} on ${event.data.task}: ${fireRefusalInWords(event.data.code)}`;
    case 'FireSuppressed':
      return `${event.data.fire} is suppressed (${event.data.code}): ${event.data.reason}`;
    case 'FireFailed': {
      const { fire, task, code, reason } = event.data;
      return `${fire} failed${task === null ? '' : ` on ${task}`} (${code}): ${reason}`;
    }
    case 'FireRedirected':
      return `${event.data.from} was closed when ${event.data.fire} came to it, so that it opens ${event.data.order.task}`;
    case 'FireConcluded':
      return concluded(event.data);
    case 'FireReopened':
      return `${event.data.task} goes on, and with it ${event.data.fire}`;
    case 'SlotsMissed':
      return missedInWords(event.data, ` by ${subject}`);
  }
}

/** What a fire has led to on the task that it came to. */
export function fireTakenInWords({ task, fire, how, code }: FireTaken['data']): string {
  const refused = code === null ? '' : `, and nothing comes of its wake: ${fireRefusalInWords(code)}`;
  switch (how) {
    case 'opened':
      return `${task} is opened by ${fire}${refused}`;
    case 'woken':
      return code === null ? `${fire} has come to ${task} as well, and wakes its agent` : `${fire} has come to ${task}${refused}`;
    case 'skipped':
      return `${fire} has come to ${task}, which is at work already, and is skipped`;
    case 'closed':
      return `${fire} has come to ${task}, which is closed: it is to open a task of its own`;
  }
}

export type Missed = Pick<SlotsMissed['data'], 'fire' | 'trigger' | 'count' | 'first' | 'last' | 'code'>;

/** "3 slots of daily, from … to …, are not fired: the routine was paused (nightly@7)" */
export function missedInWords({ fire, trigger, count, first, last, code }: Missed, by = ''): string {
  const slotsAre =
    count === 1
      ? `the slot of ${trigger} at ${utc(first)} is`
      : `${count} slots of ${trigger}, from ${utc(first)} to ${utc(last)}, are`;
  return `${slotsAre} not fired${by}: ${missedBecause[code]} (${fire})`;
}

const missedBecause: Readonly<Record<Missed['code'], string>> = {
  missed: 'nobody was there to fire in time',
  routine_paused: 'the routine was paused',
  schedule_changed: 'the schedule was changed, or ended',
};

function definitionInWords({ title, agent, triggers }: RoutineDefinition): string {
  const fires = triggers.length > 0 ? listed(triggers.map(triggerInWords)) : 'by hand only';
  return `"${shortened(title)}" for ${agent ?? 'no agent yet'}, ${fires}`;
}

function triggerInWords(trigger: Trigger): string {
  const off = trigger.enabled ? '' : ' (switched off)';
  return trigger.kind === 'schedule' ? `at ${trigger.cron} ${trigger.zone}${off}` : `by ${trigger.kind} ${trigger.id}${off}`;
}

function rotated(routine: string, { trigger, rotatedAt, overlapUntil }: TriggerSecretRotated['data']): string {
  const former = overlapUntil > rotatedAt ? `taken until ${utc(overlapUntil)}` : 'not taken any more';
  return `${trigger} of ${routine} has another secret from now on; the former one is ${former}`;
}

function fired({ fire, trigger, source, slot, order }: RoutineFired['data']): string {
  const by = trigger ?? 'hand';
  const how = { schedule: `by ${by}`, webhook: `by webhook ${by}`, api: `over the api by ${by}`, manual: 'by hand' }[source];
  const when = slot === null ? '' : `, due at ${utc(slot)}`;
  return `${fire} is fired ${how}${when}${order === null ? '' : `: ${order.agent} is to do "${shortened(order.title)}" on ${order.task}`}`;
}

const andRun = (run: string | null): string =>
  run === null ? ', where its agent is told when it can be' : `, and ${run} is for it`;

function concluded({ fire, task, status, outcome, reason }: FireConcluded['data']): string {
  const how = outcome === 'completed' ? 'is completed' : 'has failed';
  const state = `${task} is ${status}`;
  return `${fire} ${how}: ${state}${reason === null || reason === state ? '' : `, ${shortened(reason)}`}`;
}

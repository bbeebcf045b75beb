import { createHash } from 'node:crypto';

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

/** A fact: past tense, JSON only, small, never edited after its release. */
export interface Event<Type extends string = string, Data extends object = object> {
  readonly type: Type;
  readonly data: Data;
}

export interface Actor {
  readonly type: 'user' | 'agent' | 'system';
  readonly id: string;
}

/** What is folded from the events of a stream; the empty stream is `initial`. */
export interface Stream<State, E extends Event> {
  readonly initial: State;
  readonly evolve: (state: State, event: E) => State;
}

/** Who caused an event, and why. One for all events of an append. */
export interface Metadata {
  readonly actor: Actor;
  /** the chain of runs, or the request, that the event belongs to */
  readonly correlationId: string;
  /** the command or event that led to it */
  readonly causationId: string;
  readonly commandId: string;
  /** W3C Trace Context of the request, if it had one */
  readonly traceparent?: string;
}

/** An event on its way into a stream: `id` makes a repeated append harmless, `schema` is the version of its shape. */
export type NewEvent<E extends Event = Event> = E & { readonly id: string; readonly schema: number };

/** An event in its stream. `company` and `subject` are read off the stream's name. */
export type Appended<E extends Event = Event> = NewEvent<E> & {
  readonly stream: StreamId;
  readonly company: string;
  readonly subject: string;
  /** place in the stream, from 0 */
  readonly revision: number;
  /** the store's time, ISO 8601 in UTC; never goes back along positions */
  readonly recordedAt: string;
  readonly metadata: Metadata;
};

/** An event as the log is read. */
export type Recorded<E extends Event = Event> = Appended<E> & { readonly position: Position };

/**
 * Place in the whole log: opaque, comparable with `<` as a string, and only within one store.
 * The empty string is the place before the first event.
 */
export type Position = string;
export const beginning: Position = '';

export type Category = 'company' | 'agent' | 'task' | 'routine' | 'service';
/** `company-<company>`, `<category>-<company>.<subject>` or `operations` */
export type StreamId = `${Category}-${string}` | 'operations';

export const companyStream = (company: string): StreamId => `company-${company}`;
export const agentStream = (company: string, agent: string): StreamId => `agent-${company}.${agent}`;
export const taskStream = (company: string, task: string): StreamId => `task-${company}.${task}`;
export const routineStream = (company: string, routine: string): StreamId => `routine-${company}.${routine}`;

/** The tenant and the thing that a stream is about: `task-acme.ACME-12` is acme's ACME-12. */
export function subjectOf(stream: StreamId): { company: string; subject: string } {
  const dash = stream.indexOf('-');
  const dot = stream.indexOf('.', dash);
  if (dash < 0) return { company: '', subject: stream };
  if (dot < 0) return { company: stream.slice(dash + 1), subject: stream.slice(dash + 1) };
  return { company: stream.slice(dash + 1, dot), subject: stream.slice(dot + 1) };
}

export type AgentId = string;
export type TaskId = string;
/** `<task>.<n>`, n = 1, 2, 3 … within the task */
export type RunId = string;
export type WakeupId = string;
export type RoutineId = string;

export const runId = (task: TaskId, n: number): RunId => `${task}.${n}`;
export const taskOfRun = (run: RunId): TaskId => run.slice(0, run.lastIndexOf('.'));
export const numberOfRun = (run: RunId): number => Number(run.slice(run.lastIndexOf('.') + 1));
/** The lane of an agent's own work. */
export const heartbeatTask = (agent: AgentId): TaskId => `heartbeat~${agent}`;
export const isHeartbeat = (task: TaskId): boolean => task.startsWith('heartbeat~');
/** The task that the nth fire of a routine opens, if it opens one: `<routine>~<n>`. No routine is named heartbeat. */
export const fireTask = (routine: RoutineId, n: number): TaskId => `${routine}~${n}`;
/** Of a task that a routine has opened. */
export function routineOfTask(task: TaskId): RoutineId | undefined {
  const end = task.indexOf('~');
  return end < 0 || isHeartbeat(task) ? undefined : task.slice(0, end);
}
/** `<routine>@<n>` */
export const fireId = (routine: RoutineId, n: number): string => `${routine}@${n}`;
export const numberOfFire = (fire: string): number => Number(fire.slice(fire.lastIndexOf('@') + 1));
/** The fire that opened a task of a routine. */
export const fireOfTask = (task: TaskId): string => task.replace('~', '@');

/** Name-based UUID: RFC 9562, version 5, in a namespace of the ledger's own. */
export function nameUuid(...parts: readonly (string | number)[]): string {
  const hash = createHash('sha1').update(namespace).update(parts.join('\n')).digest();
  hash[6] = (hash[6]! & 0x0f) | 0x50;
  hash[8] = (hash[8]! & 0x3f) | 0x80;
  const hex = hash.toString('hex', 0, 16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
const namespace = Buffer.from('8f1d9a5c2b7e4c36a0d45e9f7a61c3b2', 'hex');

/** The same command on the same stream writes the same ids, however often it is tried. */
export const eventId = (commandId: string, stream: StreamId, ordinal: number): string =>
  nameUuid('event', commandId, stream, ordinal);
export const wakeupId = (commandId: string, ordinal: number): WakeupId => nameUuid('wakeup', commandId, ordinal);

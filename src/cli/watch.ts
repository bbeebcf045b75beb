import type { Command } from 'commander';
import type { Recorded } from '../events/event.js';
import { positionInWords } from '../events/positions.js';
import type { RunStatus } from '../events/run.js';
import type { Run } from '../projections/run-queries.js';
import type { Query } from './client.js';
import { named, openDoor, verb, type Door, type DoorOptions } from './door.js';
import type { Message } from './event-stream.js';
import { follow } from './follow.js';
import { insist } from './insist.js';
import { position } from './options.js';
import { Ended, exitCodes } from './problem.js';
import type { Column } from './table.js';
import { sayTime } from './times.js';

export function addWatch(program: Command): void {
  verb(program, 'watch', 'what happens, as it happens, until Ctrl-C; lines of JSON where it is no terminal')
    .option('--topics <topics...>', 'of companies, agents, tasks, wakeups, runs, routines, dashboard; default all but the last')
    .option('--agent <agent...>', 'only what concerns one of them')
    .option('--task <task...>')
    .option('--run <run...>')
    .option('--routine <routine...>', 'only the fires of one of them, and the tasks that they have opened')
    .option('--since <position>', 'begin behind that position instead of now', position)
    .action((options: WatchOptions) => watch(doorOf(options), options));
}

export function addRunsWatch(runs: Command): void {
  verb(runs, 'watch [run]', 'how runs move on, as they do; one run until it has ended: 0 when it succeeded, 1 when not')
    .option('--agent <agent...>', 'only runs of one of them')
    .option('--task <task...>')
    .action((run: string | undefined, { agent, task, ...options }: RunsWatchOptions) =>
      run === undefined ? watchRuns(doorOf(options), { agent, task }) : watchRun(doorOf(options), run),
    );
}

interface RunsWatchOptions extends DoorOptions {
  agent?: string[];
  task?: string[];
}

interface WatchOptions extends RunsWatchOptions {
  topics?: string[];
  run?: string[];
  routine?: string[];
  since?: string;
}

/** What a message tells; all but the first two of an event only. */
type Told = { readonly topic: string; readonly position: string } & Partial<Recorded & { readonly sentence: string }>;

const toldColumns: readonly Column<Told>[] = [
  ['time', ({ recordedAt }) => sayTime(recordedAt).padEnd(8)],
  ['position', ({ position }) => positionInWords(position).padStart(6)],
  ['event', ({ topic, type = topic }) => type.padEnd(18)],
  ['by', ({ metadata }) => (metadata ? `${metadata.actor.type}:${metadata.actor.id}` : '').padEnd(16)],
  ['what', ({ topic, sentence }) => sentence ?? (topic === 'dashboard' ? 'the dashboard shows something else' : ''), 'wrapped'],
];

async function watch(door: Door, { topics, agent, task, run, routine, since }: WatchOptions): Promise<void> {
  for await (const message of messages(door, { topics, agent, task, run, routine }, since)) {
    const told = toldBy(message);
    if (told) await door.output.next(told, toldColumns);
  }
}

/** A run as it stands from here on. */
interface Move extends Pick<Run, 'task' | 'agent'> {
  readonly run: string;
  readonly status: RunStatus;
  readonly at: string;
  readonly sentence: string;
}

const moveColumns: readonly Column<Move>[] = [
  ['time', ({ at }) => sayTime(at).padEnd(8)],
  ['run', ({ run }) => run.padEnd(16)],
  ['status', ({ status }) => status.padEnd(15)],
  ['what', ({ sentence }) => sentence, 'wrapped'],
];

async function watchRuns(door: Door, query: Query): Promise<void> {
  for await (const message of messages(door, { ...query, topics: 'runs' })) {
    const move = moveIn(toldBy(message));
    if (move) await door.output.next(move, moveColumns);
  }
}

/** Shows first how it stands when the stream has begun, so that nothing lies in between; what that shows already is not told again. */
async function watchRun(door: Door, name: string): Promise<void> {
  const { id } = await named(door.client, 'runs', name, (run) => door.client.get<Run>(['runs', run]));
  let shown = -1;
  for await (const message of messages(door, { run: id, topics: 'runs' })) {
    const first = shown < 0 ? await upTo(message.id, door, id) : undefined;
    const told = toldBy(message);
    const move = first ? standing(first) : told && told.revision! > shown ? moveIn(told) : undefined;
    shown = first?.revision ?? shown;
    if (move?.run !== id) continue;
    await door.output.next(move, moveColumns);
    if (ends.has(move.status)) return ended(move.status);
  }
}

const upTo = (minPosition: string, { client }: Door, id: string): Promise<Run> =>
  insist(() => client.get<Run>(['runs', id], {}, { minPosition }), { forMs: 30_000 });

const standing = ({ id: run, task, agent, status, finishedAt, startedAt, queuedAt, error }: Run): Move => ({
  run,
  task,
  agent,
  status,
  at: finishedAt ?? startedAt ?? queuedAt,
  sentence: `${run} is ${status}${error ? `: ${error}` : ''}`,
});

function moveIn(told: Told | undefined): Move | undefined {
  const status = statuses[told?.type ?? ''];
  if (!told || !status) return undefined;
  const { runId: run, agent } = told.data as { runId: string; agent: string };
  return { run, task: told.subject!, agent, status, at: told.recordedAt!, sentence: told.sentence ?? '' };
}

/** How a run stands after an event. */
const statuses: Readonly<Record<string, RunStatus>> = {
  RunQueued: 'queued',
  RetryScheduled: 'scheduled_retry',
  RetryPromoted: 'queued',
  RunStarted: 'running',
  RunSucceeded: 'succeeded',
  RunFailed: 'failed',
  RunTimedOut: 'timed_out',
  RunCancelled: 'cancelled',
  RetrySuperseded: 'cancelled',
};

const ends: ReadonlySet<RunStatus> = new Set(['succeeded', 'failed', 'timed_out', 'cancelled']);

function ended(status: RunStatus): void {
  if (status !== 'succeeded') throw new Ended(exitCodes.failure);
}

/** Without those that say something of the connection only. */
function toldBy({ event, data }: Message): Told | undefined {
  if (event === 'ready' || event === 'resume') return undefined;
  return { topic: event, ...(JSON.parse(data) as Omit<Told, 'topic'>) };
}

/** Until Ctrl-C, or until nobody reads what is written. */
async function* messages({ client, output }: Door, query: Query, since?: string): AsyncGenerator<Message> {
  const over = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => over.abort());
  process.stdout.once('error', () => over.abort());
  const note = (sentence: string) => output.note(sentence);
  let isFirst = true;
  for await (const message of follow(client, query, { since, signal: over.signal, note })) {
    if (isFirst && output.format === 'table') note(`from position ${positionInWords(message.id)} on, until Ctrl-C`);
    isFirst = false;
    yield message;
  }
}

/** A table on a terminal, and lines elsewhere: what has no end is no one document. */
const doorOf = ({ output, company }: DoorOptions): Door =>
  openDoor({ company, output: output ?? (process.stdout.isTTY ? 'table' : 'jsonl') });

import 'reflect-metadata';
import { randomUUID } from 'node:crypto';
import { agentStream, taskStream } from '../../dist/events/event.js';
import { putAgent } from '../../dist/commands/agent.js';
import { Ledger } from '../../dist/commands/ledger.js';
import { retryNow } from '../../dist/commands/retry.js';
import { finishRun, recordProcess, startRun } from '../../dist/commands/run.js';
import { putTask, setTaskStatus } from '../../dist/commands/task.js';
import { requestWakeup } from '../../dist/commands/wakeup.js';
import { MemoryEventStore } from '../../dist/event-store/memory.js';

export const company = 'bench';
export const agent = 'worker';

export const template = 'T-0';
const lease = 'the-lease';
const begin = Date.parse('2026-04-20T12:00:00.000Z');

const put = [putTask, { task: template, title: 'Make the nightly build green again', assignee: agent }];
const start = (n) => [startRun, { run: `${template}.${n}`, workerId: 'worker-1', leaseMs: 30_000 }];
const record = (n) => [
  recordProcess,
  { run: `${template}.${n}`, lease, pid: 4711, host: 'build-7', startedAt: '2026-04-20T12:00:00.000Z' },
];
const finish = (n, outcome) => [
  finishRun,
  { run: `${template}.${n}`, lease, exitCode: 1, usage: { inputTokens: 12_345, outputTokens: 678 }, ...outcome },
];
const wake = [requestWakeup, { agent, task: template }];
const promote = (n) => [retryNow, { run: `${template}.${n}` }];
const overload = {
  outcome: 'failed',
  error: '529 overloaded_error: the upstream is overloaded',
  errorFamily: 'transient_upstream',
};

const stories = {
  /** a run that failed of what no waiting heals, so that nothing follows by itself */
  failed: [put, start(1), finish(1, { outcome: 'failed', error: 'no such model', errorFamily: 'config' })],
  /** a run that failed, and its retry, parked */
  parked: [put, start(1), finish(1, overload)],
  /** a run that waits to be claimed */
  queued: [put],
  /** five runs: three succeeded, one failed, and one went over its time */
  mixed: [
    put,
    start(1),
    finish(1, { outcome: 'succeeded', exitCode: 0 }),
    wake,
    start(2),
    finish(2, { outcome: 'failed', error: 'no such model', errorFamily: 'config' }),
    start(3),
    finish(3, { outcome: 'succeeded', exitCode: 0 }),
    wake,
    start(4),
    finish(4, { outcome: 'timed_out' }),
    start(5),
    finish(5, { outcome: 'succeeded', exitCode: 0 }),
  ],
  /** the whole life of a task with three runs: 20 events */
  whole: [
    put,
    start(1),
    record(1),
    finish(1, overload),
    promote(2),
    start(2),
    record(2),
    finish(2, overload),
    promote(3),
    start(3),
    record(3),
    finish(3, { outcome: 'succeeded', exitCode: 0 }),
    [setTaskStatus, { task: template, status: 'done' }],
    [putTask, { task: template, title: 'Made the nightly build green again' }],
  ],
};

/** The agent that all of it is about, as a write. */
export async function registered() {
  const { store } = await told([]);
  return writeOf(agentStream(company, agent), await store.readStream(agentStream(company, agent)));
}

/** What the deciders make of a story, as it is recorded of the task `template`. */
export async function eventsOf(name) {
  const { store } = await told(stories[name]);
  return store.readStream(taskStream(company, template));
}

/** A task that has run and run again, four events each time, and one of its own: as a write. */
export async function longStory(task, runs) {
  const rounds = Array.from({ length: runs }, (_, n) => [
    wake,
    start(n + 1),
    finish(n + 1, { outcome: 'succeeded', exitCode: 0 }),
  ]);
  // The first run is asked for by the assignment.
  const { store } = await told([put, ...rounds.flat().slice(1)]);
  const events = JSON.stringify(await store.readStream(taskStream(company, template))).replaceAll(template, task);
  return writeOf(taskStream(company, task), JSON.parse(events));
}

/** What the deciders make of a story, to be copied to as many tasks as are wanted: `copy(task)` answers a write. */
export async function story(name) {
  const text = JSON.stringify(await eventsOf(name));
  const wakeups = [...new Set([...text.matchAll(/"wakeupId":"([^"]+)"/g)].map(([, id]) => id))];
  const [, dueAt] = text.match(/"dueAt":"([^"]+)"/) ?? [];
  return function copy(task, { due } = {}) {
    let copied = text.replaceAll(template, task);
    for (const id of wakeups) copied = copied.replaceAll(id, randomUUID());
    if (due) copied = copied.replaceAll(dueAt, due.toISOString());
    return writeOf(taskStream(company, task), JSON.parse(copied));
  };
}

/** One write of many events, as many writes of one, or of `size`. */
export const apart = ({ stream, events, metadata }, size = 1) =>
  Array.from({ length: Math.ceil(events.length / size) }, (_, n) => ({
    stream,
    expectedRevision: n === 0 ? 'no-stream' : n * size - 1,
    events: events.slice(n * size, (n + 1) * size),
    metadata,
  }));

async function told(commands) {
  const store = new MemoryEventStore();
  let now = begin;
  const clock = { now: () => new Date((now += 60_000)), random: () => 0.5 };
  let run;
  const ledger = new Ledger(store, clock, { of: async () => ({ token: lease, runId: run }), release: async () => {} });
  for (const [decision, fields] of [[putAgent, { agent, policy: { maxConcurrentRuns: 10 } }], ...commands]) {
    run = fields.run;
    if (decision === retryNow) now += 24 * 3_600_000;
    const command = Object.assign(new decision.command(), { company, ...fields });
    await ledger.handle(decision, command, { commandId: randomUUID(), actor: { type: 'user', id: 'operator' } });
  }
  return { store };
}

function writeOf(stream, recorded) {
  const [{ metadata }] = recorded;
  const events = recorded.map(({ type, data, schema }) => ({ type, data, schema, id: randomUUID() }));
  return { stream, expectedRevision: 'no-stream', events, metadata: { ...metadata, commandId: randomUUID() } };
}

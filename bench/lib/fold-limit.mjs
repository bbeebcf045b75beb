// The least that must be done to keep the ledger's read models: the same tables and indexes, folded by hand into rows that are changed in
// place, each table on a connection of its own. No owner, no term, no checks, no parked streams; every row stays in memory for ever.
import pg from 'pg';

const pageSize = 5_000;
const rawText = { getTypeParser: () => (text) => text };

/** Reads the whole log of `events` events and folds it; each table goes at its own pace. */
export async function foldByHand(url, schemas, events) {
  const reader = new pg.Client({ connectionString: url, types: rawText });
  await reader.connect();
  await reader.query('create table limit_checkpoints as select unnest($1::text[]) as name, 0 as batches', [Object.keys(folds)]);
  const tables = await Promise.all(Object.entries(folds).map(([name, fold]) => Table.open(url, name, schemas[name], fold)));
  const pageAt = pagesOf(reader, Math.ceil(events / pageSize));
  await Promise.all(tables.map((table) => table.follow(pageAt)));
  await Promise.all([reader, ...tables].map((each) => each.end()));
}

/** The least that a rebuild of one table comes to: the whole log is folded in memory, and each row inserted once, many at a time. */
export async function rebuildByHand(url, name, schema, events) {
  const reader = new pg.Client({ connectionString: url, types: rawText });
  await reader.connect();
  const table = await Table.open(url, name, schema, folds[name]);
  let next = readPage(reader, 0, events);
  for (let after = 0; after < events; after += pageSize) {
    const page = await next;
    if (after + pageSize < events) next = readPage(reader, after + pageSize, events - after - pageSize);
    for (const event of page) table.apply(event, table);
  }
  await table.insertAll();
  await Promise.all([reader, table].map((each) => each.end()));
}

/** Positions have no holes, so that a page's place is known; each is read and parsed once, and the next one ahead. */
function pagesOf(reader, count) {
  const pages = [];
  const read = (n) => (pages[n] ??= (pages[n - 1] ?? Promise.resolve()).then(() => readPage(reader, n * pageSize)));
  return (n) => {
    if (n >= count) return undefined;
    const page = read(n);
    if (n + 1 < count) read(n + 1);
    return page;
  };
}

async function readPage(reader, after, most = pageSize) {
  const text =
    'select position, stream, revision, type, data, metadata, recorded_at from public.events where position > $1 order by position limit $2';
  const { rows } = await reader.query({ name: 'page', text, values: [after, Math.min(most, pageSize)] });
  return rows.map(parsed);
}

function parsed({ position, stream, revision, type, data, metadata, recorded_at }) {
  const [, company, subject] = stream.match(/^\w+-([^.]+)\.(.*)$/);
  return { position, company, subject, revision, type, at: recorded_at, data: JSON.parse(data), metadata: JSON.parse(metadata) };
}

class Table {
  rows = new Map();
  touched = new Map();
  removed = new Map();

  static async open(url, name, schema, fold) {
    const client = new pg.Client({ connectionString: url, options: '-c synchronous_commit=off' });
    await client.connect();
    const { rows: columns } = await client.query(
      `select attname as name, format_type(atttypid, atttypmod) as type
       from pg_attribute
       where attrelid = to_regclass($1)
         and attnum > 0
         and not attisdropped
       order by attnum`,
      [`${schema}.${name}`],
    );
    return new Table(client, name, `${schema}.${name}`, columns, fold);
  }

  constructor(client, name, table, columns, { key, apply }) {
    Object.assign(this, { client, name, table, columns, key, apply });
    this.sql = statement(name, table, columns, key);
  }

  async follow(pageAt) {
    for (let n = 0, page; (page = pageAt(n)); n++) {
      for (const event of await page) this.apply(event, this);
      await this.write();
    }
  }

  put(id, row) {
    this.rows.set(id, row);
    this.touched.set(id, row);
    this.removed.delete(id);
  }

  /** To be changed in place. */
  take(id) {
    const row = this.rows.get(id);
    if (row) this.touched.set(id, row);
    return row;
  }

  remove(id) {
    const row = this.rows.get(id);
    if (!row) return;
    this.rows.delete(id);
    this.touched.delete(id);
    this.removed.set(id, row);
  }

  /** One statement, and so one transaction: rows, removals and how far it is. */
  async write() {
    const [rows, gone] = [[...this.touched.values()], [...this.removed.values()]];
    this.touched.clear();
    this.removed.clear();
    const values = [
      ...this.columns.map((column) => listOf(column, rows)),
      ...this.key.map((column) => gone.map((row) => row[column])),
      this.name,
    ];
    await this.client.query({ name: 'write', text: this.sql, values });
  }

  /** Into an empty table. */
  async insertAll() {
    const rows = [...this.rows.values()];
    const list = ({ type }, at) => `$${at + 1}::${type}[]`;
    const text = `insert into ${this.table} (${this.columns.map(({ name }) => name)}) select * from unnest(${this.columns.map(list)})`;
    for (let from = 0; from < rows.length; from += pageSize) {
      const values = this.columns.map((column) => listOf(column, rows.slice(from, from + pageSize)));
      await this.client.query({ name: 'insert', text, values });
    }
  }

  end() {
    return this.client.end();
  }
}

function statement(name, table, columns, key) {
  const names = columns.map((column) => column.name);
  const list = (column, at) => `$${at + 1}::${columns.find((each) => each.name === column).type}[]`;
  return `
    with written as (
      insert into ${table}
      select *
      from unnest(${names.map(list)})
      on conflict (${key}) do update
      set ${names.map((column) => `${column} = excluded.${column}`)}
    ),
    removed as (
      delete from ${table} stored
      using unnest(${key.map((column, i) => list(column, names.length + i))}) as gone (${key})
      where ${key.map((column) => `stored.${column} = gone.${column}`).join(' and ')}
    )
    update limit_checkpoints
    set batches = batches + 1
    where name = $${names.length + key.length + 1}`;
}

function listOf({ name, type }, rows) {
  return rows.map((row) => (type === 'jsonb' && row[name] != null ? JSON.stringify(row[name]) : (row[name] ?? null)));
}

const ends = { RunSucceeded: 'succeeded', RunFailed: 'failed', RunTimedOut: 'timed_out', RunCancelled: 'cancelled' };
const counters = { queued: 'queued', scheduled_retry: 'parked', running: 'running' };
const statusAfter = { RunQueued: 'queued', RetryScheduled: 'scheduled_retry', RetryPromoted: 'queued', RunStarted: 'running' };

function foldRun({ type, company, revision, data }, table) {
  if (!data.runId || type === 'WakeupCoalesced') return;
  if (type === 'RunQueued' || type === 'RetryScheduled') return table.put(data.runId, newRun(type, company, revision, data));
  const run = table.take(data.runId);
  run.revision = revision;
  run.status = ends[type] ?? statusAfter[type] ?? run.status;
  if (type === 'RunStarted') [run.worker, run.started_at] = [data.workerId, data.startedAt];
  if (type === 'ProcessRecorded') [run.pid, run.host] = [data.pid, data.host];
  if (ends[type]) {
    run.finished_at = data.finishedAt;
    run.exit_code = data.exitCode;
    run.error = data.error;
    run.error_code = data.errorCode;
    run.error_family = data.errorFamily;
  }
}

function newRun(type, company, revision, data) {
  const { runId, agent, chain, attempt, retryOf, maxAttempts, reason, dueAt, cause, wakeupIds, context, queuedAt } = data;
  const dot = runId.lastIndexOf('.');
  return {
    company,
    run_id: runId,
    task: runId.slice(0, dot),
    n: Number(runId.slice(dot + 1)),
    agent,
    status: statusAfter[type],
    chain,
    attempt,
    max_attempts: maxAttempts,
    retry_of: retryOf,
    retry_reason: reason,
    scheduled_retry_at: dueAt,
    cause: cause ?? 'retry',
    source: context.source,
    wakeups: wakeupIds,
    context,
    queued_at: queuedAt,
    exhausted: false,
    detached: false,
    revision,
  };
}

function foldWakeup({ type, company, subject, data, metadata }, table) {
  if (type === 'WakeupRequested') return table.put(data.wakeupId, newWakeup(company, subject, data, metadata));
  for (const id of data.wakeupIds ?? []) {
    const wakeup = table.take(id);
    if (type === 'RunQueued' || type === 'RetryScheduled')
      [wakeup.status, wakeup.run, wakeup.claimed_at] = ['queued', data.runId, null];
    if (type === 'RunStarted') [wakeup.status, wakeup.claimed_at] = ['claimed', data.startedAt];
    if (ends[type]) [wakeup.status, wakeup.finished_at] = [type === 'RunSucceeded' ? 'completed' : 'failed', data.finishedAt];
  }
}

function newWakeup(company, task, { wakeupId, agent, source, trigger, reason, payload, requestedAt }, { actor }) {
  const fixed = {
    comment_ids: [],
    status: 'queued',
    coalesced_count: 0,
    requested_by: `${actor.type}:${actor.id}`,
    requested_at: requestedAt,
  };
  return { company, wakeup_id: wakeupId, agent, task, source, trigger, reason, payload, ...fixed };
}

function foldTask({ type, company, subject, revision, data }, table) {
  if (type === 'TaskOpened') return table.put(subject, newTask(company, revision, data));
  const task = table.take(subject);
  if (!task) return;
  task.revision = revision;
  if (type === 'TaskChanged') [task.title, task.changed_at] = [data.title, data.changedAt];
  if (type === 'TaskStatusChanged') [task.status, task.changed_at] = [data.to, data.changedAt];
  if (type === 'RunQueued' || type === 'RetryScheduled') [task.last_run, task.open_runs] = [data.runId, task.open_runs + 1];
  if (type === 'RunStarted') task.running = data.runId;
  if (ends[type]) [task.running, task.open_runs] = [null, task.open_runs - 1];
}

function newTask(company, revision, { task, kind, title, status, priority, parent, labels, assignee, openedAt }) {
  return {
    company,
    task,
    kind,
    title,
    status,
    priority,
    parent,
    labels,
    assignee,
    opened_at: openedAt,
    changed_at: openedAt,
    open_runs: 0,
    blockers: [],
    revision,
  };
}

function foldDue({ type, company, subject, revision, data }, table) {
  if (type === 'RetryScheduled') {
    const { runId, agent, chain, attempt, dueAt, queuedAt, wakeupIds, place } = data;
    table.put(subject, {
      company,
      task: subject,
      revision,
      due_at: dueAt,
      parked: [{ runId, agent, chain, attempt, dueAt, queuedAt, wakeupIds, place }],
    });
  } else if (type === 'RetryPromoted') table.remove(subject);
  else if (table.rows.size > 0) {
    const row = table.take(subject);
    if (row) row.revision = revision;
  }
}

function foldReady({ type, company, subject, data }, table) {
  if (type === 'RunQueued' || type === 'RetryPromoted') {
    const { runId, agent, place, queuedAt, promotedAt } = data;
    const n = Number(runId.slice(runId.lastIndexOf('.') + 1));
    table.put(runId, {
      company,
      run_id: runId,
      task: subject,
      n,
      agent,
      kind: place.kind,
      rank: 1,
      priority: 2,
      ready_at: promotedAt ?? queuedAt,
    });
  } else if (type === 'RunStarted') table.remove(data.runId);
}

function foldAgent({ type, company, revision, data }, table) {
  if (type === 'AgentRegistered') {
    const { agent, name, adapter, manager, policy, registeredAt } = data;
    const counts = { running: 0, queued: 0, parked: 0 };
    return table.put(agent, {
      company,
      agent,
      name,
      adapter,
      manager,
      policy,
      status: 'active',
      since: registeredAt,
      ...counts,
      revision,
    });
  }
  const to = statusAfter[type];
  if (!to && !ends[type]) return;
  const agent = table.take(data.agent);
  if (data.from) agent[counters[data.from]]--;
  if (to) agent[counters[to]]++;
  if (type === 'RunStarted') [agent.last_run, agent.last_run_at] = [data.runId, data.startedAt];
}

function foldDay({ type, company, data }, table) {
  const to = statusAfter[type] ?? ends[type];
  if (!to) return;
  const day = data.queuedAt.slice(0, 10);
  if (!table.rows.has(day))
    table.put(day, { company, day, queued: 0, running: 0, parked: 0, succeeded: 0, failed: 0, timed_out: 0, cancelled: 0 });
  const row = table.take(day);
  if (data.from) row[counters[data.from]]--;
  row[counters[to] ?? to]++;
}

function foldCount({ type, company, data }, table) {
  if (type !== 'TaskOpened' && type !== 'TaskStatusChanged') return;
  for (const [status, by] of type === 'TaskOpened'
    ? [[data.status, 1]]
    : [
        [data.from, -1],
        [data.to, 1],
      ]) {
    if (!table.rows.has(status)) table.put(status, { company, status, tasks: 0 });
    table.take(status).tasks += by;
  }
}

function foldActivity({ type, company, subject, position, at, data, metadata: { actor } }, table) {
  if (type === 'ProcessRecorded') return;
  const [entity_type, entity_id] = data.runId
    ? ['run', data.runId]
    : data.wakeupId
      ? ['wakeup', data.wakeupId]
      : ['task', subject];
  const line = {
    company,
    position: position.padStart(16, '0'),
    at,
    actor_type: actor.type,
    actor_id: actor.id,
    action: type,
    entity_type,
    entity_id,
  };
  table.put(position, {
    ...line,
    agent: data.agent ?? data.assignee,
    task: subject,
    run: data.runId,
    sentence: `${entity_id} ${type} ${data.reason ?? ''}`,
  });
}

const folds = {
  due_retries: { key: ['company', 'task'], apply: foldDue },
  ready_runs: { key: ['company', 'run_id'], apply: foldReady },
  run_status: { key: ['company', 'run_id'], apply: foldRun },
  wakeup_requests: { key: ['company', 'wakeup_id'], apply: foldWakeup },
  agents: { key: ['company', 'agent'], apply: foldAgent },
  tasks: { key: ['company', 'task'], apply: foldTask },
  task_counts: { key: ['company', 'status'], apply: foldCount },
  dashboard: { key: ['company', 'day'], apply: foldDay },
  activity: { key: ['company', 'position'], apply: foldActivity },
};

/** Those that it knows how to fold. */
export const tablesByHand = Object.keys(folds);

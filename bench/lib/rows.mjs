import pg from 'pg';
import { readModelOf } from '../../dist/projections/projection.js';
import { foldLog } from '../../dist/projections/projector/fold.js';
import { agent, company, template } from './history.mjs';

/**
 * The rows that a projection makes of the events of one task, as those of `count` tasks `<prefix>-1`, `<prefix>-2` …, written by one
 * statement: a million runs would take the projectors a quarter of an hour. Each task has its own ids, demands and times; it is
 * of one of `agents` agents in turn and begins `everyMs` after the one before. Lines of the feed are at the positions behind `head`.
 */
export async function writeRows(db, projection, events, { prefix, count, agents, begin, everyMs, head }) {
  const table = `${readModelOf(projection)}.${projection.name}`;
  const rows = foldLog(projection, events);
  if (rows.length === 0) return;
  const columns = await columnsOf(db, table);
  const said = wordsIn(events);
  const selects = rows.map((row) => `select ${columns.map(({ name, type }) => `(${said(row[name])})::${type}`).join(', ')}`);
  await db.query(
    `
    insert into ${table} (${columns.map(({ name }) => name).join(', ')})
    select made.*
    from (
      select
        $1::text || '-' || n as name,
        '${agent}-' || (n % $3::int + 1) as agent,
        $4::timestamptz + (n - 1) * $5::float8 * interval '1 ms' as begin,
        $6::bigint + (n - 1) * ${events.length} as place
      from generate_series(1, $2::int) n
      offset 0
    ) task
    cross join lateral (${selects.join(' union all ')}) made (${columns.map(({ name }) => name).join(', ')})`,
    [prefix, count, agents, begin, everyMs, head],
  );
}

/** A table is filled several times as fast without them. */
export async function withoutIndexes(db, projections, work) {
  const { rows } = await db.query(
    `
    select index.schemaname || '.' || index.indexname as name, index.indexdef
    from pg_indexes index
    join pg_class class on class.oid = (index.schemaname || '.' || index.indexname)::regclass
    join pg_index details on details.indexrelid = class.oid
    where not details.indisprimary
      and index.schemaname = any ($1)`,
    [projections.map((projection) => readModelOf(projection))],
  );
  for (const { name } of rows) await db.query(`drop index ${name}`);
  await work();
  for (const { indexdef } of rows) await db.query(indexdef);
}

async function columnsOf(db, table) {
  const { rows } = await db.query(
    `
    select attname as name, format_type(atttypid, atttypmod) as type
    from pg_attribute
    where attrelid = $1::regclass
      and attnum > 0
      and not attisdropped
    order by attnum`,
    [table],
  );
  return rows;
}

/** A value of a row of the one task, in SQL that says it of `task`. */
function wordsIn(events) {
  const text = JSON.stringify(events.map(({ data, metadata }) => [data, metadata]));
  const found = (pattern) => [...new Set([...text.matchAll(pattern)].map(([match]) => match))];
  const uuids = found(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g);
  const times = found(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g).toSorted();
  const timeOf = (time) => `task.begin + ${Date.parse(time) - Date.parse(times[0])} * interval '1 ms'`;
  const words = new Map([
    [template, 'task.name'],
    [`"${agent}"`, `'"' || task.agent || '"'`],
    ...uuids.map((uuid, n) => [uuid, `md5(task.name || ' id ${n}')::uuid::text`]),
    ...times.map((time) => [time, `to_char((${timeOf(time)}) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`]),
    ...events.map(({ position }, n) => [position, `lpad((task.place + ${n + 1})::text, 16, '0')`]),
  ]);
  const pattern = new RegExp(`(${[...words.keys()].map((word) => word.replaceAll('.', '\\.')).join('|')})`);
  const ofText = (value) =>
    value
      .split(pattern)
      .map((part) => words.get(part) ?? pg.escapeLiteral(part))
      .join(' || ');
  const recorded = new Set(events.map(({ recordedAt }) => recordedAt));
  return (value) => {
    if (recorded.has(value)) return 'task.begin';
    if (value === null || typeof value === 'number' || typeof value === 'boolean') return String(value);
    if (typeof value === 'object') return ofText(JSON.stringify(value));
    if (times.includes(value)) return timeOf(value);
    return value === agent ? 'task.agent' : ofText(value);
  };
}

/** What the counters of the company come to with all of these rows. */
export async function count(db, { dashboard, taskCounts, agents, runStatus, tasks }) {
  const [runs, lanes] = [runStatus, tasks].map((projection) => `${readModelOf(projection)}.${projection.name}`);
  const number = (status) => `count(*) filter (where status = '${status}')`;
  await db.query(`
    truncate ${readModelOf(dashboard)}.dashboard, ${readModelOf(taskCounts)}.task_counts;
    insert into ${readModelOf(dashboard)}.dashboard (company, day, queued, running, parked, succeeded, failed, timed_out, cancelled)
    select company, (queued_at at time zone 'UTC')::date, ${['queued', 'running', 'scheduled_retry', 'succeeded', 'failed', 'timed_out', 'cancelled'].map(number).join(', ')}
    from ${runs}
    group by 1, 2;
    insert into ${readModelOf(taskCounts)}.task_counts (company, status, tasks)
    select company, status, count(*)
    from ${lanes}
    group by 1, 2;
    update ${readModelOf(agents)}.agents agent
    set queued = run.queued, running = run.running, parked = run.parked
    from (
      select company, agent, ${number('queued')} as queued, ${number('running')} as running, ${number('scheduled_retry')} as parked
      from ${runs}
      where company = '${company}'
      group by 1, 2
    ) run
    where agent.company = run.company
      and agent.agent = run.agent`);
}

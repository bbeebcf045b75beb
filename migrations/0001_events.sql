-- The log. Appends take one lock, so positions are 1, 2, 3 … without holes and are seen in that order.
create table public.events (
  position bigint primary key,
  stream text collate "C" not null,
  revision int not null,
  id uuid not null,
  type text collate "C" not null,
  schema smallint not null,
  data jsonb not null,
  metadata jsonb not null,
  recorded_at timestamptz not null,
  unique (stream, revision)
);

create function public.refuse_change_of_events() returns trigger
language plpgsql as $$
begin
  raise exception 'events are never changed: % on % is refused, append an event that corrects it',
    lower(tg_op), tg_table_name
    using errcode = 'object_not_in_prerequisite_state';
end
$$;

create trigger events_are_immutable
before update or delete or truncate on public.events
for each statement execute function public.refuse_change_of_events();

-- Always: also where session_replication_role switches ordinary triggers off.
alter table public.events enable always trigger events_are_immutable;

-- One row while the clock is set by hand (demonstrations and tests), none otherwise.
create table public.manual_clock (
  only_row boolean primary key default true check (only_row),
  now timestamptz not null,
  random double precision not null default 0.5 check (random between 0 and 1)
);

-- The ledger's time, in whole milliseconds: what is stored is exactly what readers are shown.
create view public.ledger_clock as
select date_trunc('milliseconds', coalesce((select c.now from public.manual_clock c), clock_timestamp())) as now;

create function public.ledger_now() returns timestamptz
language plpgsql volatile as $$
begin
  return (select c.now from public.ledger_clock c);
end
$$;

create function public.epoch_ms(at timestamptz) returns bigint
language sql immutable parallel safe as $$
  select (extract(epoch from at) * 1000)::bigint
$$;

-- Expectations travel as numbers: a revision, or one of these.
--   -1 no-stream   -2 stream-exists   -3 any

-- Which of a write's ids its stream has, in the order of revisions.
create function public.known_ids(stream text, head int, expected int, ids uuid[]) returns table (revision int, id uuid)
language plpgsql as $$
begin
  return query
  select e.revision, e.id
  from public.events e
  where e.stream = known_ids.stream
    and e.revision > head - 100
    and e.id = any (ids)
  union
  select e.revision, e.id
  from public.events e
  where e.stream = known_ids.stream
    and expected >= -1
    and e.revision between expected + 1 and expected + cardinality(ids)
    and e.id = any (ids)
  order by 1;
end
$$;

-- What becomes of a write whose expectation is not the revision `head` of its stream (-1: no stream): `appended` after all, `replayed`
-- (its ids are there already), or `conflict`; and the revision of its last event, of a conflict the head. Ids are looked for where
-- the expectation would put them and among the last 100 events of the stream.
create function public.judge_write(
  stream text, head int, expected int, ids uuid[],
  out outcome text, out revision int
)
language plpgsql as $$
declare
  complete boolean;
begin
  select max(known.revision), array_agg(known.id) = ids and max(known.revision) - min(known.revision) = cardinality(ids) - 1
  into revision, complete
  from public.known_ids(judge_write.stream, head, expected, ids) known;
  if complete then
    outcome := 'replayed';
  elsif revision is null and (expected = -3 or (expected = -2 and head >= 0)) then
    outcome := 'appended';
    revision := head + cardinality(ids);
  else
    outcome := 'conflict';
    revision := head;
  end if;
end
$$;

-- One appender at a time, from here to the commit. A later statement of the caller sees what its predecessor committed,
-- which holds under read committed only.
create function public.begin_append() returns void
language plpgsql as $$
begin
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception 'append under "%" could miss what was just committed: use a read committed transaction',
      current_setting('transaction_isolation')
      using errcode = 'invalid_transaction_state';
  end if;
  if current_setting('synchronous_commit') = 'off' then
    perform set_config('synchronous_commit', 'on', true);
  end if;
  perform pg_advisory_xact_lock(hashtext('run-ledger append'));
end
$$;

-- Appends one write; call it alone in its transaction. `events` is [{id, type, schema, data}, …].
-- `revision` and `position` are those of the write's last event; of a conflict `revision` is the stream's, -1 for none.
-- The position of a replayed write is left to whoever reads its events.
create function public.append_one(
  stream text, expected int, events jsonb, metadata jsonb,
  out outcome text, out revision int, out "position" bigint, out recorded_ms bigint
)
language plpgsql as $$
declare
  head int;
  last bigint;
  next_time timestamptz;
begin
  perform public.begin_append();
  -- One statement for all that is asked before the insert: each one costs as much as a look into an index.
  select
    coalesce((select e.revision from public.events e where e.stream = append_one.stream order by e.revision desc limit 1), -1),
    coalesce(tail.position, 0),
    greatest(tail.recorded_at, clock.now)
  into head, last, next_time
  from public.ledger_clock clock
  left join lateral (select e.position, e.recorded_at from public.events e order by e.position desc limit 1) tail on true;
  outcome := 'appended';
  revision := head + jsonb_array_length(events);
  if expected <> head then
    select judged.outcome, judged.revision
    into outcome, revision
    from public.judge_write(append_one.stream, head, expected, public.ids_of(events)) judged;
    if outcome <> 'appended' then
      return;
    end if;
  end if;
  insert into public.events (position, stream, revision, id, type, schema, data, metadata, recorded_at)
  select last + e.n, append_one.stream, head + e.n, e.id, e.type, e.schema, e.data, append_one.metadata, next_time
  from rows from (jsonb_to_recordset(append_one.events) as (id uuid, type text, schema smallint, data jsonb))
    with ordinality as e (id, type, schema, data, n);
  "position" := last + revision - head;
  recorded_ms := public.epoch_ms(next_time);
end
$$;

create function public.ids_of(events jsonb) returns uuid[]
language sql immutable as $$
  select array(select (e ->> 'id')::uuid from jsonb_array_elements(events) e)
$$;

-- Appends many writes, all to different streams, each for itself. The lists have an entry per write; `events` are those of all
-- writes, [{write, id, type, schema, data}, …], in order, with the number of their write from 1. The rows are answers in the order
-- of the writes, as `append_one` gives them.
create function public.append_events(streams text[], expectations int[], counts int[], metadatas jsonb[], events jsonb)
returns table (outcome text, revision int, "position" bigint, recorded_ms bigint)
language plpgsql as $$
declare
  last bigint;
  next_time timestamptz;
begin
  perform public.begin_append();
  select coalesce(tail.position, 0), greatest(tail.recorded_at, clock.now)
  into last, next_time
  from public.ledger_clock clock
  left join lateral (select e.position, e.recorded_at from public.events e order by e.position desc limit 1) tail on true;
  return query
  with heads as materialized (
    select
      w.*,
      coalesce((select e.revision from public.events e where e.stream = w.stream order by e.revision desc limit 1), -1) as head
    from unnest(streams, expectations, counts, metadatas) with ordinality as w (stream, expected, count, metadata, n)
  ),
  judged as materialized (
    select h.n, h.stream, h.count, h.metadata, h.head, 'appended' as outcome, h.head + h.count as revision
    from heads h
    where h.expected = h.head
    union all
    select h.n, h.stream, h.count, h.metadata, h.head, j.outcome, j.revision
    from heads h
    cross join lateral public.judge_write(
      h.stream, h.head, h.expected,
      array(select (e ->> 'id')::uuid from jsonb_array_elements(events) e where (e ->> 'write')::int = h.n)
    ) j
    where h.expected <> h.head
  ),
  placed as materialized (
    select
      j.*,
      last + sum(j.count) filter (where j.outcome = 'appended') over in_order as last,
      sum(j.count) over in_order as through
    from judged j
    window in_order as (order by j.n)
  ),
  inserted as (
    insert into public.events (position, stream, revision, id, type, schema, data, metadata, recorded_at)
    select
      p.last - p.through + e.n, p.stream, p.revision - p.through + e.n,
      e.id, e.type, e.schema, e.data, p.metadata, next_time
    from rows from (jsonb_to_recordset(append_events.events) as (write int, id uuid, type text, schema smallint, data jsonb))
      with ordinality as e (write, id, type, schema, data, n)
    join placed p on p.n = e.write
    where p.outcome = 'appended'
  )
  select
    p.outcome,
    p.revision,
    case when p.outcome = 'appended' then p.last::bigint end,
    public.epoch_ms(next_time)
  from placed p
  order by p.n;
end
$$;

-- The last position recorded at or before a time, 0 for none. Positions have no holes and recorded_at never goes back.
create function public.position_at(epoch_ms bigint) returns bigint
language plpgsql stable as $$
declare
  low bigint := 0;
  high bigint := coalesce((select max(e.position) from public.events e), 0);
  middle bigint;
begin
  while low < high loop
    middle := (low + high + 1) / 2;
    if (select public.epoch_ms(e.recorded_at) <= position_at.epoch_ms from public.events e where e.position = middle) then
      low := middle;
    else
      high := middle - 1;
    end if;
  end loop;
  return low;
end
$$;

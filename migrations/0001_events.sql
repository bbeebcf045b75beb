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
create function public.ledger_now() returns timestamptz
language plpgsql volatile as $$
begin
  return date_trunc('milliseconds', coalesce((select c.now from public.manual_clock c), clock_timestamp()));
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

-- What becomes of a write: `appended` behind head (-1: no stream), `replayed` (its ids are there already), or `conflict`; and the
-- revision of its last event. Ids are looked for where the expectation would put them and among the last 100 events of the stream.
create function public.judge_write(
  stream text, expected int, events jsonb,
  out outcome text, out head int, out revision int
)
language plpgsql as $$
declare
  ids uuid[];
  complete boolean;
begin
  select e.revision
  into head
  from public.events e
  where e.stream = judge_write.stream
  order by e.revision desc
  limit 1;
  if head is not null then
    ids := array(select (e ->> 'id')::uuid from jsonb_array_elements(judge_write.events) e);
    select max(known.revision), array_agg(known.id) = ids and max(known.revision) - min(known.revision) = cardinality(ids) - 1
    into revision, complete
    from public.known_ids(judge_write.stream, head, expected, ids) known;
  end if;
  head := coalesce(head, -1);
  if revision is not null then
    outcome := case when complete then 'replayed' else 'conflict' end;
  elsif expected = head or expected = -3 or (expected = -2 and head >= 0) then
    outcome := 'appended';
    revision := head + jsonb_array_length(judge_write.events);
  else
    outcome := 'conflict';
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

-- The last position, and the time of the next one.
create function public.log_tail(out last bigint, out next_time timestamptz)
language plpgsql as $$
begin
  select e.position, e.recorded_at
  into last, next_time
  from public.events e
  order by e.position desc
  limit 1;
  last := coalesce(last, 0);
  next_time := greatest(next_time, public.ledger_now());
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
  judged record;
  tail record;
begin
  perform public.begin_append();
  judged := public.judge_write(append_one.stream, expected, append_one.events);
  outcome := judged.outcome;
  if outcome <> 'appended' then
    revision := case when outcome = 'conflict' then judged.head else judged.revision end;
    return;
  end if;
  tail := public.log_tail();
  insert into public.events (position, stream, revision, id, type, schema, data, metadata, recorded_at)
  select tail.last + e.n, append_one.stream, judged.head + e.n, e.id, e.type, e.schema, e.data, append_one.metadata, tail.next_time
  from rows from (jsonb_to_recordset(append_one.events) as (id uuid, type text, schema smallint, data jsonb))
    with ordinality as e (id, type, schema, data, n);
  revision := judged.revision;
  "position" := tail.last + judged.revision - judged.head;
  recorded_ms := extract(epoch from tail.next_time) * 1000;
end
$$;

-- Appends many writes, all to different streams, each for itself: the parameters are lists with an entry per write,
-- the rows are answers in the same order, as `append_one` gives them.
create function public.append_events(streams text[], expectations int[], batches jsonb[], metadatas jsonb[])
returns table (outcome text, revision int, "position" bigint, recorded_ms bigint)
language plpgsql as $$
declare
  tail record;
begin
  perform public.begin_append();
  tail := public.log_tail();
  return query
  with judged as materialized (
    select w.*, j.*
    from unnest(streams, expectations, batches, metadatas) with ordinality as w (stream, expected, events, metadata, n)
    cross join lateral public.judge_write(w.stream, w.expected, w.events) j
  ),
  placed as materialized (
    select j.*, tail.last + sum(j.revision - j.head) filter (where j.outcome = 'appended') over (order by j.n) as last
    from judged j
  ),
  inserted as (
    insert into public.events (position, stream, revision, id, type, schema, data, metadata, recorded_at)
    select
      p.last - (p.revision - p.head) + e.n, p.stream, p.head + e.n,
      e.id, e.type, e.schema, e.data, p.metadata, tail.next_time
    from placed p
    cross join lateral
      rows from (jsonb_to_recordset(p.events) as (id uuid, type text, schema smallint, data jsonb))
      with ordinality as e (id, type, schema, data, n)
    where p.outcome = 'appended'
  )
  select
    p.outcome,
    case when p.outcome = 'conflict' then p.head else p.revision end,
    case when p.outcome = 'appended' then p.last::bigint end,
    (extract(epoch from tail.next_time) * 1000)::bigint
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

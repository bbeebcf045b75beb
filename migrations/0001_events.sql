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
language sql volatile as $$
  select date_trunc('milliseconds', coalesce((select now from public.manual_clock), clock_timestamp()))
$$;

create function public.epoch_ms(at timestamptz) returns bigint
language sql immutable parallel safe as $$
  select (extract(epoch from at) * 1000)::bigint
$$;

-- Expectations travel as numbers: a revision, or one of these.
--   -1 no-stream   -2 stream-exists   -3 any

-- What becomes of a write: `appended` behind head, `replayed` (its ids are there already, up to `revision`), or `conflict`.
-- Ids are looked for where the expectation would put them and among the last 100 events of the stream.
create function public.judge_write(
  stream text, expected int, ids uuid[],
  out outcome text, out head int, out revision int
)
language sql stable as $$
  select
    case
      when known.complete then 'replayed'
      when known.last is not null then 'conflict'
      when expected = last.revision or expected = -3 or (expected = -2 and last.revision >= 0) then 'appended'
      else 'conflict'
    end,
    last.revision,
    case
      when known.complete then known.last
      when known.last is null then last.revision + cardinality(ids)
    end
  from (
    select coalesce(
      (select e.revision from public.events e where e.stream = judge_write.stream order by e.revision desc limit 1),
      -1
    ) as revision
  ) last
  cross join lateral (
    select
      max(found.revision) as last,
      array_agg(found.id order by found.revision) = ids
        and max(found.revision) - min(found.revision) = cardinality(ids) - 1 as complete
    from (
      select e.revision, e.id
      from public.events e
      where e.stream = judge_write.stream
        and e.revision > last.revision - 100
        and e.id = any (ids)
      union
      select e.revision, e.id
      from public.events e
      where e.stream = judge_write.stream
        and expected >= -1
        and e.revision between expected + 1 and expected + cardinality(ids)
        and e.id = any (ids)
    ) found
  ) known
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
  judged record;
  last_position bigint;
  recorded timestamptz := public.ledger_now();
begin
  perform public.begin_append();
  select * into judged
  from public.judge_write(
    append_one.stream, expected,
    array(select (e ->> 'id')::uuid from jsonb_array_elements(append_one.events) e)
  );
  outcome := judged.outcome;
  if outcome <> 'appended' then
    revision := case when outcome = 'conflict' then judged.head else judged.revision end;
    return;
  end if;
  select e.position, greatest(e.recorded_at, recorded)
  into last_position, recorded
  from (values (true)) always
  left join (select * from public.events e order by e.position desc limit 1) e on true;
  last_position := coalesce(last_position, 0);
  insert into public.events (position, stream, revision, id, type, schema, data, metadata, recorded_at)
  select last_position + e.n, append_one.stream, judged.head + e.n, e.id, e.type, e.schema, e.data, append_one.metadata, recorded
  from rows from (jsonb_to_recordset(append_one.events) as (id uuid, type text, schema smallint, data jsonb))
    with ordinality as e (id, type, schema, data, n);
  revision := judged.revision;
  "position" := last_position + judged.revision - judged.head;
  recorded_ms := public.epoch_ms(recorded);
end
$$;

-- Appends many writes, all to different streams, each for itself: the parameters are lists with an entry per write,
-- the rows are answers in the same order, as `append_one` gives them.
create function public.append_events(streams text[], expectations int[], batches jsonb[], metadatas jsonb[])
returns table (outcome text, revision int, "position" bigint, recorded_ms bigint)
language plpgsql as $$
declare
  last_position bigint;
  recorded timestamptz := public.ledger_now();
begin
  perform public.begin_append();
  select e.position, greatest(e.recorded_at, recorded)
  into last_position, recorded
  from (values (true)) always
  left join (select * from public.events e order by e.position desc limit 1) e on true;
  last_position := coalesce(last_position, 0);
  return query
  with judged as materialized (
    select w.*, judged.*
    from unnest(streams, expectations, batches, metadatas) with ordinality as w (stream, expected, events, metadata, n)
    cross join lateral public.judge_write(
      w.stream, w.expected,
      array(select (e ->> 'id')::uuid from jsonb_array_elements(w.events) e)
    ) judged
  ),
  placed as materialized (
    select
      judged.*,
      last_position + sum(judged.revision - judged.head) filter (where judged.outcome = 'appended') over (order by judged.n) as last
    from judged
  ),
  inserted as (
    insert into public.events (position, stream, revision, id, type, schema, data, metadata, recorded_at)
    select
      p.last - (p.revision - p.head) + e.n, p.stream, p.head + e.n,
      e.id, e.type, e.schema, e.data, p.metadata, recorded
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
    public.epoch_ms(recorded)
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

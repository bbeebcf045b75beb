-- Who works on what: kept beside the log, because a lease is renewed too often to be a fact. Times are the ledger's.

-- A lane has one lease; its token is the fence of every report of the worker that holds it.
create table lane_leases (
  company text collate "C" not null,
  task text collate "C" not null,
  run_id text collate "C" not null,
  agent text collate "C" not null,
  worker_id text not null,
  request_id text not null,
  token text not null,
  lease_ms integer not null,
  expires_at timestamptz not null,
  -- first and last sign of life after the claim
  beaten_at timestamptz,
  -- what the worker last said of the run's output: how far it has come, and when it last grew
  output_seq bigint,
  output_at timestamptz,
  -- taken away, and not yet reported as lost
  revoked_at timestamptz,
  primary key (company, task)
) with (fillfactor = 70);

create index lane_leases_by_agent on lane_leases (company, agent);
create index lane_leases_by_request on lane_leases (company, agent, worker_id, request_id);
create index lane_leases_by_expiry on lane_leases (expires_at);

-- Workers are known by their claims and beats.
create table workers (
  company text collate "C" not null,
  agent text collate "C" not null,
  worker_id text not null,
  seen_at timestamptz not null,
  primary key (company, agent, worker_id)
) with (fillfactor = 50);

-- Leases on the lanes that are free, in the order given, while the agent has slots. Claims of one agent take turns, so that
-- two of them cannot both count the last slot.
create function take_leases(
  company text, agent text, worker_id text, request_id text, lease_ms integer,
  tasks text[], runs text[], tokens text[], max_runs integer, slots integer
)
returns table (task text, run_id text, token text)
language plpgsql as $$
#variable_conflict use_column
declare
  free integer;
begin
  perform pg_advisory_xact_lock(hashtextextended('claims ' || $1 || '/' || $2, 0));
  select least(max_runs, slots - count(*))
  into free
  from lane_leases held
  where held.company = $1
    and held.agent = $2;
  if free <= 0 then
    return;
  end if;
  return query
  insert into lane_leases (company, task, run_id, agent, worker_id, request_id, token, lease_ms, expires_at)
  select $1, wanted.task, wanted.run_id, $2, $3, $4, wanted.token, $5, ledger_now() + $5 * interval '1 ms'
  from unnest(tasks, runs, tokens) with ordinality as wanted (task, run_id, token, place)
  where not exists (
    select
    from lane_leases held
    where held.company = $1
      and held.task = wanted.task
  )
  order by wanted.place
  limit free
  on conflict do nothing
  returning lane_leases.task, lane_leases.run_id, lane_leases.token;
end
$$;

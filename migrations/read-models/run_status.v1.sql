create table run_status (
  company text collate "C" not null,
  run_id text collate "C" not null,
  task text collate "C" not null,
  n integer not null,
  agent text collate "C" not null,
  status text not null,
  chain text collate "C" not null,
  attempt integer not null,
  max_attempts integer,
  retry_of text,
  retry_reason text,
  scheduled_retry_at timestamptz,
  fallback_mode text,
  cause text not null,
  source text,
  wakeups jsonb not null,
  context jsonb not null,
  queued_at timestamptz not null,
  started_at timestamptz,
  finished_at timestamptz,
  exit_code integer,
  error text,
  error_code text,
  error_family text,
  worker text,
  pid integer,
  host text,
  exhausted boolean not null,
  superseded_by text,
  silence jsonb,
  detached boolean not null default false,
  blocked_by jsonb,
  -- of the last event that moved the run
  revision integer not null,
  primary key (company, run_id)
) with (fillfactor = 80);

-- Every list is newest first with the run id as tie-breaker, so each index ends with both. A chain lies within one task, whose index
-- serves it.
create index run_status_newest on run_status (company, queued_at desc, run_id desc);
create index run_status_by_status on run_status (company, status, queued_at desc, run_id desc);
create index run_status_by_agent on run_status (company, agent, queued_at desc, run_id desc);
create index run_status_by_task on run_status (company, task, queued_at desc, run_id desc);
create index run_status_by_error on run_status (company, error_code, queued_at desc, run_id desc) where error_code is not null;
create index run_status_parked on run_status (company, scheduled_retry_at, run_id) where status = 'scheduled_retry';
create index run_status_running on run_status (company, task) where status = 'running';
create index run_status_waiting on run_status (company, task) include (agent) where status in ('queued', 'scheduled_retry');

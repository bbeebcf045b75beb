create table wakeup_requests (
  company text collate "C" not null,
  wakeup_id uuid not null,
  agent text collate "C" not null,
  task text collate "C" not null,
  source text not null,
  trigger text not null,
  reason text not null,
  payload jsonb not null,
  comment_ids jsonb not null,
  status text not null,
  code text,
  -- of the demand that it joined, where it joined one
  run text,
  coalesced_into uuid,
  coalesced_count integer not null,
  requested_by text not null,
  requested_at timestamptz not null,
  claimed_at timestamptz,
  finished_at timestamptz,
  primary key (company, wakeup_id)
) with (fillfactor = 80);

create index wakeup_requests_newest on wakeup_requests (company, requested_at desc, wakeup_id desc);
create index wakeup_requests_by_status on wakeup_requests (company, status, requested_at desc, wakeup_id desc);
create index wakeup_requests_by_agent on wakeup_requests (company, agent, requested_at desc, wakeup_id desc);
create index wakeup_requests_by_task on wakeup_requests (company, task, requested_at desc, wakeup_id desc);
create index wakeup_requests_by_reason on wakeup_requests (company, reason, requested_at desc, wakeup_id desc);
create index wakeup_requests_deferred on wakeup_requests (company, agent) where status = 'deferred';

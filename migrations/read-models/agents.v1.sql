create table agents (
  company text collate "C" not null,
  agent text collate "C" not null,
  name text not null,
  adapter text not null,
  manager text,
  policy jsonb not null,
  status text not null,
  -- since when it has this status, and why
  since timestamptz not null,
  reason text,
  running integer not null,
  queued integer not null,
  parked integer not null,
  last_run text,
  last_run_at timestamptz,
  revision integer not null,
  primary key (company, agent)
) with (fillfactor = 50);

create index agents_held on agents (company, agent) where status <> 'active';

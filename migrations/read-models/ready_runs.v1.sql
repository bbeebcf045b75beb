create table ready_runs (
  company text collate "C" not null,
  run_id text collate "C" not null,
  task text collate "C" not null,
  n integer not null,
  agent text collate "C" not null,
  kind text not null,
  rank smallint not null,
  priority smallint not null,
  ready_at timestamptz not null,
  primary key (company, run_id)
) with (fillfactor = 70);

create index ready_runs_in_order on ready_runs (company, agent, rank, priority, ready_at, n);

create table demand_conservation (
  company text collate "C" not null,
  task text collate "C" not null,
  requested integer not null,
  delivered integer not null,
  coalesced integer not null,
  skipped integer not null,
  cancelled integer not null,
  open integer not null,
  -- where each open demand is; what is closed is only counted
  demands jsonb not null,
  runs jsonb not null,
  adrift jsonb not null,
  stranded integer not null,
  last_run integer,
  command_id text not null,
  violations integer not null,
  first_violation text,
  primary key (company, task)
) with (fillfactor = 50);

create index demand_conservation_violated on demand_conservation (company, task) where violations > 0;

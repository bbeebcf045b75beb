create table due_heartbeats (
  company text collate "C" not null,
  agent text collate "C" not null,
  status text not null,
  -- 0: its heartbeat is off
  interval_sec integer not null,
  counted_from timestamptz not null,
  -- its open runs on its own lane
  own_runs integer not null,
  due_at timestamptz,
  primary key (company, agent)
) with (fillfactor = 70);

create index due_heartbeats_by_time on due_heartbeats (due_at, company, agent) where due_at is not null;

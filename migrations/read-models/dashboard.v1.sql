create table dashboard (
  company text collate "C" not null,
  -- the UTC day on which the runs were queued, or parked
  day date not null,
  queued integer not null,
  running integer not null,
  parked integer not null,
  succeeded integer not null,
  failed integer not null,
  timed_out integer not null,
  cancelled integer not null,
  primary key (company, day)
) with (fillfactor = 50);

create index dashboard_open on dashboard (company) include (queued, running, parked) where queued + running + parked > 0;

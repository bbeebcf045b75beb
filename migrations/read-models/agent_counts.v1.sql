create table agent_counts (
  company text collate "C" not null,
  registered integer not null,
  -- their names
  paused jsonb not null,
  terminated integer not null,
  primary key (company)
) with (fillfactor = 50);

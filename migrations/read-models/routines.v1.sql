create table routines (
  company text collate "C" not null,
  routine text collate "C" not null,
  status text not null,
  -- why, and since when it is paused or archived
  reason text,
  since timestamptz not null,
  title text not null,
  description text,
  agent text collate "C",
  priority text not null,
  concurrency text not null,
  catch_up text not null,
  variables jsonb not null,
  fingerprint_ignore jsonb not null,
  spread_sec integer not null,
  active_from timestamptz,
  active_until timestamptz,
  triggers jsonb not null,
  defined_at timestamptz not null,
  changed_at timestamptz not null,
  -- number of the last fire, or fact about missed slots
  fires integer not null,
  -- how many have come to what
  outcomes jsonb not null,
  last_fire text,
  last_fired_at timestamptz,
  next_due_at timestamptz,
  -- of the stream's last event
  revision integer not null,
  primary key (company, routine)
) with (fillfactor = 70);

create index routines_newest on routines (company, defined_at desc, routine desc);
create index routines_by_status on routines (company, status, defined_at desc, routine desc);
create index routines_by_agent on routines (company, agent, defined_at desc, routine desc);
create index routines_by_time on routines (next_due_at, company, routine) where next_due_at is not null;

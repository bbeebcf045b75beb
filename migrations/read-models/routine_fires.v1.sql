create table routine_fires (
  company text collate "C" not null,
  routine text collate "C" not null,
  fire text collate "C" not null,
  -- place among the routine's fires
  n integer not null,
  trigger text,
  source text not null,
  slot timestamptz,
  fired_at timestamptz not null,
  outcome text not null,
  settled_at timestamptz,
  code text,
  reason text,
  task text collate "C",
  run text,
  wakeup uuid,
  -- the fire that opened the task which it has joined
  coalesced_into text collate "C",
  fingerprint text,
  -- of slots that were missed: how many, and the last of them
  count integer,
  last_slot timestamptz,
  concluded jsonb,
  primary key (company, routine, fire)
) with (fillfactor = 70);

create index routine_fires_newest on routine_fires (company, routine, n desc);
create index routine_fires_pending on routine_fires (fired_at) where outcome = 'pending';

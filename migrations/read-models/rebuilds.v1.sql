create table rebuilds (
  -- the name of the read model that it builds
  rebuild text collate "C" not null primary key,
  projection text collate "C" not null,
  version integer not null,
  generation integer not null,
  -- what it is compared with
  beside text not null,
  purpose text not null,
  phase text not null,
  paused boolean not null,
  events_per_second integer,
  reason text not null,
  actor jsonb not null,
  started_at timestamptz not null,
  filled_at timestamptz,
  events bigint,
  rows bigint,
  compared_at timestamptz,
  comparison jsonb,
  error text,
  -- when it was last asked, or not asked any more
  cut_over_at timestamptz,
  -- since when what it has built is not to be there
  ended_at timestamptz,
  -- of the event that began it
  position text collate "C" not null
);

create index rebuilds_newest on rebuilds (position desc);
create index rebuilds_by_projection on rebuilds (projection, position desc);

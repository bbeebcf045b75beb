-- How far each read model has folded the log. A read model is the table of one version of a projection, in a schema of its own;
-- its name is the schema's: run_status_v1. The position moves by compare-and-set, in the statement that writes the rows.
create table checkpoints (
  read_model text primary key,
  projection text not null,
  version integer not null,
  -- of the last event that was folded; '' before the first
  position text collate "C" not null default '',
  event_id text not null default '',
  stream text,
  revision integer,
  -- of the owner that may move it
  term bigint not null default 0,
  -- why it does not go on, when it does not
  halted text,
  moved_at timestamptz not null default clock_timestamp()
) with (fillfactor = 50);

-- Which version of a projection is asked: one row, changed by a cut-over.
create table projection_versions (
  projection text primary key,
  version integer not null,
  read_model text not null,
  live_since timestamptz not null default clock_timestamp()
);

-- Streams that a read model could not fold: nothing of them is folded from that position on, until they are retried.
create table parked_streams (
  read_model text not null,
  stream text not null,
  position text collate "C" not null,
  revision integer not null,
  event_id text not null,
  error text not null,
  parked_at timestamptz not null default clock_timestamp(),
  primary key (read_model, stream)
);

-- Who runs a loop of which only one may run. Times are the database's; the term counts the owners and fences the former ones.
create table owners (
  name text primary key,
  holder uuid not null,
  term bigint not null,
  expires_at timestamptz not null,
  host text not null,
  pid integer not null,
  pid_started text not null
) with (fillfactor = 50);

-- Read models beside the live ones: of another version of their projection, or of the same one built anew.
alter table checkpoints
  -- which time this version is built: the first one has no number in its name, the others have (run_status_v1_g2)
  add column generation integer not null default 1,
  -- its rows are not complete yet, and no projector follows it
  add column filling boolean not null default false;

-- A fill goes by parts: ranges of streams, or the whole log. A part's rows and its mark come in one transaction, so that a fill that was
-- cut off goes on with the parts that have none.
create table fill_parts (
  read_model text not null,
  part integer not null,
  -- the streams of the part, in the order of their bytes: from the first one on, and before the second; null: no bound
  from_stream text collate "C",
  before_stream text collate "C",
  -- that it has folded, and rows that came of them; null until it is done
  events bigint,
  rows bigint,
  primary key (read_model, part)
);

-- How a rebuild gets on, as often as it moves; what it has come to is in the operations stream.
create table rebuild_progress (
  read_model text primary key,
  -- filling, indexing, catching_up, comparing
  phase text not null,
  -- events that are folded in this phase, of those that are to be
  done bigint not null default 0,
  total bigint not null default 0,
  -- events per second, lately
  rate double precision not null default 0,
  -- what it waits for, though nobody has paused it
  trouble text,
  moved_at timestamptz not null default clock_timestamp()
) with (fillfactor = 50);

-- Events that a version of a projection leaves out because an operator said so.
create table skipped_events (
  projection text not null,
  version integer not null,
  event_id text not null,
  stream text not null,
  position text collate "C" not null,
  reason text not null,
  primary key (projection, version, event_id)
);

-- Read models as they were at one position, in schemas that operators name; nothing follows them.
create table as_of_schemas (
  schema_name text primary key,
  position text collate "C" not null,
  built_at timestamptz not null default clock_timestamp()
);

-- Its tables have the projections' names.
create table as_of_read_models (
  schema_name text not null references as_of_schemas on delete cascade,
  projection text not null,
  version integer not null,
  primary key (schema_name, projection)
);

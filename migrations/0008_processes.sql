-- The processes of the ledger that live, each by its own word every 5 s; times are the database's, as with owners. One that ended as
-- it should has taken its row with it; one that did not is known by its silence, and forgotten after a day.
create table processes (
  holder uuid primary key,
  -- the machine, and the pid namespace in it that the pid counts in
  host text not null,
  pid integer not null,
  roles text[] not null,
  started_at timestamptz not null default clock_timestamp(),
  seen_at timestamptz not null default clock_timestamp()
) with (fillfactor = 50);

-- When a worker last asked for runs: one that only beats is at work, and may have no hands free.
alter table workers add column asked_at timestamptz;

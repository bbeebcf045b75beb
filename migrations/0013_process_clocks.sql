-- By how much the clock of a process's machine is behind the database's, in ms, as it last said so. It decides nothing, and is worth
-- setting right.
alter table public.processes
  add column skew_ms bigint not null default 0;

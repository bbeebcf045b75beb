-- Logs: which one the events here are, which one is followed, and how one is closed for writes.

-- Every log has an id of its own, a copy too. The row of this one comes with the first question for it.
create table public.event_log (
  only_row boolean primary key default true check (only_row),
  id uuid not null default gen_random_uuid()
);

insert into public.event_log (only_row)
select true
where exists (select from public.events);

-- The log that read models, policies and leases of this database belong to; it may be kept in another store than this.
create table public.followed_log (
  only_row boolean primary key default true check (only_row),
  id uuid not null,
  since timestamptz not null default clock_timestamp()
);

insert into public.followed_log (id)
select id
from public.event_log;

-- While a log is sealed, this is called before each insert. The trigger is made and dropped by whoever seals and unseals: it waits for
-- inserts that are under way, and costs nothing while it is not there.
create function public.refuse_sealed_events() returns trigger
language plpgsql as $$
begin
  raise exception 'the log is sealed: nothing is written to it until ledger store unseal'
    using errcode = 'RLOG1';
end
$$;

-- What is sealed belongs to one log, and tells where the log is at a time.
alter table public.audit_ranges disable trigger audit_ranges_are_immutable;

alter table public.audit_ranges
  add column log uuid,
  -- of the last event; not known of ranges of before
  add column last_recorded_at timestamptz;

update public.audit_ranges
set log = (select id from public.event_log);

alter table public.audit_ranges
  alter column log set not null,
  drop constraint audit_ranges_pkey,
  add primary key (log, range);

drop index public.audit_ranges_last_position_idx;
create unique index on public.audit_ranges (log, last_position);

alter table public.audit_ranges enable always trigger audit_ranges_are_immutable;

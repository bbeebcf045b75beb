-- When this database began to follow another log. A row comes with the change, in its transaction, and is told in the new log right after
-- it; one that was not is told by whoever runs the same command again.
create table public.log_moves (
  -- of the command that tells it
  id uuid primary key default gen_random_uuid(),
  from_log uuid not null,
  to_log uuid not null,
  -- that both logs had then, and the digest of them all
  events bigint not null,
  digest text not null,
  -- by the name of each read model that was followed, what stands in its place
  read_models jsonb not null,
  moved_at timestamptz not null default clock_timestamp(),
  told_at timestamptz
);

-- How far each policy has come by the log. It reacts before its position moves, so what it was about when it was cut off it does again:
-- a reaction is one command, however often it is sent.
create table policy_checkpoints (
  policy text primary key,
  -- of the last event that it came by; '' before the first
  position text collate "C" not null default '',
  event_id text not null default '',
  stream text,
  revision integer,
  -- of the owner that may move it
  term bigint not null,
  -- why it does not go on, when it does not
  halted text,
  moved_at timestamptz not null default clock_timestamp()
) with (fillfactor = 50);

-- Reactions that could not be carried out, and those to the same stream that wait behind them. They are tried again in this order.
create table parked_reactions (
  policy text not null,
  -- that the reaction is to; of an event that the policy failed at, the event's own
  stream text collate "C" not null,
  -- of the event that is reacted to
  position text collate "C" not null,
  n bigint generated always as identity,
  event_stream text not null,
  event_revision integer not null,
  -- without one, the policy is asked again
  command text,
  fields jsonb,
  command_id uuid not null,
  error text not null,
  parked_at timestamptz not null default clock_timestamp(),
  primary key (policy, command_id)
);

create index parked_reactions_in_order on parked_reactions (policy, stream, position, n);

-- What was asked under which key, for 24 hours. `status` and what follows it are null while it is not known what was answered;
-- the commandId then finds out. Written without waiting for the disk: a crash that loses a row loses the refusal of another body
-- under the same key, and nothing else.
create table idempotency_keys (
  -- names the company
  path text not null,
  key text not null,
  -- of the body as it was received, keyed by the secret
  body_hash bytea not null,
  -- of a wakeup: all of its fields but the payload, which decide where it goes
  target jsonb,
  command_id uuid not null,
  status smallint,
  headers jsonb,
  body text,
  reserved_at timestamptz not null default clock_timestamp(),
  primary key (path, key)
);

create index idempotency_keys_by_age on idempotency_keys (reserved_at);

-- Makes hashes of bodies useless to whoever reads the table and guesses what was sent.
create table idempotency_secret (
  only_row boolean primary key default true check (only_row),
  secret bytea not null
);

insert into idempotency_secret (secret)
values (decode(replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), 'hex'));

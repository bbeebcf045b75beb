-- Where a webhook of a routine is found, and what its sender has to prove. The public id, which is in the URL, is kept as its hash only:
-- of a trigger that nobody signs for, it is the secret.
create table trigger_secrets (
  company text not null,
  routine text not null,
  trigger text not null,
  -- SHA-256 of the public id
  public_hash bytea not null unique,
  -- false: whoever knows the URL may fire
  has_secret boolean not null,
  -- public id and secret, under the key of the service
  sealed bytea not null,
  -- what is taken as well until then
  former_hash bytea,
  former_sealed bytea,
  former_until timestamptz,
  -- the command that made the secret anew last: its repeat makes no other one
  rotation text,
  made_at timestamptz not null,
  primary key (company, routine, trigger)
);

create index trigger_secrets_former on trigger_secrets (former_hash) where former_hash is not null;

-- Signatures that were seen, so that whoever has listened cannot send one again. `settled_at` is null while it is not known what was
-- decided; the commandId then finds out.
create table webhook_nonces (
  public_hash bytea not null,
  nonce bytea not null,
  command_id uuid not null,
  settled_at timestamptz,
  kept_until timestamptz not null,
  primary key (public_hash, nonce)
);

create index webhook_nonces_by_age on webhook_nonces (kept_until);

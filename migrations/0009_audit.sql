-- Evidence against tampering: each 1,024 events of the log, in its order, under one hash, chained to the hash of those before them and,
-- with a key, signed. How the bytes come about is said in src/audit/.
create table public.audit_ranges (
  -- 0, 1, 2 …
  range integer primary key check (range >= 0),
  first_position text collate "C" not null,
  last_position text collate "C" not null,
  -- SHA-256
  root bytea not null check (octet_length(root) = 32),
  chain bytea not null check (octet_length(chain) = 32),
  -- Ed25519, and the key that it was made with as SubjectPublicKeyInfo (RFC 8410); both or neither
  signature bytea check (octet_length(signature) = 64),
  public_key bytea,
  sealed_at timestamptz not null default clock_timestamp(),
  check ((signature is null) = (public_key is null))
);

create unique index on public.audit_ranges (last_position);

create function public.refuse_change_of_audit_ranges() returns trigger
language plpgsql as $$
begin
  raise exception 'sealed ranges are never changed: % on % is refused', lower(tg_op), tg_table_name
    using errcode = 'object_not_in_prerequisite_state';
end
$$;

create trigger audit_ranges_are_immutable
before update or delete or truncate on public.audit_ranges
for each statement execute function public.refuse_change_of_audit_ranges();

-- Always: also where session_replication_role switches ordinary triggers off.
alter table public.audit_ranges enable always trigger audit_ranges_are_immutable;

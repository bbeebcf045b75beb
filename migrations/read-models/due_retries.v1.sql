create table due_retries (
  company text collate "C" not null,
  task text collate "C" not null,
  -- of the stream's last event: a promotion is appended at it without reading the stream
  revision integer not null,
  due_at timestamptz not null,
  parked jsonb not null,
  primary key (company, task)
) with (fillfactor = 70);

create index due_retries_by_time on due_retries (due_at, company, task);
create index due_retries_of_company on due_retries (company, due_at);

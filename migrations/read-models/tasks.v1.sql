create table tasks (
  company text collate "C" not null,
  task text collate "C" not null,
  kind text not null,
  title text not null,
  status text not null,
  priority text not null,
  parent text,
  labels jsonb not null,
  assignee text collate "C",
  why text,
  held jsonb,
  blockers jsonb not null default '[]',
  opened_at timestamptz not null,
  changed_at timestamptz not null,
  last_run text,
  open_runs integer not null,
  -- the run that holds the lane
  running text,
  -- of the stream's last event
  revision integer not null,
  primary key (company, task)
) with (fillfactor = 70);

create index tasks_newest on tasks (company, opened_at desc, task desc);
create index tasks_by_status on tasks (company, status, opened_at desc, task desc);
create index tasks_by_assignee on tasks (company, assignee, opened_at desc, task desc);
-- Those below a task; compared in the collation of the tasks that they name.
create index tasks_by_parent on tasks (company, parent collate "C") where parent is not null;
-- Those that wait for a task, or have waited for it.
create index tasks_by_blocker on tasks using gin (blockers jsonb_path_ops) where blockers <> '[]';

create table task_graph (
  company text collate "C" not null,
  task text collate "C" not null,
  kind text not null,
  title text not null,
  status text not null,
  parent text collate "C",
  assignee text collate "C",
  -- of its last change of status, or its opening
  moved_at text collate "C" not null,
  blockers jsonb not null,
  primary key (company, task)
) with (fillfactor = 70);

create index task_graph_by_parent on task_graph (company, parent) where parent is not null;
create index task_graph_by_assignee on task_graph (company, assignee) where assignee is not null;
create index task_graph_by_blocker on task_graph using gin (blockers jsonb_path_ops) where blockers <> '[]';

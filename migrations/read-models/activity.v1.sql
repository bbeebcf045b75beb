create table activity (
  company text collate "C" not null,
  position text collate "C" not null,
  at timestamptz not null,
  actor_type text not null,
  actor_id text not null,
  action text not null,
  entity_type text not null,
  entity_id text not null,
  agent text collate "C",
  task text collate "C",
  run text collate "C",
  sentence text not null,
  primary key (company, position)
);

create index activity_by_agent on activity (company, agent, position) where agent is not null;
create index activity_by_task on activity (company, task, position) where task is not null;
create index activity_by_run on activity (company, run, position) where run is not null;
create index activity_by_actor on activity (company, actor_id, position);

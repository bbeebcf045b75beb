-- What the read models of before have come to need. Events of the kinds that fill it did not exist, so a default is what a rebuild
-- would give. A read model that is not there yet is made by its own file.
do $$
begin
  if to_regclass('tasks_v1.tasks') is not null then
    create index if not exists tasks_by_parent on tasks_v1.tasks (company, parent collate "C") where parent is not null;
    alter table tasks_v1.tasks
      add column if not exists why text,
      add column if not exists held jsonb,
      add column if not exists blockers jsonb not null default '[]';
    create index if not exists tasks_by_blocker on tasks_v1.tasks using gin (blockers jsonb_path_ops) where blockers <> '[]';
    -- This one was said before: in the last event, as far as the row has come, that moved the task.
    update tasks_v1.tasks task
    set why = (
      select event.data ->> 'why'
      from public.events event
      where event.stream = 'task-' || task.company || '.' || task.task
        and event.type = 'TaskStatusChanged'
        and event.revision <= task.revision
      order by event.revision desc
      limit 1
    )
    where status = 'blocked';
  end if;
end $$;

alter table if exists run_status_v1.run_status
  add column if not exists silence jsonb,
  add column if not exists detached boolean not null default false,
  add column if not exists blocked_by jsonb;

-- What happened is told in other words, from the first line on: the feed is folded anew by the next projector.
drop schema if exists activity_v1 cascade;
delete from parked_streams where read_model = 'activity_v1';
delete from projection_versions where read_model = 'activity_v1';
delete from checkpoints where read_model = 'activity_v1';

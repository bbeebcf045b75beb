-- What waits on a task is found without going through all that ever ran on it. A read model that is not there yet is made by its own
-- file.
do $$
begin
  if to_regclass('run_status_v1.run_status') is not null then
    create index if not exists run_status_waiting on run_status_v1.run_status (company, task) include (agent)
      where status in ('queued', 'scheduled_retry');
  end if;
end $$;

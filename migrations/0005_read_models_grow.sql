-- What the read models of before have come to need. Events of the kinds that fill it did not exist, so a default is what a rebuild
-- would give. A read model that is not there yet is made by its own file.
do $$
begin
  if to_regclass('tasks_v1.tasks') is not null then
    create index if not exists tasks_by_parent on tasks_v1.tasks (company, parent collate "C") where parent is not null;
  end if;
end $$;

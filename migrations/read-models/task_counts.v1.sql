create table task_counts (
  company text collate "C" not null,
  status text not null,
  tasks integer not null,
  primary key (company, status)
) with (fillfactor = 50);

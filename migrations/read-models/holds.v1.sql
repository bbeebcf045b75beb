create table holds (
  company text collate "C" not null,
  kind text collate "C" not null,
  target text collate "C" not null,
  -- of a task: those below it are held with it
  subtree boolean not null,
  status text not null,
  reason text not null,
  since timestamptz not null,
  primary key (company, kind, target)
) with (fillfactor = 70);

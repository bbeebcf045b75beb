create table comments (
  company text collate "C" not null,
  task text collate "C" not null,
  comment_id text collate "C" not null,
  author_type text not null,
  author_id text not null,
  body text not null,
  mentions jsonb not null,
  added_at timestamptz not null,
  removed_at timestamptz,
  -- of the event that added it
  position text collate "C" not null,
  primary key (company, task, comment_id)
);

create index comments_in_order on comments (company, task, position);

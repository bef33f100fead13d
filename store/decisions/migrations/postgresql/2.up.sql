-- The terms of the newest version of each decision, by which it is found.
create table term (
  kind text collate "C" not null,
  name text collate "C" not null,
  value text collate "C" not null,
  id text collate "C" not null,
  primary key (kind, name, value, id)
);

create index term_of_decision on term (kind, id);

insert into term (kind, name, value, id)
select d.kind, t.key, t.value, d.id
from decision d, jsonb_each_text(d.terms::jsonb) t
where not exists (
  select 1 from decision n where n.kind = d.kind and n.id = d.id and n.version = d.version + 1
);

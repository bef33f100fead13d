-- The terms of the newest version of each decision, by which it is found.
create table term (
  kind text not null,
  name text not null,
  value text not null,
  id text not null,
  primary key (kind, name, value, id)
) strict, without rowid;

create index term_of_decision on term (kind, id);

insert into term (kind, name, value, id)
select d.kind, t.key, t.value, d.id
from decision d, json_each(d.terms) t
where not exists (
  select 1 from decision n where n.kind = d.kind and n.id = d.id and n.version = d.version + 1
);

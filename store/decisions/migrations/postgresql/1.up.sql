-- Every version of every decision. terms is a JSON object of texts; written_at counts microseconds from
-- 1970 in UTC. Texts are in the order of their bytes, whatever the locale of the database.
create table decision (
  kind text collate "C" not null,
  id text collate "C" not null,
  version bigint not null check (version > 0),
  written_at bigint not null,
  author text not null,
  terms text not null,
  body bytea not null,
  primary key (kind, id, version)
);

-- A version that is written stays as it is, whatever the rights of a role.
create function decision_is_kept() returns trigger language plpgsql as $$
begin
  raise exception 'a version of a decision is never changed or removed';
end $$;

create trigger decision_is_kept before update or delete or truncate on decision
for each statement execute function decision_is_kept();

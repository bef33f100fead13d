-- Every version of every decision. terms is a JSON object of texts; written_at counts microseconds from
-- 1970 in UTC.
create table decision (
  kind text not null,
  id text not null,
  version integer not null check (version > 0),
  written_at integer not null,
  author text not null,
  terms text not null,
  body blob not null,
  primary key (kind, id, version)
) strict;

-- A version that is written stays as it is, whoever has the file open.
create trigger decision_is_not_changed before update on decision
begin select raise(abort, 'a version of a decision is never changed'); end;

create trigger decision_is_not_removed before delete on decision
begin select raise(abort, 'a version of a decision is never removed'); end;

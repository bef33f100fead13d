drop table decision;
drop function decision_is_kept();

-- How good the data are, counted once, because a snapshot does not change. It is run after view.sql on
-- the same connection, whose temporary tables person and survivor it reads.

DELETE FROM meta.completeness;
DELETE FROM meta.issue;
DELETE FROM meta.loose;

-- Everybody, by what measures take for the answer: the need for an interpreter is what the patient states,
-- else what any of the encounters does.
INSERT INTO meta.completeness
  WITH combination AS (
    SELECT b.source, p.site, p.site_state,
      p.race_state, p.ethnicity_state, p.language_state, p.interpreter_need_state, p.sex_state, count(*) AS people
    FROM patient_in(DATE '0001-01-01', DATE '9999-12-31') p JOIN base.patient b ON b.rowid = p.no
    GROUP BY ALL)
  SELECT source, coalesce(site, '~' || site_state), field, state, sum(people)
  FROM (
    SELECT source, site, site_state, people,
      unnest(['race', 'ethnicity', 'language', 'interpreter_need', 'sex']) AS field,
      unnest([race_state, ethnicity_state, language_state, interpreter_need_state, sex_state]) AS state
    FROM combination)
  GROUP BY ALL;

-- One row an issue, where it is, and whom it touches; nobody, where the patient is not here.
CREATE TEMP TABLE touched AS
  SELECT issue, source, site_no, patient_no, count(*) AS times
  FROM (
    SELECT unnest(b.issues) AS issue, b.source, s.no AS site_no, p.no AS patient_no
    FROM base.patient b JOIN unit.site s ON s.site = b.site LEFT JOIN person p ON p.id = b.id
    WHERE b.issues IS NOT NULL
    UNION ALL
    SELECT unnest(b.issues), b.source, s.no, e.patient_no
    FROM base.encounter b JOIN unit.site s ON s.site = b.site LEFT JOIN unit.encounter e ON e.no = b.rowid
    WHERE b.issues IS NOT NULL
    UNION ALL
    SELECT unnest(b.issues), b.source, coalesce(e.site_no, m.no), v.patient_no
    FROM base.adverse_event b CROSS JOIN (SELECT no FROM unit.site WHERE site = '~missing') m
    LEFT JOIN unit.event v ON v.no = b.rowid LEFT JOIN unit.encounter e ON e.no = v.encounter_no
    WHERE b.issues IS NOT NULL)
  GROUP BY ALL;
INSERT INTO meta.issue
  SELECT coalesce(t.source, ''), coalesce(s.site, ''), i.type, i.kind, i.element, i.system, i.code, t.count, t.people
  FROM (
    SELECT issue, source, site_no, sum(times) AS count, count(DISTINCT patient_no) AS people
    FROM touched
    GROUP BY GROUPING SETS ((issue), (issue, source), (issue, site_no), (issue, source, site_no))) t
  JOIN base.issue i ON i.no = t.issue
  LEFT JOIN unit.site s ON s.no = t.site_no;
DELETE FROM base.issue WHERE no NOT IN (SELECT issue FROM touched);
DROP TABLE touched;

INSERT INTO meta.loose
  SELECT source, site, 'Encounter', 'orphan', count(*)
  FROM base.encounter b ANTI JOIN person p ON p.id = b.patient GROUP BY ALL
  UNION ALL
  SELECT source, '~missing', 'AdverseEvent', 'orphan', count(*)
  FROM base.adverse_event b ANTI JOIN person p ON p.id = b.patient WHERE b.patient IS NOT NULL GROUP BY ALL
  UNION ALL
  SELECT b.source, b.site, 'Encounter', 'undated', count(*)
  FROM base.encounter b JOIN unit.encounter e ON e.no = b.rowid
  WHERE e.end_date IS NULL AND e.status = 'finished' GROUP BY ALL
  UNION ALL
  SELECT b.source, coalesce(s.site, '~missing'), 'AdverseEvent', w.what, count(*)
  FROM unit.event v JOIN base.adverse_event b ON b.rowid = v.no
  LEFT JOIN unit.encounter e ON e.no = v.encounter_no LEFT JOIN unit.site s ON s.no = e.site_no
  JOIN (VALUES ('undated'), ('unlinked')) w(what)
    ON (w.what = 'undated' AND v.date IS NULL) OR (w.what = 'unlinked' AND NOT v.linked)
  GROUP BY ALL
  UNION ALL
  SELECT q.source, q.site, 'Patient', 'merged', count(*)
  FROM survivor v JOIN base.patient q ON q.id = v.survivor GROUP BY ALL;

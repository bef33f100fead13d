-- What measures count, derived from base. The caller sets the variable as_of (DATE) and fills the
-- temporary tables need_resolution with mapping.ResolveNeed for every pair of keys, race_key and
-- spd15_key with the codes of every set.
CREATE SCHEMA unit;

-- Completed years on a day; who was born on 29 February has a birthday on 1 March in other years.
CREATE OR REPLACE MACRO completed_years(birth, on_day) AS
  year(on_day) - year(birth)
  - CASE WHEN 100 * month(on_day) + day(on_day) < 100 * month(birth) + day(birth) THEN 1 ELSE 0 END;
CREATE OR REPLACE MACRO band_no(years) AS
  CASE WHEN years < 18 THEN 0 WHEN years < 45 THEN 1 WHEN years < 65 THEN 2
    WHEN years < 75 THEN 3 WHEN years < 85 THEN 4 ELSE 5 END;
CREATE OR REPLACE MACRO age_no(birth_first, birth_last, on_day) AS
  CASE
    WHEN birth_first IS NULL OR on_day IS NULL THEN 7
    WHEN birth_first > on_day THEN 6
    WHEN band_no(completed_years(birth_first, on_day))
       = band_no(completed_years(least(birth_last, on_day), on_day))
      THEN band_no(completed_years(birth_first, on_day))
    ELSE 6
  END;
-- The first day of an age: whoever is that old on a day has that day behind them. Comparing days
-- spares taking dates apart for each encounter, which was most of the time of unit.encounter.
CREATE OR REPLACE MACRO turns(birth, years) AS
  CASE
    WHEN month(birth) = 2 AND day(birth) = 29
      THEN make_date(year(birth) + years, 3, 1)
        - CASE WHEN (year(birth) + years) % 4 = 0
            AND ((year(birth) + years) % 100 <> 0 OR (year(birth) + years) % 400 = 0) THEN 1 ELSE 0 END
    ELSE make_date(year(birth) + years, month(birth), day(birth))
  END;
-- age_no, from the days on which the patient turned 18 and so on at the earliest and at the latest.
CREATE OR REPLACE MACRO age_no_by(
  birth_first, first_18, first_45, first_65, first_75, first_85,
  last_18, last_45, last_65, last_75, last_85, on_day) AS
  CASE
    WHEN birth_first IS NULL OR on_day IS NULL THEN 7
    WHEN birth_first > on_day THEN 6
    WHEN (on_day >= first_18) = (on_day >= last_18) AND (on_day >= first_45) = (on_day >= last_45)
      AND (on_day >= first_65) = (on_day >= last_65) AND (on_day >= first_75) = (on_day >= last_75)
      AND (on_day >= first_85) = (on_day >= last_85)
      THEN (on_day >= first_18)::INTEGER + (on_day >= first_45)::INTEGER + (on_day >= first_65)::INTEGER
        + (on_day >= first_75)::INTEGER + (on_day >= first_85)::INTEGER
    ELSE 6
  END;
CREATE OR REPLACE MACRO band(age_no) AS
  ['0-17', '18-44', '45-64', '65-74', '75-84', '85+', '~unknown', '~missing'][age_no + 1];
CREATE OR REPLACE MACRO counts(status) AS status NOT IN ('planned', 'cancelled', 'entered-in-error');
-- One span covers a moment: by instants where both sides have them, else by days; without an end,
-- never.
CREATE OR REPLACE MACRO covers(start_date, start_at, end_date, end_at, at_date, at_time) AS
  CASE
    WHEN at_time IS NOT NULL AND start_at IS NOT NULL AND end_at IS NOT NULL
      THEN at_time BETWEEN start_at AND end_at
    ELSE coalesce(at_date BETWEEN start_date AND end_date, false)
  END;
CREATE OR REPLACE MACRO stratum_no(profile, need, age, site) AS
  ((profile::BIGINT * 9 + enum_code(need::interpreter_need)) * 8 + age)
    * (SELECT greatest(count(*), 1) FROM unit.site) + site;

-- The inverse of stratum_no: a row a number, a column a dimension.
CREATE OR REPLACE MACRO strata_of(numbers) AS TABLE
  WITH part AS (
    SELECT stratum, stratum % n AS site_no, stratum // n % 8 AS age_no, stratum // n // 8 % 9 AS need_no,
      stratum // n // 72 AS profile
    FROM (SELECT unnest(numbers) AS stratum)
    CROSS JOIN (SELECT greatest(count(*), 1) AS n FROM unit.site))
  SELECT t.stratum, f.race, f.ethnicity, f.race_ethnicity, f.race_set, f.spd15_set, f.language, f.language_group,
    enum_range(NULL::interpreter_need)[t.need_no + 1]::VARCHAR AS interpreter_need, f.sex,
    band(t.age_no) AS age_band,
    s.site
  FROM part t JOIN unit.profile f ON f.no = t.profile JOIN unit.site s ON s.no = t.site_no;

-- Merged patients: follow Patient.link, from either side, to the last survivors that are here. Who has
-- one goes to it, in person or only by the id that others still name. Who has none, in a ring, or
-- several stands for itself: which of them it is would be a guess.
CREATE TEMP TABLE merge AS
  WITH edge AS (
    SELECT id AS retired, replaced_by AS survivor FROM base.patient WHERE replaced_by IS NOT NULL
    UNION
    SELECT unnest(string_split(replaces, chr(10))), id FROM base.patient WHERE replaces IS NOT NULL)
  SELECT retired, survivor
  FROM edge SEMI JOIN base.patient p ON p.id = edge.survivor
  WHERE retired <> survivor;
CREATE TEMP TABLE survivor AS
  WITH RECURSIVE walk(retired, here, steps) AS (
    SELECT retired, survivor, 1 FROM merge
    UNION
    SELECT w.retired, m.survivor, w.steps + 1 FROM walk w JOIN merge m ON m.retired = w.here
    WHERE w.steps < 64)
  SELECT retired, min(here) AS survivor FROM walk ANTI JOIN merge ON merge.retired = walk.here
  GROUP BY retired HAVING count(DISTINCT here) = 1;

-- The sets are stored as bits; their keys are the codes joined by a plus sign, which no code holds. Of
-- an empty set the key is the state of the race; Other Race alone has no category in SPD 15.
CREATE TABLE unit.profile AS
  SELECT row_number() OVER (
      ORDER BY race, ethnicity, race_ethnicity, races, spd15, language, language_group, sex) - 1 AS no,
    race, ethnicity, race_ethnicity, races, spd15,
    coalesce(a.key, CASE WHEN starts_with(race, '~') THEN race ELSE '~missing' END) AS race_set,
    coalesce(b.key, CASE WHEN starts_with(race, '~') THEN race ELSE '~unmapped' END) AS spd15_set,
    language, language_group, sex
  FROM (
    SELECT DISTINCT race, ethnicity, race_ethnicity, race_set AS races, spd15_set AS spd15,
      language, language_group, sex
    FROM base.patient)
  LEFT JOIN race_key a ON a.bits = races
  LEFT JOIN spd15_key b ON b.bits = spd15;
CREATE TABLE unit.site AS
  SELECT row_number() OVER (ORDER BY site) - 1 AS no, site
  FROM (SELECT site FROM base.encounter UNION SELECT site FROM base.patient UNION SELECT '~missing');

-- One row a person.
CREATE TABLE unit.patient AS
  SELECT
    p.rowid AS no, f.no AS profile, s.no AS site_no,
    -- The stratum is this plus sites * (8 * need + age), which spares a look at unit.site for each row.
    stratum_no(f.no, 'yes', 0, s.no) AS stratum_base,
    (SELECT greatest(count(*), 1) FROM unit.site) AS sites,
    p.interpreter_need::interpreter_need AS own_need, p.limited_english,
    DATE '1970-01-01' + p.birth_first AS birth_first, DATE '1970-01-01' + p.birth_last AS birth_last,
    turns(DATE '1970-01-01' + p.birth_first, 18) AS first_18,
    turns(DATE '1970-01-01' + p.birth_first, 45) AS first_45,
    turns(DATE '1970-01-01' + p.birth_first, 65) AS first_65,
    turns(DATE '1970-01-01' + p.birth_first, 75) AS first_75,
    turns(DATE '1970-01-01' + p.birth_first, 85) AS first_85,
    turns(DATE '1970-01-01' + p.birth_last, 18) AS last_18,
    turns(DATE '1970-01-01' + p.birth_last, 45) AS last_45,
    turns(DATE '1970-01-01' + p.birth_last, 65) AS last_65,
    turns(DATE '1970-01-01' + p.birth_last, 75) AS last_75,
    turns(DATE '1970-01-01' + p.birth_last, 85) AS last_85,
    p.deceased, DATE '1970-01-01' + p.deceased_date AS deceased_date, p.general_practitioner
  FROM base.patient p
  JOIN unit.profile f ON f.race = p.race AND f.ethnicity = p.ethnicity
    AND f.race_ethnicity = p.race_ethnicity AND f.races = p.race_set AND f.spd15 = p.spd15_set
    AND f.language = p.language
    AND f.language_group = p.language_group AND f.sex = p.sex
  JOIN unit.site s ON s.site = p.site
  ANTI JOIN survivor v ON v.retired = p.id;
-- Every id of a patient, retired ones included, and whose it is.
CREATE TEMP TABLE person AS
  SELECT i.id, u.*
  FROM (
    SELECT p.id, p.id AS whose FROM base.patient p ANTI JOIN survivor v ON v.retired = p.id
    UNION ALL
    SELECT retired, survivor FROM survivor) i
  JOIN base.patient q ON q.id = i.whose
  JOIN unit.patient u ON u.no = q.rowid;

CREATE TABLE unit.encounter AS
  SELECT
    e.rowid AS no, p.no AS patient_no,
    stratum_no(p.profile, r.need,
      age_no_by(p.birth_first, p.first_18, p.first_45, p.first_65, p.first_75, p.first_85,
        p.last_18, p.last_45, p.last_65, p.last_75, p.last_85, DATE '1970-01-01' + e.start_date), s.no) AS stratum,
    e.status, e.class, e.telehealth, e.modality, e.disposition, e.elective,
    DATE '1970-01-01' + e.start_date AS start_date, make_timestamp(e.start_at) AS start_at,
    DATE '1970-01-01' + e.end_date AS end_date, make_timestamp(e.end_at) AS end_at,
    CASE WHEN e.end_at >= e.start_at THEN ((e.end_at - e.start_at) // 60000000)::INTEGER END AS minutes,
    e.interpreter_need AS stated_need, e.interpreter_use, e.practitioner, s.no AS site_no
  FROM base.encounter e
  JOIN person p ON p.id = e.patient
  JOIN need_resolution r ON r.encounter = e.interpreter_need AND r.patient = p.own_need
  JOIN unit.site s ON s.site = e.site;

-- Emergency visits, with what happened around them: CMS1244 as docs/measures.md settles it.
CREATE TABLE unit.emergency AS
  WITH visit AS (
    SELECT no, patient_no, start_date, start_at, end_date, end_at FROM unit.encounter
    WHERE class = 'EMER' AND counts(status)),
  other AS (
    SELECT no, patient_no, class, start_date, start_at, end_date, end_at FROM unit.encounter
    WHERE class IN ('IMP', 'ACUTE', 'OBSENC') AND counts(status)),
  pair AS (
    SELECT v.no, o.class, o.start_at, o.start_date, v.end_at AS departed_at,
      CASE
        WHEN v.start_at IS NOT NULL AND o.start_at IS NOT NULL
          THEN o.start_at BETWEEN v.start_at AND v.start_at + INTERVAL 24 HOUR
        ELSE o.start_date BETWEEN v.start_date AND v.start_date + 1
      END AS within_24h,
      CASE
        WHEN v.start_at IS NOT NULL AND v.end_at IS NOT NULL AND o.start_at IS NOT NULL AND o.end_at IS NOT NULL
          THEN o.start_at >= v.start_at AND o.end_at <= v.end_at
        ELSE o.start_date >= v.start_date AND o.end_date <= v.end_date
      END AS inside
    FROM visit v JOIN other o ON o.patient_no = v.patient_no
    -- A coarse sieve before the instants are looked at: calendar days of two offsets are a day apart.
    WHERE o.start_date BETWEEN v.start_date - 2 AND greatest(v.end_date, v.start_date + 1) + 1)
  SELECT no,
    coalesce(bool_or(class = 'OBSENC' AND inside), false) AS contains_observation,
    coalesce(bool_or(class = 'OBSENC' AND within_24h), false) AS observation_within_24h,
    coalesce(bool_or(class <> 'OBSENC' AND within_24h), false) AS admitted_within_24h,
    -- From the first admission of those 24 hours to the departure from the emergency department. An
    -- admission without a clock may be the first, so that the minutes are not known.
    CASE WHEN NOT coalesce(bool_or(class <> 'OBSENC' AND within_24h AND start_at IS NULL), false)
      THEN (epoch_us(any_value(departed_at))
        - epoch_us(min(start_at) FILTER (class <> 'OBSENC' AND within_24h))) // 60000000
    END AS boarding_minutes
  FROM pair GROUP BY no;

-- Events, linked to the encounter that they name or to the one that covers them.
CREATE TEMP TABLE owned_event AS
  SELECT a.rowid AS no, p.no AS patient_no, p.profile, p.own_need, p.birth_first, p.birth_last,
    a.encounter, a.actuality, DATE '1970-01-01' + a.date AS date, make_timestamp(a.date_at) AS date_at,
    a.date_from, a.category, a.severity, a.seriousness, a.outcome,
    -- The answer of a review wins over what the source has on record.
    coalesce(w.answer, a.inequity) AS inequity,
    CASE WHEN w.answer IS NOT NULL THEN 'review' WHEN NOT starts_with(a.inequity, '~') THEN 'record' END
      AS inequity_from,
    DATE '1970-01-01' + a.detected AS detected
  FROM base.adverse_event a JOIN person p ON p.id = a.patient
  LEFT JOIN base.answer w ON w.source = a.source AND w.id = a.id;
CREATE TEMP TABLE link AS
  SELECT v.no, e.no AS encounter_no
  FROM owned_event v
  JOIN base.encounter b ON b.id = v.encounter
  JOIN unit.encounter e ON e.no = b.rowid AND e.patient_no = v.patient_no
  WHERE counts(e.status)
  UNION ALL
  SELECT no, any_value(encounter_no)
  FROM (
    SELECT v.no, e.no AS encounter_no,
      CASE e.class WHEN 'OBSENC' THEN 2 WHEN 'EMER' THEN 3 WHEN 'AMB' THEN 4 ELSE 1 END AS rank
    FROM owned_event v JOIN unit.encounter e ON e.patient_no = v.patient_no
    WHERE v.encounter IS NULL AND counts(e.status)
      AND e.class IN ('IMP', 'ACUTE', 'NONAC', 'OBSENC', 'EMER', 'AMB')
      AND covers(e.start_date, e.start_at, e.end_date, e.end_at, v.date, v.date_at)
    QUALIFY rank = min(rank) OVER (PARTITION BY v.no))
  GROUP BY no HAVING count(*) = 1;
CREATE TABLE unit.event AS
  SELECT v.no, v.patient_no, l.encounter_no,
    stratum_no(v.profile, coalesce(r.need, v.own_need),
      age_no(v.birth_first, v.birth_last, v.date), coalesce(e.site_no, m.no)) AS stratum,
    v.actuality, v.date, v.date_at, v.date_from, v.detected, v.category, v.severity, v.seriousness,
    v.outcome, v.inequity, v.inequity_from, l.encounter_no IS NOT NULL AS linked, e.class AS encounter_class,
    e.practitioner,
    l.encounter_no IS NOT NULL
      AND covers(e.start_date, e.start_at, e.end_date, e.end_at, v.date, v.date_at) AS within_encounter
  FROM owned_event v
  CROSS JOIN (SELECT no FROM unit.site WHERE site = '~missing') m
  LEFT JOIN link l ON l.no = v.no
  LEFT JOIN unit.encounter e ON e.no = l.encounter_no
  LEFT JOIN need_resolution r ON r.encounter = e.stated_need AND r.patient = v.own_need;

-- Inpatient and observation stays, with what came after.
CREATE TABLE unit.stay AS
  WITH stay AS (
    SELECT e.*, p.deceased_date,
      -- Adult by the latest day on which the patient can have been born.
      coalesce(completed_years(p.birth_last, e.start_date) >= 18, false) AS adult
    FROM unit.encounter e JOIN unit.patient p ON p.no = e.patient_no
    WHERE e.class IN ('IMP', 'ACUTE', 'NONAC', 'OBSENC') AND counts(e.status)),
  acute AS (SELECT * FROM stay WHERE class IN ('IMP', 'ACUTE')),
  later AS (
    SELECT a.no, b.start_date - a.end_date AS days, b.elective,
      b.site_no <> a.site_no AND b.site_no NOT IN (SELECT no FROM unit.site WHERE site LIKE '~%')
        AND a.site_no NOT IN (SELECT no FROM unit.site WHERE site LIKE '~%') AS elsewhere,
      -- One after the other; without a clock last of its day.
      {'d': b.start_date, 'last': b.start_at IS NULL, 't': coalesce(b.start_at, b.start_date::TIMESTAMP),
       'e': b.elective, 's': b.site_no} AS turn
    FROM acute a JOIN acute b ON b.patient_no = a.patient_no AND b.no <> a.no
    WHERE b.start_date BETWEEN a.end_date AND a.end_date + 30
      AND (b.start_date > a.start_date OR b.start_at > a.start_at)),
  next AS (
    SELECT no,
      arg_min(elsewhere AND days <= 1, turn) AS transferred,
      min(days) FILTER (days >= 1) AS days_to_next,
      arg_min(elective, turn) FILTER (days >= 1) AS next_elective
    FROM later GROUP BY no),
  harm AS (
    SELECT encounter_no AS no, count(*) AS harm_events FROM unit.event
    WHERE actuality = 'actual' AND within_encounter GROUP BY encounter_no)
  SELECT s.no, s.patient_no, s.stratum, s.status, s.class, s.disposition, s.elective,
    s.start_date, s.start_at, s.end_date, s.end_at, s.minutes, s.interpreter_use, s.practitioner, s.adult,
    CASE WHEN s.end_date >= s.start_date THEN s.end_date - s.start_date END AS days,
    CASE WHEN s.end_at >= s.start_at
      THEN greatest((epoch_us(s.end_at) - epoch_us(s.start_at)) // 86400000000, 1) END AS patient_days,
    s.disposition = 'exp' OR coalesce(s.deceased_date <= s.end_date, false) AS died,
    s.disposition = 'aadvice' AS against_advice,
    coalesce(n.transferred, false) AS transferred,
    getvariable('as_of')::DATE - s.end_date AS follow_up_days,
    n.days_to_next, coalesce(n.next_elective, false) AS next_elective,
    coalesce(h.harm_events, 0) AS harm_events
  FROM stay s LEFT JOIN next n ON n.no = s.no LEFT JOIN harm h ON h.no = s.no;

-- The strata that occur, one column a dimension. A key that starts with "~" is a state.
CREATE TABLE unit.stratum AS
  SELECT * FROM strata_of(
    (SELECT list(DISTINCT stratum) FROM (SELECT stratum FROM unit.encounter UNION SELECT stratum FROM unit.event)));

-- The documented views: what an expression of a measure may name. docs/measures.md describes every
-- column; a dimension appears as the code, NULL unless it is known, and as <dimension>_state.
CREATE OR REPLACE MACRO known(key) AS CASE WHEN NOT starts_with(key, '~') THEN key END;
CREATE OR REPLACE MACRO state(key) AS CASE WHEN starts_with(key, '~') THEN key[2:] ELSE 'known' END;

-- A table, so that the words of a stratum are made once and not for each of its units.
CREATE TABLE unit.dimension AS
  SELECT stratum,
    known(race) AS race, state(race) AS race_state,
    known(ethnicity) AS ethnicity, state(ethnicity) AS ethnicity_state,
    known(race_ethnicity) AS race_ethnicity, state(race_ethnicity) AS race_ethnicity_state,
    known(race_set) AS race_set, state(race_set) AS race_set_state,
    known(spd15_set) AS spd15_set, state(spd15_set) AS spd15_set_state,
    known(language) AS language, state(language) AS language_state,
    known(language_group) AS language_group, state(language_group) AS language_group_state,
    known(interpreter_need) AS interpreter_need, state(interpreter_need) AS interpreter_need_state,
    known(sex) AS sex, state(sex) AS sex_state,
    known(age_band) AS age_band, state(age_band) AS age_band_state,
    known(site) AS site, state(site) AS site_state
  FROM unit.stratum;

-- The same words of a profile and of a site, for patients, whose need and age depend on the period.
CREATE TABLE unit.profile_word AS
  SELECT no,
    known(race) AS race, state(race) AS race_state,
    known(ethnicity) AS ethnicity, state(ethnicity) AS ethnicity_state,
    known(race_ethnicity) AS race_ethnicity, state(race_ethnicity) AS race_ethnicity_state,
    known(race_set) AS race_set, state(race_set) AS race_set_state,
    known(spd15_set) AS spd15_set, state(spd15_set) AS spd15_set_state,
    known(language) AS language, state(language) AS language_state,
    known(language_group) AS language_group, state(language_group) AS language_group_state,
    known(sex) AS sex, state(sex) AS sex_state
  FROM unit.profile;
CREATE TABLE unit.site_word AS SELECT no, known(site) AS site, state(site) AS site_state FROM unit.site;

CREATE VIEW encounter AS
  SELECT e.* EXCLUDE (site_no, stated_need), d.* EXCLUDE (stratum),
    coalesce(m.contains_observation, false) AS contains_observation,
    coalesce(m.observation_within_24h, false) AS observation_within_24h,
    coalesce(m.admitted_within_24h, false) AS admitted_within_24h,
    m.boarding_minutes
  FROM unit.encounter e
  JOIN unit.dimension d ON d.stratum = e.stratum
  LEFT JOIN unit.emergency m ON m.no = e.no;
CREATE VIEW stay AS
  SELECT s.*, d.* EXCLUDE (stratum) FROM unit.stay s JOIN unit.dimension d ON d.stratum = s.stratum;
CREATE VIEW event AS
  SELECT v.*, d.* EXCLUDE (stratum) FROM unit.event v JOIN unit.dimension d ON d.stratum = v.stratum;

-- What several encounters say of the need for an interpreter, from the set of the codes of their
-- statements: one answer, a contradiction, else the absence that says most. Each is cast by itself, so
-- that none is cast a row.
CREATE OR REPLACE MACRO need_of_all(codes) AS
  CASE
    WHEN codes & 64 <> 0 OR codes & 3 = 3 THEN '~conflicting'::interpreter_need
    WHEN codes & 1 <> 0 THEN 'yes'::interpreter_need
    WHEN codes & 2 <> 0 THEN 'no'::interpreter_need
    WHEN codes & 128 <> 0 THEN '~unmapped'::interpreter_need
    WHEN codes & 16 <> 0 THEN '~asked-declined'::interpreter_need
    WHEN codes & 8 <> 0 THEN '~asked-no-answer'::interpreter_need
    WHEN codes & 4 <> 0 THEN '~unknown'::interpreter_need
    WHEN codes & 256 <> 0 THEN '~text-only'::interpreter_need
    ELSE '~missing'::interpreter_need
  END;

-- The patients of a period: their age at its start, and the need for an interpreter that they state,
-- else that any of their encounters in the period states. step is 0 for all patients in the period as
-- a whole. Else the period is cut into parts of so many months, which divide a year; then there is a
-- row for every part in which a patient was seen, and day is the first day of the part.
CREATE OR REPLACE MACRO patients(first_day, last_day, step) AS TABLE
  WITH seen AS (
    SELECT patient_no,
      CASE WHEN step > 0 THEN (12 * year(end_date) + month(end_date) - 1) // step * step ELSE 0 END AS part,
      count(*) AS encounters,
      count(*) FILTER (status = 'finished') AS finished_encounters,
      bit_or(1 << enum_code(stated_need)::INTEGER) AS stated
    FROM unit.encounter WHERE counts(status) AND end_date BETWEEN first_day AND last_day
    GROUP BY ALL),
  dated AS (
    SELECT *, CASE WHEN step > 0 THEN make_date(part // 12, part % 12 + 1, 1) ELSE first_day END AS day
    FROM seen),
  patient AS (
    SELECT p.no, p.profile, p.site_no, p.stratum_base, p.sites, p.limited_english, p.deceased, p.deceased_date, p.general_practitioner,
      coalesce(s.encounters, 0) AS encounters, coalesce(s.finished_encounters, 0) AS finished_encounters,
      CASE
        WHEN p.own_need IN ('~unknown', '~asked-no-answer', '~asked-declined', '~missing')
          THEN need_of_all(coalesce(s.stated, 0) | (1 << enum_code(p.own_need)::INTEGER))
        ELSE p.own_need
      END AS need,
      coalesce(s.day, first_day) AS day,
      age_no_by(p.birth_first, p.first_18, p.first_45, p.first_65, p.first_75, p.first_85,
        p.last_18, p.last_45, p.last_65, p.last_75, p.last_85, coalesce(s.day, first_day)) AS age
    FROM unit.patient p LEFT JOIN dated s ON s.patient_no = p.no
    WHERE step = 0 OR s.patient_no IS NOT NULL)
  SELECT p.no, p.no AS patient_no, p.day,
    p.stratum_base + p.sites * (8 * enum_code(p.need) + p.age) AS stratum,
    p.limited_english, p.deceased, p.deceased_date, p.general_practitioner, p.encounters, p.finished_encounters,
    f.race, f.race_state, f.ethnicity, f.ethnicity_state, f.race_ethnicity, f.race_ethnicity_state,
    f.race_set, f.race_set_state, f.spd15_set, f.spd15_set_state,
    f.language, f.language_state, f.language_group, f.language_group_state,
    known(p.need::VARCHAR) AS interpreter_need, state(p.need::VARCHAR) AS interpreter_need_state,
    f.sex, f.sex_state,
    known(band(p.age)) AS age_band, state(band(p.age)) AS age_band_state,
    s.site, s.site_state
  FROM patient p JOIN unit.profile_word f ON f.no = p.profile JOIN unit.site_word s ON s.no = p.site_no;
CREATE OR REPLACE MACRO patient_in(first_day, last_day) AS TABLE
  SELECT * EXCLUDE (day) FROM patients(first_day, last_day, 0);
-- What the patients are while nobody sees them, at any age. The counts are constants, so that a
-- condition that asks for an encounter is known to be false without looking at anybody.
CREATE OR REPLACE MACRO patients_unseen() AS TABLE
  SELECT * EXCLUDE (day) REPLACE (
    0::BIGINT AS encounters, 0::BIGINT AS finished_encounters,
    known(band(age)) AS age_band, state(band(age)) AS age_band_state)
  FROM patients(DATE '1970-01-02', DATE '1970-01-01', 0) CROSS JOIN (SELECT unnest(range(8)) AS age);

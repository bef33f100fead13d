-- The tables of base, one row a resource. This text is run twice: for the tables themselves, and for
-- those in which a run stages what it loads, with the sign at the end of each name replaced. Ids are
-- random: trying to compress them slows an append and saves little. issues holds the numbers of base.issue,
-- each as often as the issue occurs in the resource; NULL where there is none.
CREATE TABLE base.patient$ (
  id VARCHAR USING COMPRESSION uncompressed, source VARCHAR, updated BIGINT, version BIGINT, seq BIGINT,
  race_set UTINYINT, spd15_set UTINYINT,
  race VARCHAR, race_from VARCHAR, ethnicity VARCHAR, ethnicity_from VARCHAR, race_ethnicity VARCHAR,
  language VARCHAR, language_from VARCHAR, language_group VARCHAR,
  interpreter_need VARCHAR, interpreter_need_from VARCHAR, limited_english VARCHAR,
  sex VARCHAR, birth_first INTEGER, birth_last INTEGER, deceased BOOLEAN, deceased_date INTEGER,
  site VARCHAR, general_practitioner VARCHAR, replaced_by VARCHAR, replaces VARCHAR,
  issues UINTEGER[]);

CREATE TABLE base.encounter$ (
  id VARCHAR USING COMPRESSION uncompressed, source VARCHAR, updated BIGINT, version BIGINT, seq BIGINT,
  patient VARCHAR, status encounter_status, class encounter_class, telehealth BOOLEAN, modality encounter_modality,
  disposition encounter_disposition, elective BOOLEAN,
  start_date INTEGER, start_at BIGINT, end_date INTEGER, end_at BIGINT,
  interpreter_need interpreter_need, interpreter_use interpreter_use, site VARCHAR, practitioner VARCHAR,
  issues UINTEGER[]);

CREATE TABLE base.adverse_event$ (
  id VARCHAR USING COMPRESSION uncompressed, source VARCHAR, updated BIGINT, version BIGINT, seq BIGINT,
  patient VARCHAR, encounter VARCHAR, actuality VARCHAR,
  date INTEGER, date_at BIGINT, date_from VARCHAR, detected INTEGER, detected_at BIGINT,
  category VARCHAR, severity VARCHAR, seriousness VARCHAR, outcome VARCHAR, inequity VARCHAR,
  issues UINTEGER[]);

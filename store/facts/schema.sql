-- The tables of a snapshot that outlive a sync. A value of a dimension is stored as its key: the code
-- if it is known, else "~" and the state.
CREATE SCHEMA base;
CREATE SCHEMA meta;

CREATE TYPE encounter_status AS ENUM (
  'planned', 'arrived', 'triaged', 'in-progress', 'onleave', 'finished', 'cancelled',
  'entered-in-error', 'unknown');
CREATE TYPE encounter_class AS ENUM (
  'AMB', 'EMER', 'FLD', 'HH', 'IMP', 'ACUTE', 'NONAC', 'OBSENC', 'PRENC', 'SS', 'VR',
  '~unknown', '~asked-no-answer', '~asked-declined', '~missing', '~conflicting', '~unmapped', '~text-only');
CREATE TYPE encounter_disposition AS ENUM (
  'home', 'alt-home', 'other-hcf', 'hosp', 'long', 'aadvice', 'exp', 'psy', 'rehab', 'snf', 'oth', 'lwbs',
  '~unknown', '~asked-no-answer', '~asked-declined', '~missing', '~conflicting', '~unmapped', '~text-only');
CREATE TYPE encounter_modality AS ENUM ('', 'video', 'audio');
CREATE TYPE interpreter_need AS ENUM (
  'yes', 'no',
  '~unknown', '~asked-no-answer', '~asked-declined', '~missing', '~conflicting', '~unmapped', '~text-only');
CREATE TYPE interpreter_use AS ENUM (
  'documented', 'arranged', 'documented-ad-hoc', 'none-documented');

-- One row a loaded resource type of a source: what it holds and how far to trust it.
CREATE TABLE meta.load (
  source VARCHAR, type VARCHAR, complete BOOLEAN, reason VARCHAR,
  transaction_time TIMESTAMP, cursor TIMESTAMP, loaded_at TIMESTAMP, mode VARCHAR,
  read BIGINT, refused BIGINT, stored BIGINT, deleted BIGINT,
  PRIMARY KEY (source, type));
-- One row: the snapshot itself.
CREATE TABLE meta.snapshot (
  id VARCHAR, schema_version INTEGER, data_as_of TIMESTAMP, created_at TIMESTAMP,
  software VARCHAR, mapping_version VARCHAR, timezone VARCHAR, orphans BIGINT, digest VARCHAR);
CREATE TABLE meta.issue (
  source VARCHAR, type VARCHAR, kind VARCHAR, element VARCHAR, system VARCHAR, code VARCHAR, count BIGINT);
CREATE TABLE meta.site (site VARCHAR PRIMARY KEY, label VARCHAR);

CREATE TABLE base.patient (
  id VARCHAR, source VARCHAR, updated BIGINT, version BIGINT, seq BIGINT,
  race_set UTINYINT, spd15_set UTINYINT,
  race VARCHAR, race_from VARCHAR, ethnicity VARCHAR, ethnicity_from VARCHAR, race_ethnicity VARCHAR,
  language VARCHAR, language_from VARCHAR, language_group VARCHAR,
  interpreter_need VARCHAR, interpreter_need_from VARCHAR, limited_english VARCHAR,
  sex VARCHAR, birth_first INTEGER, birth_last INTEGER, deceased BOOLEAN, deceased_date INTEGER,
  site VARCHAR, replaced_by VARCHAR, replaces VARCHAR);

CREATE TABLE base.encounter (
  id VARCHAR, source VARCHAR, updated BIGINT, version BIGINT, seq BIGINT,
  patient VARCHAR, status encounter_status, class encounter_class, telehealth BOOLEAN, modality encounter_modality,
  disposition encounter_disposition, elective BOOLEAN,
  start_date INTEGER, start_at BIGINT, end_date INTEGER, end_at BIGINT,
  interpreter_need interpreter_need, interpreter_use interpreter_use, site VARCHAR);

CREATE TABLE base.adverse_event (
  id VARCHAR, source VARCHAR, updated BIGINT, version BIGINT, seq BIGINT,
  patient VARCHAR, encounter VARCHAR, actuality VARCHAR,
  date INTEGER, date_at BIGINT, date_from VARCHAR, detected INTEGER, detected_at BIGINT,
  category VARCHAR, severity VARCHAR, seriousness VARCHAR, outcome VARCHAR, inequity VARCHAR);

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

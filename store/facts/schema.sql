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
-- What was odd in a resource, once for each that occurs. Resources refer to it by number, so that an
-- issue comes and goes with the resource that has it.
CREATE TABLE base.issue (
  no UINTEGER, type VARCHAR, kind VARCHAR, element VARCHAR, system VARCHAR, code VARCHAR);
-- What reviews came to, over the events that they are of: who reviewed an event knows more than what was
-- recorded when it was filed. A run replaces all of them or none. One of an event that is not here waits.
CREATE TABLE base.answer (source VARCHAR, id VARCHAR, answer VARCHAR, PRIMARY KEY (source, id));
-- What quality.sql counts. Each is of one source and one site, by their keys.
-- People, by what is known of a field: each is in one row of each field.
CREATE TABLE meta.completeness (source VARCHAR, site VARCHAR, field VARCHAR, state VARCHAR, people BIGINT);
-- How often an issue occurs, and how many people it touches. Because somebody may be touched at two
-- sites, there are also rows of all sources and of all sites, which have '' there.
CREATE TABLE meta.issue (
  source VARCHAR, site VARCHAR, type VARCHAR, kind VARCHAR, element VARCHAR, system VARCHAR, code VARCHAR,
  count BIGINT, people BIGINT);
-- Resources that measures see otherwise than one might think, or not at all; what is a facts.LooseEnd.
CREATE TABLE meta.loose (source VARCHAR, site VARCHAR, type VARCHAR, what VARCHAR, count BIGINT);
CREATE TABLE meta.site (site VARCHAR PRIMARY KEY, label VARCHAR);
-- Figures that were counted before the snapshot was published. One row a rate of a measure and a length
-- of period in months: what was counted, of which definition, and from which to which month.
CREATE TABLE meta.result (
  measure VARCHAR, digest VARCHAR, step UTINYINT, rate UTINYINT,
  first_month INTEGER, last_month INTEGER, undated BIGINT);
-- One row a period, by its first month, a dimension ('' for all units) and a key; a period in which
-- nobody is in a population has none. Months are numbered: 12 times the year, and those before.
CREATE TABLE meta.result_cell (
  measure VARCHAR, step UTINYINT, month INTEGER, dimension VARCHAR, key VARCHAR, rate UTINYINT,
  initial DOUBLE, measured DOUBLE, excluded DOUBLE, numerator_initial DOUBLE, numerator DOUBLE,
  excepted DOUBLE, numerator_excluded DOUBLE);
-- How often a value was observed in a cell, for a continuous variable.
CREATE TABLE meta.result_value (
  measure VARCHAR, step UTINYINT, month INTEGER, dimension VARCHAR, key VARCHAR, rate UTINYINT,
  value DOUBLE, units BIGINT);

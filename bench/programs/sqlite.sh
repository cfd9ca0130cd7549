# SPDX-License-Identifier: Apache-2.0
# SQLite on a file: inserts in transactions, indexes, joins, updates, a full check.

prepare() {
  rows=$((SCALE * 450))
  cat > work.sql <<SQL
PRAGMA journal_mode = delete;
CREATE TABLE person(id INTEGER PRIMARY KEY, name TEXT NOT NULL, town INTEGER NOT NULL, score REAL);
CREATE TABLE visit(person INTEGER NOT NULL, day INTEGER NOT NULL, note TEXT);
BEGIN;
WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM n WHERE i < $rows)
INSERT INTO person SELECT i, printf('name-%06d', i * 7919 % 1000003), i * 31 % 211, i * 13 % 1009 / 8.0 FROM n;
COMMIT;
BEGIN;
WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM n WHERE i < $rows * 2)
INSERT INTO visit SELECT i * 17 % $rows + 1, i % 365, hex(i * 2654435761 % 4294967296) FROM n;
COMMIT;
CREATE INDEX person_name ON person(name);
CREATE INDEX visit_person ON visit(person, day);
SELECT town, count(*), sum(score) FROM person GROUP BY town ORDER BY 3 DESC, 1 LIMIT 10;
SELECT p.name, count(*) c, min(day), max(note) FROM person p JOIN visit v ON v.person = p.id
  WHERE p.name LIKE 'name-00%' GROUP BY p.id ORDER BY c DESC, p.name LIMIT 20;
UPDATE person SET score = score + (SELECT count(*) FROM visit WHERE person = person.id AND day < 100);
DELETE FROM visit WHERE day % 7 = 3;
SELECT count(*), sum(score) FROM person WHERE score > 50;
SELECT sum(length(replace(note, 'A', 'xyz'))) FROM visit;
VACUUM;
PRAGMA integrity_check;
SQL
}

work() {
  sqlite3 work.db < work.sql > answers
}

result() {
  cat answers
  sqlite3 work.db .dump
}

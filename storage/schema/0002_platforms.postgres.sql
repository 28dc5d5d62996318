-- Every process keeps what it has read of the roster for as long as the sum of these values stays the same.
-- They are many so that transactions which change the roster at the same time rarely wait for each other.
CREATE TABLE roster_revisions (
    part INTEGER PRIMARY KEY,
    value BIGINT NOT NULL
);
INSERT INTO roster_revisions(part, value) SELECT part, 0 FROM generate_series(0, 63) AS part;
CREATE FUNCTION note_roster_change() RETURNS trigger LANGUAGE plpgsql AS
'BEGIN UPDATE roster_revisions SET value = value + 1 WHERE part = pg_backend_pid() % 64; RETURN NULL; END';
CREATE OR REPLACE TRIGGER people_noted AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON people
    FOR EACH STATEMENT EXECUTE FUNCTION note_roster_change();
CREATE OR REPLACE TRIGGER person_roles_noted AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON person_roles
    FOR EACH STATEMENT EXECUTE FUNCTION note_roster_change();
CREATE OR REPLACE TRIGGER enterprises_noted AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON enterprises
    FOR EACH STATEMENT EXECUTE FUNCTION note_roster_change();
CREATE OR REPLACE TRIGGER enterprise_tags_noted AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON enterprise_tags
    FOR EACH STATEMENT EXECUTE FUNCTION note_roster_change();
CREATE OR REPLACE TRIGGER contacts_noted AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON contacts
    FOR EACH STATEMENT EXECUTE FUNCTION note_roster_change();
CREATE OR REPLACE TRIGGER departments_noted AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON departments
    FOR EACH STATEMENT EXECUTE FUNCTION note_roster_change();
CREATE OR REPLACE TRIGGER accounts_noted AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON accounts
    FOR EACH STATEMENT EXECUTE FUNCTION note_roster_change();
CREATE OR REPLACE TRIGGER chat_enterprises_noted AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON chat_enterprises
    FOR EACH STATEMENT EXECUTE FUNCTION note_roster_change();
CREATE OR REPLACE TRIGGER chat_moves_noted AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON chat_moves
    FOR EACH STATEMENT EXECUTE FUNCTION note_roster_change();

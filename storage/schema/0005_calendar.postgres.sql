-- Every process counts by the calendar that it has read until this tells it of a change.
CREATE OR REPLACE TRIGGER calendar_years_noted AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON calendar_years
    FOR EACH STATEMENT EXECUTE FUNCTION note_roster_change();
CREATE OR REPLACE TRIGGER closures_noted AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON closures
    FOR EACH STATEMENT EXECUTE FUNCTION note_roster_change();

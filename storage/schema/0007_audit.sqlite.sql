-- The chain can only grow, as history does; and no row of either gives way to another by INSERT OR REPLACE, which
-- asks no other trigger.
CREATE TRIGGER seals_no_update BEFORE UPDATE ON seals BEGIN
    SELECT RAISE(ABORT, 'seals are append-only');
END;
CREATE TRIGGER seals_no_delete BEFORE DELETE ON seals BEGIN
    SELECT RAISE(ABORT, 'seals are append-only');
END;
CREATE TRIGGER seals_no_replace BEFORE INSERT ON seals
WHEN EXISTS (SELECT 1 FROM seals WHERE n = NEW.n OR event_id = NEW.event_id) BEGIN
    SELECT RAISE(ABORT, 'seals are append-only');
END;
CREATE TRIGGER events_no_replace BEFORE INSERT ON events
WHEN EXISTS (SELECT 1 FROM events WHERE id = NEW.id)
    OR EXISTS (SELECT 1 FROM events WHERE appeal_id = NEW.appeal_id AND version = NEW.version) BEGIN
    SELECT RAISE(ABORT, 'events are append-only');
END;

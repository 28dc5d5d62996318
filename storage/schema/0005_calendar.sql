-- The park's own calendar: year tables that were imported, local closures, and by which calendar all dates were counted.

-- One year's days off and make-up working days; it replaces the table that comes with the program. `body`: JSON.
CREATE TABLE calendar_years (
    year INTEGER PRIMARY KEY,
    body TEXT NOT NULL,
    imported_at BIGINT NOT NULL
);

-- 停工: whole local days (2026-08-20) on which nobody works, whatever the tables say.
CREATE TABLE closures (
    day TEXT PRIMARY KEY,
    reason TEXT NOT NULL,
    entered_by BIGINT REFERENCES people(id),
    entered_at BIGINT NOT NULL
);

-- The one row tells by which calendar the dates of all open matters were counted last.
CREATE TABLE calendar_counted (
    id INTEGER PRIMARY KEY,
    fingerprint TEXT NOT NULL,
    counted_at BIGINT NOT NULL
);
INSERT INTO calendar_counted(id, fingerprint, counted_at) VALUES (1, '', 0);

-- What dates are counted from, what moved them, parts of the work with dates of their own, orders.

-- `reckoned`: JSON, what the three dates are counted from; '' for what was filed before, whose dates stand as they are.
-- `part_count`: how many rows of `parts` there are, so that most appeals are read without looking.
ALTER TABLE appeals ADD COLUMN reckoned TEXT NOT NULL DEFAULT '';
ALTER TABLE appeals ADD COLUMN extensions INTEGER NOT NULL DEFAULT 0;
ALTER TABLE appeals ADD COLUMN suspended_until BIGINT;
ALTER TABLE appeals ADD COLUMN supervisions INTEGER NOT NULL DEFAULT 0;
ALTER TABLE appeals ADD COLUMN part_count INTEGER NOT NULL DEFAULT 0;

-- 配合, 里程碑, 超权限, 督办 and 批示: written through the one door, with the appeal that they belong to.
CREATE TABLE parts (
    appeal_id BIGINT NOT NULL REFERENCES appeals(id),
    n INTEGER NOT NULL,
    kind TEXT NOT NULL,
    title TEXT NOT NULL,
    unit TEXT NOT NULL,
    department_id BIGINT REFERENCES departments(id),
    handler_id BIGINT REFERENCES people(id),
    asked_at BIGINT NOT NULL,
    asked_by BIGINT REFERENCES people(id),
    reckoned TEXT NOT NULL,
    due_at BIGINT NOT NULL,
    round INTEGER NOT NULL,
    acknowledged_at BIGINT,
    progress_at BIGINT,
    ended_at BIGINT,
    outcome TEXT,
    PRIMARY KEY (appeal_id, n)
);
CREATE INDEX parts_by_handler ON parts(handler_id, appeal_id);
CREATE INDEX parts_by_department ON parts(department_id, appeal_id);

-- A person's last step, which he may take back for a minute.
CREATE INDEX events_by_actor ON events(actor_id, id) WHERE appeal_id IS NOT NULL;

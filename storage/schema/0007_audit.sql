-- The chain of seals over history: `hash` binds the event, its number in the chain and the seal before; see domain/chain.py.
-- Seal 0 has no event: it tells which key the chain was begun with.
CREATE TABLE seals (
    n BIGINT PRIMARY KEY,
    event_id BIGINT UNIQUE REFERENCES events(id),
    hash TEXT NOT NULL,
    CHECK (n >= 0 AND (n = 0) = (event_id IS NULL))
);

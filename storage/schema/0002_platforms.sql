-- What real platforms need: chats that move, albums, messages in several parts, people called by name in a group.

-- `menu`: for whose roles and language the platform was given a list of commands; `hears_all`: whether the bot is brought
-- what people say without speaking to it.
ALTER TABLE chats ADD COLUMN menu TEXT NOT NULL DEFAULT '';
ALTER TABLE chats ADD COLUMN hears_all INTEGER NOT NULL DEFAULT 1;

-- Ids under which a chat was known before its platform moved it; what still comes or leaves under them is this chat's.
CREATE TABLE chat_moves (
    channel TEXT NOT NULL,
    external_id TEXT NOT NULL,
    chat_id BIGINT NOT NULL REFERENCES chats(id),
    moved_at BIGINT NOT NULL,
    PRIMARY KEY (channel, external_id)
);

-- What the first message of an album was about; the others belong to the same.
CREATE TABLE albums (
    chat_id BIGINT NOT NULL REFERENCES chats(id),
    album TEXT NOT NULL,
    appeal_id BIGINT REFERENCES appeals(id),
    PRIMARY KEY (chat_id, album)
);

-- `parts`: how many parts of a long message have arrived; `mention`: the account that is called by name in it.
ALTER TABLE outbox ADD COLUMN parts INTEGER NOT NULL DEFAULT 0;
ALTER TABLE outbox ADD COLUMN mention BIGINT REFERENCES accounts(id);

-- The platform's ids of the earlier parts of a message; that of its last stands in the outbox.
CREATE TABLE outbox_parts (
    outbox_id BIGINT NOT NULL REFERENCES outbox(id),
    chat_id BIGINT NOT NULL REFERENCES chats(id),
    platform_id TEXT NOT NULL,
    PRIMARY KEY (outbox_id, platform_id)
);
CREATE INDEX outbox_parts_by_platform_id ON outbox_parts(chat_id, platform_id);

-- How the bot is called on each platform, and where a person begins a private chat with it.
CREATE TABLE bots (
    channel TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    link TEXT NOT NULL
);

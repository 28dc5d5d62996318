"""The web chat's talk: who sees which room, what was posted there, how far it was read, which files it shows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from domain.chat import Attachment
from storage.database import Row, Tx
from storage.sessions import CHANNEL, Account
from storage.values import from_json, from_ms, to_json, to_ms

POST, TOAST = "post", "toast"

_OWN_FIRM = """EXISTS (SELECT 1 FROM chat_enterprises ce WHERE ce.chat_id = c.id AND ce.enterprise_id IN (
    SELECT enterprise_id FROM contacts WHERE person_id = :person
    UNION SELECT id FROM enterprises WHERE :person IN (liaison_id, deputy_id, chief_id)))"""
_ROLE = """EXISTS (SELECT 1 FROM person_roles pr WHERE pr.person_id = :person AND (
    (pr.role = 'coordinator' AND COALESCE(c.purpose, '') <> 'inspection')
    OR (pr.role = 'inspector' AND c.purpose = 'inspection')
    OR (pr.role IN ('head', 'handler') AND c.purpose = 'coordination')
    OR (pr.role = 'chief' AND c.purpose = 'leadership')
    OR (pr.role = 'bank' AND c.purpose = 'bank')))"""
_MINE = f"""c.channel = '{CHANNEL}' AND (
    (c.private = 1 AND c.account_id = :account)
    OR (c.private = 0 AND c.approved_at IS NOT NULL AND (
        EXISTS (SELECT 1 FROM chat_guests g WHERE g.chat_id = c.id AND g.account_id = :account)
        OR {_OWN_FIRM} OR {_ROLE})))"""


@dataclass(frozen=True, slots=True)
class Room:
    """A chat as one account sees it; `last` is the id of its newest post, `unread` counts what others said since."""

    id: int
    external_id: str
    private: bool
    name: str
    purpose: str | None
    unread: int
    last: int


@dataclass(frozen=True, slots=True)
class Author:
    """Who wrote a post: `account_id` None is the bot. `firm` is the firm he speaks for, `role` his part in the park."""

    account_id: int | None
    name: str
    firm: str
    role: str


@dataclass(frozen=True, slots=True)
class Post:
    """A post or toast. The body holds `text`, `keys` (rows of label and data) and `files` (hash, name, media_type)."""

    id: int
    serial: int
    chat_id: int
    kind: str
    author: Author
    body: Mapping[str, Any]
    reply_to: int | None
    quoted: str
    quoted_name: str
    posted_at: datetime
    edited: bool


@dataclass(frozen=True, slots=True)
class Draft:
    """A post to be written: by the bot (an outbox row) or by an account (an inbox row); a toast is for its account."""

    chat_id: int
    body: Mapping[str, Any]
    account_id: int | None = None
    outbox_id: int | None = None
    inbox_id: int | None = None
    reply_to: int | None = None
    kind: str = POST
    files: tuple[Attachment, ...] = field(default=())


def _params(account: Account) -> dict[str, Any]:
    return {"account": account.id, "person": account.person_id}


_ROOM = f"""
SELECT c.id, c.external_id, c.private, c.name, c.purpose,
    COALESCE((SELECT MAX(id) FROM posts WHERE chat_id = c.id AND kind = 'post'), 0) AS last,
    (SELECT COUNT(*) FROM posts n
     WHERE n.chat_id = c.id AND n.kind = 'post' AND COALESCE(n.account_id, 0) <> :account AND n.id > COALESCE(
        (SELECT post_id FROM post_marks WHERE account_id = :account AND chat_id = c.id), 0)) AS unread
FROM chats c WHERE {_MINE}
"""


def _room(row: Row) -> Room:
    return Room(
        id=row["id"],
        external_id=row["external_id"],
        private=bool(row["private"]),
        name=row["name"],
        purpose=row["purpose"],
        unread=row["unread"],
        last=row["last"],
    )


async def rooms(tx: Tx, account: Account) -> Sequence[Room]:
    """Every room an account may read and speak in: its private chat first, then the liveliest group.

    A guest sees the groups whose link he used. Somebody of the roster sees the groups of firms he speaks for or
    looks after, and those of his roles; a coordinator sees every group but the inspectors'.
    """
    rows = await tx.all(_ROOM + "ORDER BY c.private DESC, last DESC, c.id", _params(account))
    return [_room(row) for row in rows]


async def room(tx: Tx, account: Account, chat_id: int) -> Room | None:
    """One of the account's rooms; None for any other, whether it exists or not."""
    row = await tx.one(_ROOM + "AND c.id = :chat", {**_params(account), "chat": chat_id})
    return _room(row) if row else None


_WHO = "COALESCE({person}.name, {account}.name, '')"
_POST = f"""
SELECT p.id, p.serial, p.chat_id, p.kind, p.account_id, p.body, p.reply_to, p.posted_at, p.edited_at,
    {_WHO.format(person="w", account="a")} AS name,
    COALESCE((SELECT MIN(e.short_name) FROM contacts k JOIN enterprises e ON e.id = k.enterprise_id
              WHERE k.person_id = w.id), '') AS firm,
    COALESCE((SELECT MIN(r.role) FROM person_roles r WHERE r.person_id = w.id), '') AS role,
    COALESCE(q.body, '') AS quoted, {_WHO.format(person="qw", account="qa")} AS quoted_name
FROM posts p LEFT JOIN accounts a ON a.id = p.account_id LEFT JOIN people w ON w.id = a.person_id
    LEFT JOIN posts q ON q.id = p.reply_to LEFT JOIN accounts qa ON qa.id = q.account_id
    LEFT JOIN people qw ON qw.id = qa.person_id
"""


def _post(row: Row) -> Post:
    return Post(
        id=row["id"],
        serial=row["serial"],
        chat_id=row["chat_id"],
        kind=row["kind"],
        author=Author(row["account_id"], row["name"], row["firm"], row["role"]),
        body=from_json(row["body"]),
        reply_to=row["reply_to"],
        quoted=from_json(row["quoted"])["text"] if row["quoted"] else "",
        quoted_name=row["quoted_name"],
        posted_at=from_ms(row["posted_at"]),
        edited=row["edited_at"] is not None,
    )


async def recent(tx: Tx, chat_id: int, before: int | None = None, most: int = 50) -> Sequence[Post]:
    """The newest posts of a chat, oldest first; `before` is a post's id, to go further back."""
    older = "AND p.id < :before" if before else ""
    sql = _POST + f"WHERE p.chat_id = :chat AND p.kind = 'post' {older} ORDER BY p.id DESC LIMIT :most"
    rows = await tx.all(sql, {"chat": chat_id, "most": most, **({"before": before} if before else {})})
    return [_post(row) for row in reversed(rows)]


async def after(tx: Tx, account: Account, serial: int, most: int = 100) -> Sequence[Post]:
    """What was posted, edited or answered after a serial in the account's rooms, in that order."""
    rows = await tx.all(
        _POST
        + f"""WHERE p.serial > :serial AND p.chat_id IN (SELECT c.id FROM chats c WHERE {_MINE})
              AND (p.kind = 'post' OR p.account_id = :account) ORDER BY p.serial LIMIT :most""",
        {**_params(account), "serial": serial, "most": most},
    )
    return [_post(row) for row in rows]


async def one(tx: Tx, post_id: int) -> Post | None:
    """The post of that id."""
    row = await tx.one(_POST + "WHERE p.id = :id", {"id": post_id})
    return _post(row) if row else None


async def serial(tx: Tx) -> int:
    """The serial of the newest post or edit anywhere."""
    row = await tx.one("SELECT value FROM counters WHERE name = 'post'")
    return int(row["value"]) if row else 0


async def _next_serial(tx: Tx) -> int:
    """The counter's row stays locked until the commit, so serials become visible in their order."""
    row = await tx.one("UPDATE counters SET value = value + 1 WHERE name = 'post' RETURNING value")
    assert row is not None  # the schema puts it there
    return int(row["value"])


async def write(tx: Tx, draft: Draft, at: datetime) -> int:
    """Put up a post; its id. An outbox row that was put up before stays as it is: its post's id comes back."""
    row = await tx.one(
        """INSERT INTO posts(serial, chat_id, account_id, outbox_id, inbox_id, kind, body, reply_to, posted_at)
           VALUES (:serial, :chat, :account, :outbox, :inbox, :kind, :body, :reply_to, :at)
           ON CONFLICT (outbox_id) DO NOTHING RETURNING id""",
        {
            "serial": await _next_serial(tx),
            "chat": draft.chat_id,
            "account": draft.account_id,
            "outbox": draft.outbox_id,
            "inbox": draft.inbox_id,
            "kind": draft.kind,
            "body": to_json(draft.body),
            "reply_to": draft.reply_to,
            "at": to_ms(at),
        },
    )
    if row is None:
        row = await tx.one("SELECT id FROM posts WHERE outbox_id = :outbox", {"outbox": draft.outbox_id})
        assert row is not None  # it was in the way
        return int(row["id"])
    await _attach(tx, row["id"], draft.files)
    return int(row["id"])


async def rewrite(tx: Tx, chat_id: int, post_id: int, body: Mapping[str, Any], at: datetime) -> bool:
    """Change the body of a post of the bot; False where that chat has no such post. The files stay as they were.

    Other buttons under the same words make it no edited post.
    """
    old = await tx.one(
        "SELECT body FROM posts WHERE id = :id AND chat_id = :chat AND account_id IS NULL",
        {"id": post_id, "chat": chat_id},
    )
    if old is None:
        return False
    before = from_json(old["body"])
    kept = {**body, "files": before["files"]}
    edited = to_ms(at) if before["text"] != kept["text"] else None
    await tx.run(
        "UPDATE posts SET body = :body, serial = :serial, edited_at = COALESCE(:edited, edited_at) WHERE id = :id",
        {"body": to_json(kept), "serial": await _next_serial(tx), "edited": edited, "id": post_id},
    )
    return True


async def _attach(tx: Tx, post_id: int, files: Sequence[Attachment]) -> None:
    for file in files:
        await tx.run(
            "INSERT INTO post_files(post_id, hash, name) VALUES (:post, :hash, :name) ON CONFLICT DO NOTHING",
            {"post": post_id, "hash": file.hash, "name": file.name},
        )


async def mark(tx: Tx, account_id: int, chat_id: int, post_id: int) -> None:
    """Note how far an account has read; the mark never goes back."""
    await tx.run(
        """INSERT INTO post_marks(account_id, chat_id, post_id) VALUES (:account, :chat, :post)
           ON CONFLICT (account_id, chat_id) DO UPDATE SET post_id = excluded.post_id
           WHERE excluded.post_id > post_marks.post_id""",
        {"account": account_id, "chat": chat_id, "post": post_id},
    )


async def file_name(tx: Tx, account: Account, content_hash: str) -> str | None:
    """The name of a file that stands in one of the account's rooms; None where none of them shows it."""
    rows = await tx.all(
        f"""SELECT f.name FROM post_files f JOIN posts p ON p.id = f.post_id
            WHERE f.hash = :hash AND p.chat_id IN (SELECT c.id FROM chats c WHERE {_MINE}) ORDER BY p.id LIMIT 1""",
        {**_params(account), "hash": content_hash},
    )
    return rows[0]["name"] if rows else None


async def fill(tx: Tx, inbox_id: int, body: Mapping[str, Any]) -> None:
    """Give an inbox row the body that it could not have before its post had an id."""
    await tx.run("UPDATE inbox SET body = :body WHERE id = :id", {"body": to_json(body), "id": inbox_id})


async def sent_before(tx: Tx, external_id: str) -> int | None:
    """The post that was put up together with this update."""
    row = await tx.one(
        """SELECT p.id FROM posts p JOIN inbox i ON i.id = p.inbox_id
           WHERE i.channel = :channel AND i.account = :channel AND i.external_id = :id""",
        {"channel": CHANNEL, "id": external_id},
    )
    return int(row["id"]) if row else None


async def presser(tx: Tx, token: str) -> int | None:
    """The account that pressed, by the token of its press (the external id of its inbox row)."""
    row = await tx.one(
        """SELECT a.id FROM inbox i JOIN accounts a ON a.channel = :channel AND a.id = :account
           WHERE i.channel = :channel AND i.external_id = :token""",
        {"channel": CHANNEL, "account": _account_in(token), "token": token},
    )
    return int(row["id"]) if row else None


def _account_in(token: str) -> int:
    head = token.partition(":")[0]
    return int(head) if head.isascii() and head.isdigit() else 0

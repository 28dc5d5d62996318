"""Where a policy notice goes and what became of it: the groups and people it reaches, its posts and their outcomes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from domain.people import Enterprise
from domain.policy import Audience
from storage.database import Row, Tx
from storage.values import one_of


class Outcome(StrEnum):
    """What is known of one post."""

    SENT = "sent"
    WAITING = "waiting"
    UNCERTAIN = "uncertain"
    FAILED = "failed"


_OUTCOMES = {
    "sent": Outcome.SENT,
    "pending": Outcome.WAITING,
    "sending": Outcome.WAITING,
    "uncertain": Outcome.UNCERTAIN,
}
_WITH_TAGS = """
SELECT e.*, t.tag FROM enterprises e LEFT JOIN enterprise_tags t ON t.enterprise_id = e.id
WHERE e.active = 1 ORDER BY e.id, t.tag
"""
_GROUPS = """
SELECT c.id, c.zone, ce.enterprise_id FROM chats c LEFT JOIN chat_enterprises ce ON ce.chat_id = c.id
WHERE c.purpose = 'liaison' AND c.private = 0 AND c.approved_at IS NOT NULL AND c.reachable = 1 ORDER BY c.id
"""
_CONTACTS = """
SELECT co.enterprise_id, c.id AS chat_id FROM contacts co JOIN people p ON p.id = co.person_id AND p.active = 1
JOIN accounts a ON a.person_id = p.id JOIN chats c ON c.account_id = a.id
WHERE c.private = 1 AND c.reachable = 1 AND NOT EXISTS (
    SELECT 1 FROM chats o JOIN accounts oa ON oa.id = o.account_id
    WHERE oa.person_id = p.id AND o.private = 1 AND o.reachable = 1
    AND (COALESCE(o.heard_at, 0) > COALESCE(c.heard_at, 0)
         OR (COALESCE(o.heard_at, 0) = COALESCE(c.heard_at, 0) AND o.id < c.id)))
ORDER BY c.id
"""
_POSTS = """
SELECT pp.chat_id, pp.outbox_id, o.state, c.private, COALESCE(p.name, c.name) AS name
FROM policy_posts pp JOIN outbox o ON o.id = pp.outbox_id JOIN chats c ON c.id = pp.chat_id
LEFT JOIN accounts a ON a.id = c.account_id LEFT JOIN people p ON p.id = a.person_id
WHERE pp.policy_id = :policy ORDER BY c.private, pp.chat_id
"""


@dataclass(frozen=True, slots=True)
class Reach:
    """Whom a notice reaches now: groups, private chats of contacts without one, and the firms behind them.

    `unreached` are matching firms with neither a group nor a contact whom a private chat reaches.
    """

    groups: tuple[int, ...] = ()
    privately: tuple[int, ...] = ()
    firms: tuple[int, ...] = ()
    unreached: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Post:
    """One chat's post. `name` is the group's or the person's."""

    chat_id: int
    outbox_id: int
    outcome: Outcome
    private: bool
    name: str


@dataclass(slots=True)
class _Group:
    zone: str
    firms: set[int] = field(default_factory=set)


async def firms(tx: Tx) -> Sequence[Enterprise]:
    """All firms of the roster as far as an audience asks."""
    found: dict[int, tuple[Row, set[str]]] = {}
    for row in await tx.all(_WITH_TAGS):
        _, tags = found.setdefault(row["id"], (row, set()))
        if row["tag"] is not None:
            tags.add(row["tag"])
    return [
        Enterprise(
            id=row["id"],
            name=row["name"],
            short_name=row["short_name"],
            zone=row["zone"],
            industry=row["industry"],
            size=row["size"],
            tags=frozenset(tags),
            liaison_id=row["liaison_id"],
        )
        for row, tags in found.values()
    ]


async def reach(tx: Tx, audience: Audience) -> Reach:
    """Approved liaison groups with at least one matching firm; contacts of matching firms that have no such group.

    A group without firms of its own stands for its zone; one without either hears what concerns everybody.
    """
    everyone = await firms(tx)
    matching = {firm.id: firm for firm in everyone if audience.matches(firm)}
    groups: list[int] = []
    grouped: set[int] = set()
    for chat_id, group in (await _groups(tx)).items():
        held = group.firms or {firm.id for firm in everyone if group.zone and firm.zone == group.zone}
        if matching.keys() & held or (not held and not group.zone and audience.everybody):
            groups.append(chat_id)
            grouped |= held
    alone = matching.keys() - grouped
    chats: dict[int, set[int]] = {}
    for row in await tx.all(_CONTACTS):
        if row["enterprise_id"] in alone:
            chats.setdefault(row["chat_id"], set()).add(row["enterprise_id"])
    unreached = alone - set().union(*chats.values())
    names = tuple(matching[firm].short_name for firm in sorted(unreached))
    return Reach(tuple(groups), tuple(sorted(chats)), tuple(sorted(matching)), names)


async def _groups(tx: Tx) -> Mapping[int, _Group]:
    found: dict[int, _Group] = {}
    for row in await tx.all(_GROUPS):
        group = found.setdefault(row["id"], _Group(row["zone"]))
        if row["enterprise_id"] is not None:
            group.firms.add(row["enterprise_id"])
    return found


async def keep(tx: Tx, policy_id: int, chat_id: int, outbox_id: int) -> None:
    """Note the message that stands for the notice in a chat; a second one there breaks the primary key."""
    await tx.run(
        "INSERT INTO policy_posts(policy_id, chat_id, outbox_id) VALUES (:policy, :chat, :outbox)",
        {"policy": policy_id, "chat": chat_id, "outbox": outbox_id},
    )


async def replace(tx: Tx, policy_id: int, post: Post, outbox_id: int) -> bool:
    """Put a new message in the place of one that did not arrive; False where somebody else did so before."""
    changed = await tx.run(
        """UPDATE policy_posts SET outbox_id = :new
           WHERE policy_id = :policy AND chat_id = :chat AND outbox_id = :old""",
        {"policy": policy_id, "chat": post.chat_id, "old": post.outbox_id, "new": outbox_id},
    )
    return changed == 1


async def report_anew(tx: Tx, rows: Collection[int]) -> None:
    """Of notices whose posts leave once more the report is made again."""
    listed, names = one_of("row", rows)
    await tx.run(
        f"""UPDATE policies SET state = 'posted' WHERE state = 'reported'
            AND id IN (SELECT policy_id FROM policy_posts WHERE outbox_id IN ({listed}))""",
        names,
    )


async def posted_to(tx: Tx, policy_id: int) -> frozenset[int]:
    """The chats that have their post."""
    rows = await tx.all("SELECT chat_id FROM policy_posts WHERE policy_id = :policy", {"policy": policy_id})
    return frozenset(row["chat_id"] for row in rows)


async def posts(tx: Tx, policy_id: int) -> Sequence[Post]:
    """All posts with their outcomes, groups first."""
    return [
        Post(
            row["chat_id"],
            row["outbox_id"],
            _OUTCOMES.get(row["state"], Outcome.FAILED),
            bool(row["private"]),
            row["name"] or "",
        )
        for row in await tx.all(_POSTS, {"policy": policy_id})
    ]


async def settled(tx: Tx) -> Sequence[int]:
    """Notices whose every post has an outcome and that have not been reported on."""
    rows = await tx.all(
        """SELECT p.id FROM policies p WHERE p.state = 'posted' AND NOT EXISTS (
               SELECT 1 FROM policy_posts pp JOIN outbox o ON o.id = pp.outbox_id
               WHERE pp.policy_id = p.id AND o.state IN ('pending', 'sending'))
           ORDER BY p.id"""
    )
    return [row["id"] for row in rows]


async def of_message(tx: Tx, chat_id: int, platform_id: str) -> int | None:
    """The notice that a message of ours is, by the platform's id of it."""
    row = await tx.one(
        """SELECT MAX(pp.policy_id) AS id FROM policy_posts pp JOIN outbox o ON o.id = pp.outbox_id
           WHERE o.chat_id = :chat AND o.platform_id = :platform""",
        {"chat": chat_id, "platform": platform_id},
    )
    return row["id"] if row else None


async def last_in(tx: Tx, chat_id: int) -> int | None:
    """The notice posted last in a chat."""
    row = await tx.one("SELECT MAX(policy_id) AS id FROM policy_posts WHERE chat_id = :chat", {"chat": chat_id})
    return row["id"] if row else None

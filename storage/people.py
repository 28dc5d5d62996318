"""Reads the people, firms, departments and chats of the roster as domain values."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from domain.people import Chat, Department, Enterprise, Person, Purpose, Role
from storage import absences
from storage.database import Row, Tx
from storage.remembered import recall
from storage.values import one_of, to_ms

_CHAT = """
SELECT c.*, a.person_id AS person_id FROM chats c LEFT JOIN accounts a ON a.id = c.account_id
"""


async def _person(tx: Tx, person_id: int) -> Person | None:
    """The person as if everybody were here."""
    row = await tx.one("SELECT * FROM people WHERE id = :id AND active = 1", {"id": person_id})
    if row is None:
        return None
    mine = {"id": row["id"]}
    roles = await tx.all("SELECT role FROM person_roles WHERE person_id = :id", mine)
    firms = await tx.all("SELECT enterprise_id FROM contacts WHERE person_id = :id", mine)
    return Person(
        id=row["id"],
        name=row["name"],
        roles=frozenset(Role(role["role"]) for role in roles),
        department_id=row["department_id"],
        enterprise_ids=frozenset(firm["enterprise_id"] for firm in firms),
        zone=row["zone"],
        language=row["language"],
        deputy_id=row["deputy_id"],
    )


async def person(tx: Tx, person_id: int, at: datetime) -> Person | None:
    """The person of that id as of `at`: leave begins and ends by itself, and so does standing in for somebody."""
    found = await recall(tx, ("person", person_id), lambda: _person(tx, person_id))
    cover = await absences.cover(tx, at)
    if found is None or not cover.people:
        return found
    return replace(
        found,
        on_leave=person_id in cover.people,
        standing_in_for=cover.stood_in_for_by(person_id),
        looks_after=cover.looked_after_by(person_id),
    )


async def people_named(tx: Tx, name: str, at: datetime) -> Sequence[Person]:
    """Everybody of exactly that name."""
    ids = await _ids(tx, "WHERE p.name = :name AND p.active = 1 ORDER BY p.id", {"name": name})
    return [found for each in ids if (found := await person(tx, each, at)) is not None]


async def gone_named(tx: Tx, name: str) -> Sequence[Person]:
    """Everybody of exactly that name who is not in the roster any more; without roles, as they have none."""
    rows = await tx.all("SELECT id FROM people WHERE name = :name AND active = 0 ORDER BY id", {"name": name})
    return [Person(row["id"], name) for row in rows]


async def people_with(tx: Tx, role: Role, at: datetime) -> Sequence[Person]:
    """Everybody who holds the role, in roster order."""
    held = "WHERE p.active = 1 AND p.id IN (SELECT person_id FROM person_roles WHERE role = :role) ORDER BY p.id"
    ids = await recall(tx, ("role", role), lambda: _ids(tx, held, {"role": role.value}))
    return [found for each in ids if (found := await person(tx, each, at)) is not None]


async def _ids(tx: Tx, which: str, params: Mapping[str, Any]) -> tuple[int, ...]:
    return tuple(row["id"] for row in await tx.all("SELECT p.id FROM people p " + which, params))


async def contacts_of(tx: Tx, enterprise_id: int, at: datetime) -> Sequence[Person]:
    """The firm's contacts, in roster order."""
    mine = "WHERE p.active = 1 AND p.id IN (SELECT person_id FROM contacts WHERE enterprise_id = :firm) ORDER BY p.id"
    ids = await recall(tx, ("contacts", enterprise_id), lambda: _ids(tx, mine, {"firm": enterprise_id}))
    return [found for each in ids if (found := await person(tx, each, at)) is not None]


async def by_account(tx: Tx, channel: str, external_id: str, at: datetime) -> Person | None:
    """The person whom somebody with authority bound to this account of a platform."""
    _, _, person_id = await recall(tx, ("account", channel, external_id), lambda: _account(tx, channel, external_id))
    return await person(tx, person_id, at) if person_id is not None else None


async def _account(tx: Tx, channel: str, external_id: str) -> tuple[int | None, str, int | None]:
    """The row id, the name shown and the person of a platform's user; Nones where he was never met."""
    row = await tx.one(
        "SELECT id, name, person_id FROM accounts WHERE channel = :channel AND external_id = :id",
        {"channel": channel, "id": external_id},
    )
    return (row["id"], row["name"], row["person_id"]) if row else (None, "", None)


async def enterprise(tx: Tx, enterprise_id: int) -> Enterprise:
    """The firm of that id; LookupError if there is none."""
    return await recall(tx, ("enterprise", enterprise_id), lambda: _enterprise(tx, enterprise_id))


async def _enterprise(tx: Tx, enterprise_id: int) -> Enterprise:
    row = await tx.one("SELECT * FROM enterprises WHERE id = :id", {"id": enterprise_id})
    if row is None:
        raise LookupError(f"no enterprise {enterprise_id}")
    return await _with_tags(tx, row)


async def enterprises_called(tx: Tx, name: str) -> Sequence[Enterprise]:
    """Firms whose name or short name is, or failing that contains, what was written."""
    exact = "SELECT * FROM enterprises WHERE active = 1 AND (name = :name OR short_name = :name) ORDER BY id"
    like = "SELECT * FROM enterprises WHERE active = 1 AND LOWER(name) LIKE LOWER(:like) ESCAPE '\\' ORDER BY id"
    pattern = "%" + name.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    rows = await tx.all(exact, {"name": name}) or await tx.all(like, {"like": pattern})
    return [await _with_tags(tx, row) for row in rows]


async def _with_tags(tx: Tx, row: Row) -> Enterprise:
    tags = await tx.all("SELECT tag FROM enterprise_tags WHERE enterprise_id = :id", {"id": row["id"]})
    return Enterprise(
        id=row["id"],
        name=row["name"],
        short_name=row["short_name"],
        uscc=row["uscc"],
        zone=row["zone"],
        industry=row["industry"],
        size=row["size"],
        tags=frozenset(tag["tag"] for tag in tags),
        liaison_id=row["liaison_id"],
        deputy_id=row["deputy_id"],
        chief_id=row["chief_id"],
    )


def _department(row: Row) -> Department:
    return Department(
        id=row["id"],
        code=row["code"],
        name=row["name"],
        external=bool(row["external"]),
        duty_id=row["duty_id"],
        head_id=row["head_id"],
    )


async def department(tx: Tx, department_id: int | None) -> Department | None:
    """The department of that id."""
    if department_id is None:
        return None
    return await recall(tx, ("department", department_id), lambda: _one_department(tx, department_id))


async def _one_department(tx: Tx, department_id: int) -> Department | None:
    row = await tx.one("SELECT * FROM departments WHERE id = :id", {"id": department_id})
    return _department(row) if row else None


async def department_called(tx: Tx, name: str) -> Department | None:
    """The department of that code or name."""
    row = await tx.one("SELECT * FROM departments WHERE code = :name OR name = :name", {"name": name})
    return _department(row) if row else None


async def department_like(tx: Tx, name: str) -> Department | None:
    """The department of that name or code, or the only one whose name contains it."""
    exact = await department_called(tx, name)
    if exact is not None or len(name) < 2:
        return exact
    alike = [unit for unit in await departments(tx) if name in unit.name]
    return alike[0] if len(alike) == 1 else None


async def departments(tx: Tx) -> Sequence[Department]:
    """All departments in roster order."""
    return [_department(row) for row in await tx.all("SELECT * FROM departments ORDER BY id")]


async def headed_by(tx: Tx, person: Person) -> frozenset[int]:
    """The departments that a person heads, or whose head he stands in for."""
    heads = await recall(tx, ("heads",), lambda: _heads(tx))
    return frozenset(unit for unit, head in heads if head == person.id or head in person.standing_in_for)


async def _heads(tx: Tx) -> tuple[tuple[int, int], ...]:
    """Every department that has a head, and its head."""
    rows = await tx.all("SELECT id, head_id FROM departments WHERE head_id IS NOT NULL ORDER BY id")
    return tuple((row["id"], row["head_id"]) for row in rows)


async def _firms_of(tx: Tx, chat_id: int) -> frozenset[int]:
    rows = await tx.all("SELECT enterprise_id FROM chat_enterprises WHERE chat_id = :id", {"id": chat_id})
    return frozenset(row["enterprise_id"] for row in rows)


async def _chat(tx: Tx, row: Row) -> Chat:
    return Chat(
        id=row["id"],
        channel=row["channel"],
        external_id=row["external_id"],
        private=bool(row["private"]),
        name=row["name"],
        purpose=Purpose(row["purpose"]) if row["purpose"] else None,
        approved=row["approved_at"] is not None,
        person_id=row["person_id"],
        enterprise_ids=await recall(tx, ("firms of", row["id"]), lambda: _firms_of(tx, row["id"])),
        hears_all=bool(row["hears_all"]),
        menu=row["menu"],
    )


async def chat(tx: Tx, chat_id: int) -> Chat:
    """The chat of that id; LookupError if there is none."""
    row = await tx.one(_CHAT + "WHERE c.id = :id", {"id": chat_id})
    if row is None:
        raise LookupError(f"no chat {chat_id}")
    return await _chat(tx, row)


async def groups_for(tx: Tx, purpose: Purpose) -> Sequence[Chat]:
    """The approved groups of that purpose, in the order in which they were made known."""
    wanted = """WHERE c.purpose = :purpose AND c.private = 0 AND c.approved_at IS NOT NULL AND c.reachable = 1
        ORDER BY c.id"""
    return [await _chat(tx, row) for row in await tx.all(_CHAT + wanted, {"purpose": purpose.value})]


async def groups_on(tx: Tx, channel: str) -> Sequence[Chat]:
    """The approved groups of a channel, in the order in which they were made known."""
    wanted = "WHERE c.channel = :channel AND c.private = 0 AND c.approved_at IS NOT NULL ORDER BY c.id"
    return [await _chat(tx, row) for row in await tx.all(_CHAT + wanted, {"channel": channel})]


async def unheard_groups(tx: Tx, channel: str) -> Sequence[str]:
    """The names of the approved groups of a channel in which nobody has spoken to the bot so far."""
    rows = await tx.all(
        """SELECT name FROM chats WHERE channel = :channel AND private = 0 AND approved_at IS NOT NULL
           AND heard_at IS NULL ORDER BY id""",
        {"channel": channel},
    )
    return [row["name"] for row in rows]


async def groups_called(tx: Tx, name: str) -> Sequence[Chat]:
    """The groups of exactly that name."""
    rows = await tx.all(_CHAT + "WHERE c.name = :name AND c.private = 0 ORDER BY c.id", {"name": name})
    return [await _chat(tx, row) for row in rows]


async def private_chat(tx: Tx, person_id: int, but: Collection[str] = ()) -> Chat | None:
    """Where a person hears privately: the reachable private chat in which he was heard last.

    `but`: not on these channels.
    """
    listed, names = one_of("but", {*but, ""})
    his = f"""WHERE a.person_id = :person AND c.private = 1 AND c.reachable = 1 AND c.channel NOT IN ({listed})
              ORDER BY COALESCE(c.heard_at, 0) DESC, c.id LIMIT 1"""
    row = await tx.one(_CHAT + his, {"person": person_id, **names})
    return await _chat(tx, row) if row else None


async def meet(tx: Tx, channel: str, external_id: str, name: str) -> int:
    """The account id of a platform's user, made known at first sight; his name follows what the platform shows."""
    known, shown, _ = await recall(tx, ("account", channel, external_id), lambda: _account(tx, channel, external_id))
    if known is not None and name in ("", shown):
        return known
    row = await tx.one(
        """INSERT INTO accounts(channel, external_id, name) VALUES (:channel, :id, :name)
           ON CONFLICT (channel, external_id) DO UPDATE SET name = excluded.name RETURNING id""",
        {"channel": channel, "id": external_id, "name": name},
    )
    assert row is not None  # RETURNING gives the row on both paths
    return int(row["id"])


async def enter(
    tx: Tx,
    channel: str,
    external_id: str,
    *,
    private: bool,
    name: str,
    account_id: int | None,
    at: datetime,
    spoke: bool = True,
) -> Chat:
    """The chat a message came from, made known at first sight; a private one belongs to its account.

    One that its platform has moved is the same chat under either id. Who only came in and never `spoke` is not within
    reach by that: where a bot may only answer, nothing else can be sent to him. A chat that is known and within reach
    is only looked at: who held its row from the beginning would be in the way of whoever owes it a message.
    """
    external_id = await recall(tx, ("moved", channel, external_id), lambda: _present_id(tx, channel, external_id))
    known = "SELECT * FROM chats WHERE channel = :channel AND external_id = :id"
    row = await tx.one(known, {"channel": channel, "id": external_id})
    if row is None or (spoke and not row["reachable"]):
        row = await _meet_chat(tx, channel, external_id, private, name, account_id, to_ms(at) if spoke else None)
    owner = row["account_id"]
    person_id = await recall(tx, ("owner", owner), lambda: _owner(tx, owner)) if owner is not None else None
    return await _chat(tx, {**row, "person_id": person_id})


async def _meet_chat(
    tx: Tx, channel: str, external_id: str, private: bool, name: str, account_id: int | None, heard_at: int | None
) -> Row:
    row = await tx.one(
        """INSERT INTO chats(channel, external_id, private, name, account_id, heard_at, reachable)
           VALUES (:channel, :id, :private, :name, :account, :at, :spoke)
           ON CONFLICT (channel, external_id) DO UPDATE SET
               heard_at = COALESCE(excluded.heard_at, chats.heard_at),
               reachable = CASE WHEN excluded.reachable = 1 THEN 1 ELSE chats.reachable END
           RETURNING *""",
        {
            "channel": channel,
            "id": external_id,
            "private": int(private),
            "name": name,
            "account": account_id if private else None,
            "at": heard_at,
            "spoke": int(heard_at is not None),
        },
    )
    assert row is not None  # RETURNING gives the row on both paths
    return row


async def note_heard(tx: Tx, chat_id: int, at: datetime) -> None:
    """Somebody spoke in a chat: of several, the one he used last is where he is told things."""
    await tx.run(
        "UPDATE chats SET heard_at = :at WHERE id = :id AND COALESCE(heard_at, 0) < :at",
        {"id": chat_id, "at": to_ms(at)},
    )


async def _present_id(tx: Tx, channel: str, external_id: str) -> str:
    """The id under which a chat goes on, where its platform has moved it."""
    moved = await tx.one(
        """SELECT c.external_id FROM chat_moves m JOIN chats c ON c.id = m.chat_id
           WHERE m.channel = :channel AND m.external_id = :id""",
        {"channel": channel, "id": external_id},
    )
    return str(moved["external_id"]) if moved else external_id


async def _owner(tx: Tx, account_id: int) -> int | None:
    row = await tx.one("SELECT person_id FROM accounts WHERE id = :id", {"id": account_id})
    return row["person_id"] if row else None


async def chat_known_as(tx: Tx, chat_key: str) -> int | None:
    """The id of an approved or private chat by its inbox key ("channel:external id")."""
    channel, _, external_id = chat_key.partition(":")
    row = await tx.one(
        """SELECT id FROM chats WHERE (private = 1 OR approved_at IS NOT NULL) AND channel = :channel
           AND (external_id = :id
                OR id = (SELECT chat_id FROM chat_moves WHERE channel = :channel AND external_id = :id))""",
        {"channel": channel, "id": external_id},
    )
    return int(row["id"]) if row else None

"""How people are reached where no private chat is: called by name in a group, without a word of any matter."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.notices import Lane
from domain.parts import Part
from domain.people import OFFICE, Person
from domain.rules import Rules
from domain.said import Fact, Said
from storage import accounts, outbox, people
from storage.database import Tx
from storage.values import one_of, to_ms

ROBOTS: Mapping[str, str] = {"wecom_group": "wecom_aibot"}
"""Channels that only speak, and the one in whose groups they call people by name, as it cannot do so itself."""

# Groups of a platform that knows him and where he can begin a private chat: those of the firm for whom speaks for it or
# is its liaison, those of the coordination office for everybody else in office. Where a robot stands beside the bot it
# is the one that calls; such groups come first.
_GROUPS = """
SELECT COALESCE(r.id, c.id) AS id, c.name AS group_name, a.id AS account_id, b.name, b.link FROM accounts a
JOIN bots b ON b.channel = a.channel
JOIN chats c ON c.channel = a.channel AND c.private = 0 AND c.reachable = 1 AND c.approved_at IS NOT NULL
LEFT JOIN chats r ON r.channel = 'wecom_group' AND c.channel = 'wecom_aibot' AND r.reachable = 1
    AND r.approved_at IS NOT NULL AND r.external_id IN (c.name, c.external_id)
WHERE a.person_id = :person AND (
    (c.purpose = 'coordination' AND :office = 1)
    OR c.id IN (SELECT f.chat_id FROM chat_enterprises f
                JOIN enterprises e ON e.id = f.enterprise_id
                WHERE e.liaison_id = :person OR e.deputy_id = :person
                   OR e.id IN (SELECT enterprise_id FROM contacts WHERE person_id = :person)))
ORDER BY CASE WHEN c.channel = 'wecom_aibot' AND r.id IS NULL THEN 1 ELSE 0 END,
         COALESCE(c.heard_at, 0) DESC, c.id LIMIT 1
"""


async def call_in_group(tx: Tx, person: Person, rules: Rules, due: datetime, at: datetime) -> bool:
    """Ask him in a group to open the private chat, once a day; whether there is such a group."""
    group = await tx.one(_GROUPS, {"person": person.id, "office": int(person.in_office)})
    if group is None:
        return False
    day = rules.calendar.local(at).date().isoformat()
    facts: dict[str, Fact] = {"name": person.name, "link": group["link"]}
    if not group["link"]:
        facts = {"name": person.name, "bot": group["name"] or Said("reach.bot")}
    letter = outbox.Letter(
        group["id"],
        "reach.mention" if group["link"] else "reach.mention_bot",
        facts,
        lane=Lane.CASE,
        person_id=person.id,
        mention=group["account_id"],
        dedupe=f"reach:{person.id}:{day}",
    )
    await outbox.owe(tx, letter, at=at, due=due)
    return True


async def is_cut_off(tx: Tx, part: Part) -> bool:
    """Whether a part is an outside unit's that no private chat reaches: it has no duty officer, or one who has none."""
    unit = await people.department(tx, part.department_id)
    if unit is None or not unit.external:
        return False
    return part.handler_id is None or await people.private_chat(tx, part.handler_id) is None


async def speak_in(tx: Tx, channel: str, groups: Collection[str], at: datetime) -> None:
    """Let a channel speak in these groups, by name or id; the operator who named them has let it in."""
    for group in groups:
        await tx.run(
            """INSERT INTO chats(channel, external_id, private, approved_at) VALUES (:channel, :group, 0, :at)
               ON CONFLICT (channel, external_id) DO UPDATE SET approved_at = excluded.approved_at, reachable = 1""",
            {"channel": channel, "group": group, "at": to_ms(at)},
        )
    kept, names = one_of("group", groups or ("",))
    await tx.run(
        f"UPDATE chats SET approved_at = NULL, reachable = 0 WHERE channel = :channel AND external_id NOT IN ({kept})",
        {**names, "channel": channel},
    )


# Whom nothing reaches ---------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Unreached:
    """Somebody of the roster whom no private chat reaches.

    `channels` are those on which he is known, though shut or never opened; `group` is where he can be called by name.
    `at_start`: a channel that needs no word of his is switched on and has never run, so its first start reaches him.
    """

    name: str
    channels: tuple[str, ...] = ()
    group: str | None = None
    at_start: bool = False


async def unreached(tx: Tx, on: Collection[str] = ()) -> Sequence[Unreached]:
    """Everybody whom no private chat reaches, in roster order; `on` are the channels that count, all where none is."""
    counts, channels = one_of("channel", on)
    among = f"AND c.channel IN ({counts})" if on else ""
    offices, roles = one_of("role", [role.value for role in OFFICE])
    rows = await tx.all(
        f"""SELECT p.id, p.name, EXISTS (SELECT 1 FROM person_roles r
                                         WHERE r.person_id = p.id AND r.role IN ({offices})) AS office
            FROM people p WHERE p.active = 1 AND NOT EXISTS (
                SELECT 1 FROM accounts a JOIN chats c ON c.account_id = a.id
                WHERE a.person_id = p.id AND c.private = 1 AND c.reachable = 1 {among}) ORDER BY p.id""",
        {**channels, **roles},
    )
    new = accounts.DIRECT in on and not await accounts.runs(tx, accounts.DIRECT)
    found = []
    for row in rows:
        known = await tx.all(
            "SELECT DISTINCT channel FROM accounts WHERE person_id = :id ORDER BY channel", {"id": row["id"]}
        )
        group = await tx.one(_GROUPS, {"person": row["id"], "office": int(row["office"])})
        shut = tuple(each["channel"] for each in known if not on or each["channel"] in on)
        waits = new and accounts.DIRECT in shut
        found.append(Unreached(row["name"], shut, group["group_name"] if group else None, at_start=waits))
    return found

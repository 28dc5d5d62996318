"""Calls somebody by name in a group where his private chat is shut; nothing of any matter is said there."""

from datetime import datetime

from domain.notices import Lane
from domain.people import Person
from domain.rules import Rules
from storage import outbox
from storage.database import Tx

# Groups of a platform that knows him and where a private chat can be begun by a link: those of the firm for whom speaks
# for it or is its liaison, those of the coordination office for everybody else in office.
_GROUPS = """
SELECT c.id, a.id AS account_id, b.link FROM accounts a
JOIN bots b ON b.channel = a.channel
JOIN chats c ON c.channel = a.channel AND c.private = 0 AND c.reachable = 1 AND c.approved_at IS NOT NULL
WHERE a.person_id = :person AND (
    (c.purpose = 'coordination' AND :office = 1)
    OR c.id IN (SELECT f.chat_id FROM chat_enterprises f
                JOIN enterprises e ON e.id = f.enterprise_id
                WHERE e.liaison_id = :person OR e.deputy_id = :person
                   OR e.id IN (SELECT enterprise_id FROM contacts WHERE person_id = :person)))
ORDER BY COALESCE(c.heard_at, 0) DESC, c.id LIMIT 1
"""


async def call_in_group(tx: Tx, person: Person, rules: Rules, due: datetime, at: datetime) -> bool:
    """Ask him in a group to open the private chat, once a day; whether there is such a group."""
    group = await tx.one(_GROUPS, {"person": person.id, "office": int(person.in_office)})
    if group is None:
        return False
    day = rules.calendar.local(at).date().isoformat()
    letter = outbox.Letter(
        group["id"],
        "reach.mention",
        {"name": person.name, "link": group["link"]},
        lane=Lane.CASE,
        person_id=person.id,
        mention=group["account_id"],
        dedupe=f"reach:{person.id}:{day}",
    )
    await outbox.owe(tx, letter, at=at, due=due)
    return True

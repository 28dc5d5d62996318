"""The last look before a message leaves: may this chat still see it, is it still true, and what are its words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain import access
from domain.appeal import Appeal
from domain.notices import Lane
from domain.rules import Rules
from domain.said import Button, Fact, Said
from handlers import chase
from storage import appeals, listeners, outbox, people
from storage.database import Tx
from storage.delivery import Owed
from storage.scope import SYSTEM
from texts import Catalogue, render

_WITHOUT_WORDS = frozenset({"task.taken_over"})
"""Messages to somebody who has just lost sight of a matter; they hold its number and nothing of its words."""


@dataclass(frozen=True, slots=True)
class Body:
    """A message in words: text, rows of (label, data), and the documents still to be built."""

    text: str
    keys: tuple[tuple[tuple[str, str], ...], ...]
    documents: tuple[Mapping[str, Any], ...]

    def as_json(self) -> dict[str, Any]:
        """The form in which it is kept for a retry."""
        keys = [[list(key) for key in row] for row in self.keys]
        return {"text": self.text, "keys": keys, "documents": [dict(document) for document in self.documents]}

    @classmethod
    def of_json(cls, kept: Mapping[str, Any]) -> "Body":
        """The inverse of `as_json`."""
        keys = tuple(tuple((key[0], key[1]) for key in row) for row in kept["keys"])
        return cls(kept["text"], keys, tuple(kept["documents"]))


async def prepare(tx: Tx, rules: Rules, catalogue: Catalogue, owed: Owed, at: datetime) -> Body | None:
    """The words of a claimed row, or None where it must not or need not leave any more."""
    if owed.expires_at is not None and owed.expires_at <= at:
        return None
    if not await _may_leave(tx, owed, at):
        return None
    facts = await _still_true(tx, owed)
    if facts is None:
        return None
    if owed.body is not None:
        return Body.of_json(owed.body)
    person = await people.person(tx, owed.person_id, at) if owed.person_id is not None else None
    language = person.language if person and owed.private else rules.language
    text = render(catalogue, Said(owed.key, facts), language, rules.calendar.zone)
    return Body(text, _keys(catalogue, owed.buttons, language), tuple(owed.files))


def _keys(
    catalogue: Catalogue, buttons: Sequence[Sequence[Sequence[str]]], language: str
) -> tuple[tuple[tuple[str, str], ...], ...]:
    return tuple(tuple((label or _label(catalogue, data, language), data) for data, label in row) for row in buttons)


def _label(catalogue: Catalogue, data: str, language: str) -> str:
    button = Button.parse(data)
    return catalogue.label(button.verb, language) if button else data


async def _may_leave(tx: Tx, owed: Owed, at: datetime) -> bool:
    """The guard at the gate: the chat's people may see this appeal now, not only when the row was written."""
    chat = await people.chat(tx, owed.chat_id)
    if not chat.private and not chat.approved:
        return False
    appeal = await appeals.by_id(tx, owed.appeal_id, SYSTEM) if owed.appeal_id is not None else None
    if appeal is None or owed.key in _WITHOUT_WORDS:
        return True
    if not chat.private:
        return not appeal.sealed
    return chat.person_id is not None and await _may_see(tx, chat.person_id, appeal, at)


async def _may_see(tx: Tx, person_id: int, appeal: Appeal, at: datetime) -> bool:
    person = await people.person(tx, person_id, at)
    if person is None:
        return False
    firm = await people.enterprise(tx, appeal.enterprise_id)
    return bool(access.relations(person, appeal, firm, await people.headed_by(tx, person_id)))


async def _still_true(tx: Tx, owed: Owed) -> Mapping[str, Fact] | None:
    """A reminder loses the lines whose work was done meanwhile; without any line left it does not leave."""
    tokens, lines = owed.facts.get("holds"), owed.facts.get("lines")
    if not isinstance(tokens, tuple) or not isinstance(lines, tuple):
        return owed.facts
    kept = [line for token, line in zip(tokens, lines, strict=True) if await chase.still_holds(tx, str(token))]
    return {**owed.facts, "lines": kept, "count": len(kept)} if kept else None


async def tell_undelivered(tx: Tx, rules: Rules, owed: Owed, cause: str, at: datetime) -> None:
    """A message that can never arrive: whoever can call hears so, once a day for a chat and cause."""
    chat = await people.chat(tx, owed.chat_id)
    appeal = await appeals.by_id(tx, owed.appeal_id, SYSTEM) if owed.appeal_id is not None else None
    person = await people.person(tx, owed.person_id, at) if owed.person_id is not None else None
    if appeal is not None and person is not None:
        await listeners.tell_callers(tx, person, await listeners.appeal_facts(tx, appeal, rules), appeal, rules, at)
        return
    day = rules.calendar.local(at).date().isoformat()
    for coordinator in await listeners.coordinators(tx, at):
        place = await people.private_chat(tx, coordinator.id)
        if place is None or place.id == owed.chat_id:
            continue
        letter = outbox.Letter(
            chat_id=place.id,
            key="watch.undelivered",
            facts={"chat": chat.name or Said("watch.private_chat"), "cause": cause},
            lane=Lane.CASE,
            person_id=coordinator.id,
            dedupe=f"undelivered:{owed.chat_id}:{cause[:40]}:{day}:{coordinator.id}",
        )
        await outbox.owe(tx, letter, at=at, due=listeners.audible(rules, coordinator, at, urgent=False))

"""The last look before a message leaves: may this chat still see it, is it still true, and what are its words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain import access
from domain.appeal import Appeal
from domain.causes import same_cause
from domain.notices import Lane
from domain.people import Chat, Person
from domain.rules import Rules
from domain.said import Button, Fact, Said
from domain.verbs import Verb
from domain.words import quieted
from handlers import chase, menus
from storage import appeals, delivery, listeners, outbox, people, reaching, turns
from storage.database import Tx
from storage.delivery import Owed
from storage.scope import SYSTEM
from texts import Catalogue, render

_WITHOUT_WORDS = frozenset({"task.taken_over"})
"""Messages to somebody who has just lost sight of a matter; they hold its number and nothing of its words."""


@dataclass(frozen=True, slots=True)
class Body:
    """A message in words: text, rows of (label, data), the documents still to be built, and whom it calls by name."""

    text: str
    keys: tuple[tuple[tuple[str, str], ...], ...]
    documents: tuple[Mapping[str, Any], ...]
    mention: str = ""

    def as_json(self) -> dict[str, Any]:
        """The form in which it is kept for a retry."""
        keys = [[list(key) for key in row] for row in self.keys]
        documents = [dict(document) for document in self.documents]
        return {"text": self.text, "keys": keys, "documents": documents, "mention": self.mention}

    @classmethod
    def of_json(cls, kept: Mapping[str, Any]) -> "Body":
        """The inverse of `as_json`."""
        keys = tuple(tuple((key[0], key[1]) for key in row) for row in kept["keys"])
        return cls(kept["text"], keys, tuple(kept["documents"]), kept.get("mention", ""))


@dataclass(frozen=True, slots=True)
class Dropped:
    """A message that must not or need not leave any more, and why."""

    reason: str


async def prepare(tx: Tx, rules: Rules, catalogue: Catalogue, owed: Owed, at: datetime) -> Body | Dropped:
    """The words of a claimed row, or why it does not leave."""
    if owed.expires_at is not None and owed.expires_at <= at:
        return Dropped("expired")
    if owed.kind == "edit" and (owed.target is None or await delivery.overtaken(tx, owed)):
        return Dropped("the message is not there to be changed, or was changed since")
    if not await _may_leave(tx, owed, at):
        return Dropped("not for the eyes of this chat any more")
    facts = owed.facts if owed.kind == "edit" else await _still_true(tx, owed, at)
    if facts is None:
        return Dropped("the work was done meanwhile")
    if owed.body is not None:
        return Body.of_json(owed.body)
    person = await people.person(tx, owed.person_id, at) if owed.person_id is not None else None
    language = person.language if person and owed.private else rules.language
    if owed.kind == "menu":
        return Body("", menus.keys(catalogue, person, language), ())
    text = render(catalogue, quiet(Said(owed.key, facts)), language, rules.calendar.zone)
    why = facts.get("in_place_of")
    if isinstance(why, Said):  # a stand-in reads first for whom he gets this
        text = f"{render(catalogue, why, language, rules.calendar.zone)}\n{text}"
    mention = person.name if person and owed.mention else ""
    return Body(text, _keys(catalogue, owed.buttons, language), tuple(owed.files), mention)


def quiet(said: Said) -> Said:
    """The same, with nothing in what people wrote that calls somebody or can be pressed."""
    return Said(said.key, {name: _quiet_fact(fact) for name, fact in said.facts.items()})


def _quiet_fact(fact: Fact) -> Fact:
    if isinstance(fact, str):
        return quieted(fact)
    if isinstance(fact, Said):
        return quiet(fact)
    if isinstance(fact, Sequence):
        return tuple(quiet(item) if isinstance(item, Said) else quieted(item) for item in fact)
    return fact


def _keys(
    catalogue: Catalogue, buttons: Sequence[Sequence[Sequence[str]]], language: str
) -> tuple[tuple[tuple[str, str], ...], ...]:
    return tuple(tuple((label or _label(catalogue, data, language), data) for data, label in row) for row in buttons)


def _label(catalogue: Catalogue, data: str, language: str) -> str:
    button = Button.parse(data)
    return catalogue.label(button.verb, language) if button else data


async def _may_leave(tx: Tx, owed: Owed, at: datetime) -> bool:
    """The guard at the gate: the chat's people may see this appeal now, not only when the row was written.

    Taking buttons away shows nothing that did not stand there before.
    """
    if owed.kind == "edit":
        return True
    chat = await people.chat(tx, owed.chat_id)
    if not chat.private and not chat.approved:
        return False
    if chat.private and owed.person_id is not None and owed.person_id != chat.person_id:
        return False  # the account has become somebody else's
    appeal = await appeals.by_id(tx, owed.appeal_id, SYSTEM) if owed.appeal_id is not None else None
    if appeal is None or owed.key in _WITHOUT_WORDS:
        return True
    if not chat.private:
        return not appeal.sealed and chat.is_about(appeal.enterprise_id)
    return chat.person_id is not None and await _may_see(tx, chat.person_id, appeal, at)


async def _may_see(tx: Tx, person_id: int, appeal: Appeal, at: datetime) -> bool:
    person = await people.person(tx, person_id, at)
    if person is None:
        return False
    firm = await people.enterprise(tx, appeal.enterprise_id)
    return bool(access.relations(person, appeal, firm, await people.headed_by(tx, person)))


async def _still_true(tx: Tx, owed: Owed, at: datetime) -> Mapping[str, Fact] | None:
    """A reminder loses the lines whose work was done meanwhile, or that a later one which may leave as well repeats.

    That one repeats a matter only in a line that holds; else nobody would say it. Without any line left it does not
    leave. Of what has left in part nothing is taken back.
    """
    tokens, lines = owed.facts.get("holds"), owed.facts.get("lines")
    if not isinstance(tokens, tuple) or not isinstance(lines, tuple):
        return owed.facts
    later = () if owed.parts else await delivery.held_later(tx, owed, at)
    again = {_number(token) for token in later if await _line_holds(tx, token, owed.person_id, at)}
    kept = [
        line
        for token, line in zip(tokens, lines, strict=True)
        if _number(str(token)) not in again and await _line_holds(tx, str(token), owed.person_id, at)
    ]
    return {**owed.facts, "lines": kept, "count": len(kept)} if kept else None


def _number(token: str) -> str:
    return token.partition("|")[0]


async def _line_holds(tx: Tx, token: str, person_id: int | None, at: datetime) -> bool:
    """Whether the clock of a line still runs, and the matter is still before the eyes of who is reminded."""
    if not await chase.still_holds(tx, token):
        return False
    appeal = await appeals.get(tx, token.partition("|")[0], SYSTEM)
    return appeal is not None and (person_id is None or await _may_see(tx, person_id, appeal, at))


async def tell_undelivered(tx: Tx, rules: Rules, owed: Owed, cause: str, at: datetime) -> None:
    """A message that can never arrive goes to the next chat of its listener.

    If there is none, whoever can call hears so, once a day for a chat, a cause and an appeal; where nobody can, the
    office hears once a day for a chat and a cause, whatever the messages were about.
    """
    person = await people.person(tx, owed.person_id, at) if owed.person_id is not None else None
    if person is not None and owed.private and await _next_leg(tx, owed, person, at):
        return
    appeal = await appeals.by_id(tx, owed.appeal_id, SYSTEM) if owed.appeal_id is not None else None
    if appeal is not None and person is not None:
        if await _first_today(tx, rules, f"{owed.chat_id}:{appeal.id}:{same_cause(cause)}", at):
            facts = await listeners.appeal_facts(tx, appeal, rules)
            await listeners.tell_callers(tx, person, facts, appeal, rules, at)
        return
    if not await _first_today(tx, rules, f"{owed.chat_id}:-:{same_cause(cause)}", at):
        return
    if person is not None and owed.private and await people.private_chat(tx, person.id) is None:
        await reaching.call_in_group(tx, person, rules, listeners.audible(rules, person, at, urgent=False), at)
    where = _called(await people.chat(tx, owed.chat_id))
    await _to_office(tx, rules, owed, Said("watch.undelivered", {"chat": where, "cause": same_cause(cause)}), at)


async def _first_today(tx: Tx, rules: Rules, about: str, at: datetime) -> bool:
    day = rules.calendar.local(at).date().isoformat()
    return await turns.take(tx, "undelivered", f"{about}:{day}", at)


async def tell_doubtful(tx: Tx, rules: Rules, owed: Owed, at: datetime) -> None:
    """Nobody knows whether a message arrived, and it does not leave again by itself: the office hears so.

    Once a day for a listener and an appeal; of what is sealed it hears nothing. A notice to many shows it in its own
    list, an edit is missed by nobody.
    """
    appeal = await appeals.by_id(tx, owed.appeal_id, SYSTEM) if owed.appeal_id is not None else None
    if owed.kind != "send" or owed.lane == Lane.BROADCAST or (appeal is not None and appeal.sealed):
        return
    number = appeal.number if appeal is not None else None
    if not await _first_today(tx, rules, f"{owed.chat_id}:{number or '-'}:doubt", at):
        return
    person = await people.person(tx, owed.person_id, at) if owed.person_id is not None else None
    whom: Fact = person.name if person else _called(await people.chat(tx, owed.chat_id))
    await _to_office(tx, rules, owed, Said("watch.doubtful", {"whom": whom, "number": number}), at)


async def _next_leg(tx: Tx, owed: Owed, person: Person, at: datetime) -> bool:
    """Owe the same message in another private chat that reaches its listener; whether there is one."""
    place = await people.private_chat(tx, person.id)
    if place is None or place.id == owed.chat_id:
        return False
    letter = outbox.Letter(
        chat_id=place.id,
        key=owed.key,
        facts=owed.facts,
        buttons=outbox.read_buttons(owed.buttons),
        lane=Lane(owed.lane),
        appeal_id=owed.appeal_id,
        person_id=person.id,
        files=tuple(owed.files),
        dedupe=f"leg:{owed.id}",
        silent=owed.silent,
    )
    await outbox.owe(tx, letter, at=at)
    return True


def _called(chat: Chat) -> Fact:
    return Said("watch.private_chat") if chat.private else chat.name or chat.external_id


async def _to_office(tx: Tx, rules: Rules, owed: Owed, said: Said, at: datetime) -> None:
    """Every coordinator hears it, except in the very chat that is in trouble."""
    for coordinator in await listeners.coordinators(tx, at):
        place = await people.private_chat(tx, coordinator.id)
        if place is None or place.id == owed.chat_id:
            continue
        letter = outbox.Letter(
            chat_id=place.id,
            key=said.key,
            facts=said.facts,
            buttons=((Button(Verb.UNDELIVERED),),),
            lane=Lane.CASE,
            person_id=coordinator.id,
        )
        await outbox.owe(tx, letter, at=at, due=listeners.audible(rules, coordinator, at, urgent=False))

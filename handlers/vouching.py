"""Asks somebody with authority who a stranger is: the firm's liaison by one button, or the coordinators."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from domain.notices import Lane
from domain.people import Chat, Enterprise, Person, Role
from domain.rules import Rules
from domain.said import Button, Fact
from domain.verbs import Verb
from handlers.router import Buttons
from storage import absences, binding, listeners, people
from storage.database import Tx
from storage.outbox import Letter, owe


async def ask_about(
    tx: Tx, rules: Rules, account_id: int, firm: Enterprise, chat: Chat, name: str, at: datetime
) -> Sequence[str]:
    """Ask for a button under `绑定 <firm>`; the names of those asked, none where they were asked already."""
    request, new = await binding.ask(tx, account_id, firm.id, chat.id, at)
    if not new:
        return ()
    asked = await vouchers(tx, firm, at)
    facts = {"name": name, "firm": firm.short_name, "group": None if chat.private else chat.name}
    for person in asked:
        await tell(tx, rules, person, "joining.confirm", facts, ((confirmation(request.id, firm.short_name),),), at)
    return [person.name for person in asked]


def confirmation(request_id: int, firm: str) -> Button:
    """The button that binds."""
    return Button(Verb.CONFIRM_BINDING, argument=f"r{request_id}", label=firm)


async def vouchers(tx: Tx, firm: Enterprise, at: datetime) -> Sequence[Person]:
    """Who may say that somebody speaks for a firm and can be asked now: its liaison or his stand-in, the
    deputy, the coordinators.
    """
    cover = await absences.cover(tx, at)
    instead = cover.stand_in(firm.liaison_id, firm.id) if firm.liaison_id is not None else None
    for person_id in (firm.liaison_id, instead, firm.deputy_id):
        person = await people.person(tx, person_id, at) if person_id is not None else None
        able = person is not None and person.has(Role.LIAISON, Role.COORDINATOR) and not person.on_leave
        if person is not None and able and await people.private_chat(tx, person.id):
            return [person]
    return await coordinators(tx, at)


async def coordinators(tx: Tx, at: datetime) -> Sequence[Person]:
    """The coordinators whom a private chat reaches."""
    everybody = await people.people_with(tx, Role.COORDINATOR, at)
    return [person for person in everybody if await people.private_chat(tx, person.id)]


def may_vouch(person: Person, firm: Enterprise) -> bool:
    """Whether this person may say who speaks for the firm."""
    return person.has(Role.COORDINATOR) or not person.acts_for(firm).isdisjoint((firm.liaison_id, firm.deputy_id))


async def tell(
    tx: Tx,
    rules: Rules,
    person: Person,
    key: str,
    facts: Mapping[str, Fact],
    buttons: Buttons,
    at: datetime,
) -> bool:
    """Owe a private word to a person at an hour that suits him; False where no chat reaches him."""
    chat = await people.private_chat(tx, person.id)
    if chat is None:
        return False
    letter = Letter(chat.id, key, facts, buttons, lane=Lane.CASE, person_id=person.id)
    await owe(tx, letter, at=at, due=listeners.audible(rules, person, at, urgent=False))
    return True


async def tell_all(
    tx: Tx, rules: Rules, whom: Iterable[Person], key: str, facts: Mapping[str, Fact], at: datetime, *, but: int = 0
) -> None:
    """The same word to several people, except the one who caused it."""
    for person in whom:
        if person.id != but:
            await tell(tx, rules, person, key, facts, (), at)

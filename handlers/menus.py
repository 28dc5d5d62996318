"""The list of commands that a platform shows beside its input line: for each person those that are his."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from domain.notices import Lane
from domain.people import Chat, Person, Role
from domain.verbs import Verb
from storage import chats, outbox
from storage.database import Tx
from texts import Catalogue

Keys = tuple[tuple[tuple[str, str], ...], ...]

STRANGER = (Verb.BIND, Verb.APPEAL, Verb.POLICY, Verb.HELP)
"""Whom nobody knows yet."""
GROUP = (Verb.APPEAL, Verb.INQUIRE, Verb.SUGGEST, Verb.COMPLAIN, Verb.STATUS, Verb.POLICY, Verb.HELP)
"""Everybody in a group."""
_BY_ROLE: Mapping[Role, Sequence[Verb]] = {
    Role.CONTACT: (Verb.APPEAL, Verb.INQUIRE, Verb.COMPLAIN, Verb.SUGGEST, Verb.MINE, Verb.URGE, Verb.WITHDRAW),
    Role.LIAISON: (Verb.TODO, Verb.ACKNOWLEDGE, Verb.PROGRESS, Verb.RESOLVE, Verb.TRANSFER, Verb.RECORD, Verb.LEAVE),
    Role.HANDLER: (Verb.TODO, Verb.ACKNOWLEDGE, Verb.PROGRESS, Verb.RESOLVE, Verb.RETURN, Verb.LEAVE),
    Role.HEAD: (Verb.TODO, Verb.DIGEST, Verb.LEAVE),
    Role.CHIEF: (Verb.TODO, Verb.DIGEST),
    Role.COORDINATOR: (Verb.TODO, Verb.DISPATCH, Verb.RULE, Verb.DIGEST, Verb.LEDGER, Verb.PUBLISH, Verb.UNLINKED),
    Role.INSPECTOR: (Verb.TODO, Verb.TRACE),
}
_EVERYBODY = (Verb.STATUS, Verb.POLICY, Verb.LANGUAGE, Verb.HELP)


def verbs_for(person: Person | None) -> tuple[Verb, ...]:
    """The verbs of his menu, each once, those of his work first."""
    if person is None:
        return STRANGER
    own = (verb for role, verbs in _BY_ROLE.items() if person.has(role) for verb in verbs)
    return tuple(dict.fromkeys((*own, *_EVERYBODY)))


def lines(catalogue: Catalogue, verbs: Iterable[Verb], language: str) -> list[tuple[str, str]]:
    """(description, command) of each verb; commands are ASCII, as platforms take no others."""
    return [(catalogue.texts[f"menu.{verb}"].of(language), catalogue.word(verb, "en")) for verb in verbs]


def keys(catalogue: Catalogue, person: Person | None, language: str) -> Keys:
    """A person's menu as the rows of a message's body."""
    return tuple((line,) for line in lines(catalogue, verbs_for(person), language))


async def follow(tx: Tx, chat: Chat, person: Person | None, at: datetime) -> None:
    """Owe a private chat its list of commands when it is not the one of this person's roles and language.

    Whom nobody knows sees the platform's list for everybody, which speaks his own language.
    """
    if person is None and not chat.menu:
        return
    menu = f"{person.language if person else ''}:{','.join(verbs_for(person))}"
    if menu != chat.menu and await chats.follow_menu(tx, chat.id, menu):
        whose = person.id if person else None
        await outbox.owe(tx, outbox.Letter(chat.id, "menu", lane=Lane.BROADCAST, kind="menu", person_id=whose), at=at)

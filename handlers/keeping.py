"""What somebody says whom nobody knows yet is kept, and filed with its own time once he has been bound to his firm."""

from dataclasses import asdict
from datetime import datetime

from domain.appeal import Appeal
from domain.chat import Attachment
from domain.notices import Lane, button
from domain.people import Chat, Person, Purpose
from domain.rules import Kind, Rules
from domain.said import Button, Fact
from domain.verbs import INTAKE, Verb
from domain.words import MOST_TEXT, title_of
from handlers import vouching
from handlers.raising import KINDS, Matter, file_appeal
from handlers.router import Ask, Reply, Request
from storage import accounts, binding, listeners, people
from storage.binding import Kept
from storage.database import Tx
from storage.outbox import Letter, owe

MOST_KEPT = 20
MOST_FIRMS = 8


async def keep(request: Request) -> Reply | None:
    """Whatever an unknown account says: a matter is kept and somebody is asked who he is; the rest is explained."""
    if not request.chat.private and request.chat.purpose is not Purpose.LIAISON:
        return Reply("joining.unknown")
    if request.verb in INTAKE or (request.verb is Verb.FILE and not _is_talk(request)):
        return await _keep_matter(request)
    if request.verb is Verb.FILE and request.text.strip():
        raise Ask(
            "joining.offer_to_keep",
            {"text": title_of(request.text)},
            ((Button(Verb.FILE), Button(Verb.CANCEL)),),
            keep={"talk": True},
            offers=[Verb.FILE],
        )
    if request.attachments and await _add_files(request):
        return Reply("joining.kept_added")
    return Reply("joining.unknown")


def _is_talk(request: Request) -> bool:
    return bool(request.answered.get("talk")) and request.button is None


async def _keep_matter(request: Request) -> Reply:
    text = request.need_text("joining.ask_matter")[:MOST_TEXT]
    if len(await binding.kept(request.tx, request.account_id)) >= MOST_KEPT:
        return Reply("joining.kept_enough")
    body = {
        "kind": KINDS[request.verb].value,
        "text": text,
        "attachments": [asdict(file) for file in request.attachments],
    }
    await binding.keep(request.tx, request.account_id, request.chat.id, body, request.at)
    await _ask_who(request)
    return Reply("joining.kept" if request.chat.enterprise_ids else "joining.kept_alone")


async def _add_files(request: Request) -> bool:
    files = [asdict(file) for file in request.attachments]
    return await binding.add_files(request.tx, request.account_id, request.chat.id, files, request.at)


async def _ask_who(request: Request) -> None:
    """In a group its firms' liaisons are asked, one button a firm; in private the coordinators, who ask back."""
    tx, at = request.tx, request.at
    name = await accounts.shown_name(tx, request.account_id) or request.message.sender_name
    firms = sorted(request.chat.enterprise_ids)[:MOST_FIRMS]
    for firm_id in firms:
        firm = await people.enterprise(tx, firm_id)
        await vouching.ask_about(tx, request.rules, request.account_id, firm, request.chat, name, at)
    if firms or len(await binding.kept(tx, request.account_id)) > 1:
        return
    button = Button(Verb.CONFIRM_BINDING, argument=f"a{request.account_id}")
    facts = {"name": name, "group": None if request.chat.private else request.chat.name}
    for person in await vouching.coordinators(tx, at):
        await vouching.tell(tx, request.rules, person, "joining.who_is_it", facts, ((button,),), at)


async def file_kept(
    tx: Tx, rules: Rules, account_id: int, person: Person, at: datetime, enterprise_id: int | None = None
) -> list[Appeal]:
    """File what an account said before it was bound, each with the time at which it was said.

    `enterprise_id` is the firm that it was bound to just now; without it the firm must be plain from person and group.
    What cannot be told apart stays kept, and its author is asked to say it again.
    """
    filed: list[Appeal] = []
    unclear = 0
    for kept in await binding.kept(tx, account_id):
        chat = await people.chat(tx, kept.chat_id)
        firm = _firm_of(person, chat, enterprise_id)
        if firm is None:
            unclear += 1
        elif await binding.settle(tx, kept.id, at):
            appeal = await _file(tx, rules, kept, person, firm, chat)
            await _tell_filed(tx, rules, appeal, person, chat, kept, at)
            filed.append(appeal)
    if unclear and person.enterprise_ids:
        await vouching.tell(tx, rules, person, "joining.say_again", {"count": unclear}, (), at)
    return filed


def _firm_of(person: Person, chat: Chat, enterprise_id: int | None) -> int | None:
    if enterprise_id is not None:
        return enterprise_id
    fitting = person.enterprise_ids & chat.enterprise_ids or person.enterprise_ids
    return next(iter(fitting)) if len(fitting) == 1 else None


async def _file(tx: Tx, rules: Rules, kept: Kept, person: Person, firm: int, chat: Chat) -> Appeal:
    files = tuple(Attachment(**file) for file in kept.body["attachments"])
    matter = Matter(Kind(kept.body["kind"]), kept.body["text"], firm, chat, person, files)
    return await file_appeal(tx, rules, matter, kept.kept_at)


async def _tell_filed(
    tx: Tx, rules: Rules, appeal: Appeal, person: Person, chat: Chat, kept: Kept, at: datetime
) -> None:
    """Its author hears the number privately; where no private chat reaches him, the group does, without the words."""
    facts: dict[str, Fact] = await listeners.appeal_facts(tx, appeal, rules)
    private = await people.private_chat(tx, person.id)
    place = private or chat
    if not place.private and place.one_firm != appeal.enterprise_id:
        facts["title"] = None
    buttons = ((button(Verb.SUPPLEMENT, appeal),),)
    letter = Letter(
        place.id,
        "joining.kept_filed",
        {**facts, "said_at": kept.kept_at},
        buttons,
        lane=Lane.REPLY,
        appeal_id=appeal.id,
        person_id=person.id,
        silent=rules.calendar.is_quiet(at),
    )
    await owe(tx, letter, at=at)

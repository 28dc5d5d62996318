"""One message from beginning to end: who speaks, what he wants, what is answered; all of it in one transaction."""

import logging
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from domain import access
from domain.appeal import Appeal
from domain.chat import Incoming, tidied
from domain.errors import Refused
from domain.notices import Lane
from domain.people import Chat, Purpose
from domain.rules import Kind, Rules
from domain.said import Fact, Said
from domain.verbs import Verb
from handlers import albums, joining, menus, places, spelling
from handlers.attaching import need_files
from handlers.hearing import Heard, understand
from handlers.router import Ask, Buttons, Overheard, Reply, Request, Router, for_appeal
from storage import appeals, calendars, chats, listeners, outbox, people, steps, turns
from storage.database import Tx
from storage.scope import SYSTEM
from storage.steps import Step

_log = logging.getLogger(__name__)
_GREETED = timedelta(days=2)
"""So long at least it is known who was greeted on which day."""
_NOT_FOR_GROUPS = ("title", "words", "text", "reason", "contact")
_IN_PLACE = frozenset(
    {"refused.not_found", "refused.not_yours", "refused.not_for_you", "refused.nothing_fits", "refused.unknown_command"}
)
"""Refusals that tell nothing about a matter, so that they may be heard where they were earned."""
_ANSWER_AGAIN = frozenset(
    {
        "refused.too_long",
        "refused.no_words",
        "refused.firm_unknown",
        "refused.firm_unclear",
        "refused.person_unknown",
        "refused.person_unclear",
        "refused.no_duty",
        "refused.same_owner",
        "refused.category_unknown",
        "refused.follow_up_unknown",
    }
)
"""Refusals of an answer, not of what it was the answer to: the question stays open."""
_JUDGING = frozenset(
    {Verb.SATISFIED, Verb.FAIRLY_SATISFIED, Verb.DISSATISFIED, Verb.SOLVED, Verb.PARTLY_SOLVED, Verb.UNSOLVED}
)
_OFFICE_OWN = frozenset(access.WITH_APPEAL) - {Verb.STATUS} | {Verb.RECORD, Verb.HELP}
_GROUP_BUTTONS = frozenset({Verb.SUPPLEMENT, Verb.WITHDRAW, Verb.FILE, Verb.CONFIRM, Verb.CANCEL, Verb.UNDO})


@dataclass(frozen=True, slots=True)
class House:
    """What every conversation needs and no message changes: rules, the words known, the bot's names, the router.

    `menus` are the channels that show a list of commands.
    """

    rules: Rules
    vocabulary: Mapping[str, Verb]
    bot_names: Collection[str]
    router: Router
    menus: Collection[str] = ()


async def hear(tx: Tx, house: House, message: Incoming, at: datetime) -> bool:
    """Do what a message wants and owe the answer; Unfetched where the files that came along are wanted first.

    False where it was talk among people, or said in a group that nobody let in: its words are nobody's business.
    """
    rules, message = await calendars.in_force(tx, house.rules), tidied(message)
    if message.event is not None:
        await places.happen(tx, rules, message, at)
        return True
    if not message.sender:
        return await _unnamed(tx, house, message, at)
    heard = await _heard(tx, rules, message, at)
    if not heard.chat.private and not heard.chat.approved:
        await joining.ask_about_group(tx, rules, heard.chat, at)
        return False
    if message.album and not message.edited and await chats.is_open_album(tx, heard.chat.id, message.album):
        request = await albums.add(heard, house.router)
    else:
        request = await _attended(house, heard)
    ours = request is not None
    if ours or heard.chat.private or message.addressed:
        await _tell_lost(request or heard.request(Verb.HELP))
    if heard.chat.private and message.channel in house.menus:
        await menus.follow(tx, heard.chat, await people.by_account(tx, message.channel, message.sender, at), at)
    if not message.entered:
        await people.note_heard(tx, heard.chat.id, at)
    return ours or heard.chat.private


def is_for_bot(house: House, message: Incoming) -> bool:
    """Whether a message is plainly meant for the bot: said to it alone, addressed, or a command."""
    if message.private or message.addressed or message.button is not None:
        return True
    spoken = spelling.read(message.text, house.vocabulary, private=False, addressed=False, bot_names=house.bot_names)
    return spoken.verb is not None or spoken.explicit


async def _attended(house: House, heard: Heard) -> Request | None:
    """Answer a request, with its files at hand; the rest of an album belongs to what its first message was about.

    None where it was none.
    """
    if heard.message.entered and not await _to_greet(heard):
        return None
    request = await understand(heard, house.vocabulary, house.bot_names)
    if request is None:
        return None
    request = await need_files(request)
    try:
        reply = await answer(house.router, request)
    except Overheard:
        return None
    album = heard.message.album
    if album:
        await chats.open_album(heard.tx, heard.chat.id, album)
    if album and reply is not None and reply.appeal is not None:
        await chats.set_album(heard.tx, heard.chat.id, album, _id(reply.appeal))
    return request


async def _to_greet(heard: Heard) -> bool:
    """Whether who opens the chat is greeted: once a day, and not while he is asked something."""
    if await steps.waiting(heard.tx, heard.chat.id, heard.account_id, heard.at) is not None:
        return False
    day = heard.rules.calendar.local(heard.at).date().isoformat()
    await turns.forget(heard.tx, "greeting", heard.at - _GREETED)
    return await turns.take(heard.tx, "greeting", f"{heard.chat.id}:{day}", heard.at)


def _id(appeal: Appeal) -> int:
    assert appeal.id is not None  # it was recorded
    return appeal.id


async def _tell_lost(request: Request) -> None:
    for lost in request.message.lost:
        await say(request, Reply("reply.file_lost", {"name": lost.name, "cause": lost.cause}))


async def _unnamed(tx: Tx, house: House, message: Incoming, at: datetime) -> bool:
    """Somebody speaks as the group or a channel: nobody knows who, so no command is carried out, and he hears why."""
    chat = await people.enter(
        tx, message.channel, message.chat, private=False, name=message.chat_name, account_id=None, at=at
    )
    spoken = spelling.read(
        message.text, house.vocabulary, private=False, addressed=message.addressed, bot_names=house.bot_names
    )
    if message.edited or not (chat.approved and spoken.explicit and spoken.verb is not None):
        return False
    answered = _since_the_move(chat, message).message_id or None
    letter = outbox.Letter(chat.id, "reply.unnamed", lane=Lane.REPLY, reply_to=answered)
    await outbox.owe(tx, letter, at=at)
    return True


async def _heard(tx: Tx, rules: Rules, message: Incoming, at: datetime) -> Heard:
    account_id = await people.meet(tx, message.channel, message.sender, message.sender_name)
    chat = await people.enter(
        tx,
        message.channel,
        message.chat,
        private=message.private,
        name=message.chat_name,
        account_id=account_id,
        at=at,
        spoke=not message.entered,
    )
    person = await people.by_account(tx, message.channel, message.sender, at)
    return Heard(tx, rules, at, person, account_id, chat, _since_the_move(chat, message))


def _since_the_move(chat: Chat, message: Incoming) -> Incoming:
    """Of a message that came in before its chat was moved: its number now belongs to another one."""
    if message.chat == chat.external_id:
        return message
    return replace(message, message_id="", reply_to=message.reply_to and chats.before_the_move(message.reply_to))


async def answer(router: Router, request: Request) -> Reply | None:
    """Perform a request and owe its reply, its refusal or its question; Overheard where it was none."""
    try:
        reply = await router.perform(request)
    except Refused as refusal:
        await _refuse(request, refusal)
        return None
    except Ask as question:
        await _put(request, question)
        return None
    await steps.end(request.tx, request.chat.id, request.account_id)
    if reply is not None:
        await _reply(request, reply)
    return reply


async def _refuse(request: Request, refusal: Refused) -> None:
    """Say why not. Where the answer to a question was at fault the question stays open, else it is over."""
    if refusal.key.startswith("refused.") and refusal.key not in _ANSWER_AGAIN:
        await steps.end(request.tx, request.chat.id, request.account_id)
    reply = await _about(request, Reply(refusal.key, refusal.facts))
    if refusal.key == "refused.outdated" and reply.appeal is not None:
        reply = replace(reply, buttons=await _renewed(request, reply.appeal))
    in_place = refusal.key in _IN_PLACE
    await say(request, replace(reply, private=not in_place and _is_discreet(request, reply)))


async def _renewed(request: Request, appeal: Appeal) -> Buttons:
    """In place of an outdated button the same one as of now, if it still can be pressed."""
    held = await request.relations(appeal)
    return for_appeal(appeal, request.verb) if access.may(request.verb, held, appeal.status) else ()


async def _put(request: Request, question: Ask) -> None:
    """Put a question where its answer may be given, and remember it there."""
    reply = await _about(request, Reply(question.key, question.facts, question.buttons))
    private = question.private or _is_discreet(request, reply)
    place = await say(request, replace(reply, private=private), asks=not question.buttons)
    if place is not None:
        await _keep_step(request, question, place)


async def _reply(request: Request, reply: Reply) -> None:
    place = await say(request, replace(reply, private=reply.private or _is_discreet(request, reply)))
    if reply.keep is not None and place is not None:
        await _keep_step(request, Ask(reply.key, buttons=reply.buttons, keep=reply.keep), place)


async def _about(request: Request, reply: Reply) -> Reply:
    """A refusal or question that names a matter by its title is a message about it, to which may be replied."""
    number = reply.facts.get("number")
    if "title" not in reply.facts or not isinstance(number, str):
        return reply
    found = await appeals.get(request.tx, number, SYSTEM)
    if found is None:
        return reply
    firm = await people.enterprise(request.tx, found.enterprise_id)
    return replace(reply, appeal=found, facts={"firm": firm.short_name, **reply.facts})


def _is_discreet(request: Request, reply: Reply) -> bool:
    """What no firm's group may read: ratings, the office's own work, what is sensitive, and any other firm's matter."""
    if request.verb in _JUDGING or (reply.appeal is not None and _is_sensitive(request, reply.appeal)):
        return True
    if reply.appeal is not None and _is_foreign(request.chat, reply.appeal):
        return True
    office = request.person is not None and request.person.in_office
    return office and request.verb in _OFFICE_OWN and request.chat.purpose is not Purpose.COORDINATION


def _is_foreign(chat: Chat, appeal: Appeal) -> bool:
    """Whether a group has nothing to do with a matter's firm: not even its name belongs there."""
    return not chat.private and not chat.is_about(appeal.enterprise_id)


def _is_sensitive(request: Request, appeal: Appeal) -> bool:
    return appeal.sealed or appeal.kind is Kind.COMPLAINT or request.rules.category(appeal.category).sensitive


async def _keep_step(request: Request, question: Ask, place: Chat) -> None:
    facts: dict[str, Any] = {
        "text": request.text,
        "numbers": list(request.numbers) or _button_number(request),
        "attachments": [asdict(file) for file in request.attachments],
        "subject": request.reply_to_appeal,
        "keep": dict(question.keep),
        "offers": [verb.value for verb in question.offers],
        "presses": {button.data: button.label for row in question.buttons for button in row},
    }
    await steps.wait(request.tx, place.id, request.account_id, Step(question.verb or request.verb, facts), request.at)


def _button_number(request: Request) -> list[str]:
    return [request.button.number] if request.button and request.button.number else []


async def say(request: Request, reply: Reply, *, asks: bool = False) -> Chat | None:
    """Owe a reply where it belongs: in place, or privately with a short word in the group; the chat it went to.

    `asks`: it wants words for an answer, which a group has to give as a reply, or by calling the bot.
    """
    chat = request.chat
    heard_in = request.message.message_id or None
    if chat.private or not reply.private:
        await _owe(request, chat, reply, reply_to=heard_in, asks=asks and not chat.private)
        return chat
    private = await people.private_chat(request.tx, request.person.id) if request.person else None
    if private is None:
        await _invite(request, reply)
        return None
    await _owe(request, private, reply)
    await _owe(request, chat, Reply("reply.sent_privately"), reply_to=heard_in)
    return private


async def _invite(request: Request, reply: Reply) -> None:
    """Nobody reaches him privately: he gets the way there; of a matter, somebody who can call hears as well."""
    link = await chats.bot_link(request.tx, request.chat.channel) or request.rules.public_url
    come = Reply("reply.come_private", {"link": link or None})
    await _owe(request, request.chat, come, reply_to=request.message.message_id or None)
    if reply.appeal is not None and request.person is not None and not request.person.in_office:
        facts = await listeners.appeal_facts(request.tx, reply.appeal, request.rules)
        await listeners.tell_callers(request.tx, request.person, facts, reply.appeal, request.rules, request.at)


async def _owe(request: Request, chat: Chat, reply: Reply, reply_to: str | None = None, *, asks: bool = False) -> None:
    facts = _in_their_words(request, chat, reply.facts if _may_be_open(chat, reply) else _discreet(reply.facts))
    how = "ask.in_group_called" if request.message.calls_only else "ask.in_group"
    letter = outbox.Letter(
        chat_id=chat.id,
        key=how if asks else reply.key,
        facts={"question": Said(reply.key, facts)} if asks else facts,
        buttons=reply.buttons if chat.private else _for_group(chat, reply.buttons),
        lane=Lane.REPLY,
        appeal_id=reply.appeal.id if reply.appeal else None,
        person_id=request.person.id if request.person else None,
        files=reply.files,
        reply_to=reply_to,
        silent=request.rules.calendar.is_quiet(request.at),
    )
    await outbox.owe(request.tx, letter, at=request.at)


def _in_their_words(request: Request, chat: Chat, facts: Mapping[str, Fact]) -> Mapping[str, Fact]:
    """Firms, and the groups they read, are shown their own words for a status, not the office's."""
    status = facts.get("status")
    of_office = request.person is not None and request.person.in_office
    theirs = not of_office if chat.private else chat.purpose is not Purpose.COORDINATION
    if not theirs or not isinstance(status, Said) or status.key.endswith(".firm"):
        return facts
    return {**facts, "status": Said(f"{status.key}.firm")}


def _may_be_open(chat: Chat, reply: Reply) -> bool:
    """Whether a firm's own words may stand here: privately, among coordinators, or in the group of that one firm."""
    if chat.private or reply.appeal is None:
        return chat.private
    office = chat.purpose is Purpose.COORDINATION
    return not reply.appeal.sealed and (office or chat.one_firm == reply.appeal.enterprise_id)


def _discreet(facts: Mapping[str, Fact]) -> Mapping[str, Fact]:
    """Labels without the problem's words: the firm's name stands where its title would."""
    hidden: dict[str, Fact] = dict.fromkeys(_NOT_FOR_GROUPS)
    return {**facts, **hidden, "title": facts.get("firm")}


def _for_group(chat: Chat, buttons: Buttons) -> Buttons:
    """A firm's group sees no handler's buttons, and no choice by title, which shows one firm's matters to others."""
    if chat.purpose is Purpose.COORDINATION:
        return buttons
    kept = (tuple(button for button in row if button.verb in _GROUP_BUTTONS) for row in buttons)
    return tuple(row for row in kept if row)


def busy() -> Said:
    """The one line that may be said when nothing can be recorded."""
    return Said("reply.busy")

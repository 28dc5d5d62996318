"""One message from beginning to end: who speaks, what he wants, what is answered; all of it in one transaction."""

import logging
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from domain.chat import Incoming
from domain.errors import Refused
from domain.notices import Lane
from domain.people import Chat, Purpose
from domain.rules import Rules
from domain.said import Fact, Said
from domain.verbs import Verb
from handlers import joining
from handlers.hearing import Heard, understand
from handlers.router import Ask, Buttons, Reply, Request, Router
from storage import outbox, people, steps
from storage.database import Tx
from storage.steps import Step

_log = logging.getLogger(__name__)
_NOT_FOR_GROUPS = ("title", "words", "text", "reason", "contact")
_GROUP_BUTTONS = frozenset({Verb.SUPPLEMENT, Verb.WITHDRAW, Verb.FILE, Verb.CONFIRM, Verb.CANCEL, Verb.UNDO})


@dataclass(frozen=True, slots=True)
class House:
    """What every conversation needs and no message changes: rules, the words known, the bot's names, the router."""

    rules: Rules
    vocabulary: Mapping[str, Verb]
    bot_names: Collection[str]
    router: Router


async def hear(tx: Tx, house: House, message: Incoming, at: datetime) -> None:
    """Do what a message wants and owe the answer.

    Nobody with authority spoke (no sender), or the group is not approved: nothing is answered there.
    """
    if not message.sender:
        return
    heard = await _heard(tx, house.rules, message, at)
    if not heard.chat.private and not heard.chat.approved:
        await joining.ask_about_group(tx, house.rules, heard.chat, at)
        return
    request = await understand(heard, house.vocabulary, house.bot_names)
    if request is not None:
        await answer(house.router, request)


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
    )
    person = await people.by_account(tx, message.channel, message.sender, at)
    return Heard(tx, rules, at, person, account_id, chat, message)


async def answer(router: Router, request: Request) -> None:
    """Perform a request and owe its reply, its refusal or its question."""
    try:
        reply = await router.perform(request)
    except Refused as refusal:
        reply = Reply(refusal.key, _in_his_words(request, refusal.facts))
    except Ask as question:
        await _keep_step(request, question)
        reply = Reply(question.key, question.facts, question.buttons)
    else:
        await steps.end(request.tx, request.chat.id, request.account_id)
        if reply is not None and reply.keep is not None:
            await _keep_step(request, Ask(reply.key, keep=reply.keep))
    if reply is not None:
        await say(request, reply)


def _in_his_words(request: Request, facts: Mapping[str, Fact]) -> Mapping[str, Fact]:
    """Firms are shown their own words for a status, not the office's."""
    status = facts.get("status")
    firm = request.person is not None and not request.person.in_office
    if not firm or not isinstance(status, Said) or status.key.endswith(".firm"):
        return facts
    return {**facts, "status": Said(f"{status.key}.firm")}


async def _keep_step(request: Request, question: Ask) -> None:
    facts: dict[str, Any] = {
        "text": request.text,
        "numbers": list(request.numbers) or _button_number(request),
        "attachments": [asdict(file) for file in request.attachments],
        "subject": request.reply_to_appeal,
        "keep": dict(question.keep),
        "offers": [verb.value for verb in question.offers],
    }
    await steps.wait(request.tx, request.chat.id, request.account_id, Step(request.verb, facts), request.at)


def _button_number(request: Request) -> list[str]:
    return [request.button.number] if request.button and request.button.number else []


async def say(request: Request, reply: Reply) -> None:
    """Owe a reply where it belongs: in place, or privately with a short word in the group."""
    chat = request.chat
    if reply.private and not chat.private:
        private = await people.private_chat(request.tx, request.person.id) if request.person else None
        if private is None:
            await _owe(request, chat, Reply("reply.come_private"), reply_to=request.message.message_id)
            return
        await _owe(request, private, reply)
        await _owe(request, chat, Reply("reply.sent_privately"), reply_to=request.message.message_id)
        return
    await _owe(request, chat, reply, reply_to=request.message.message_id)


async def _owe(request: Request, chat: Chat, reply: Reply, reply_to: str | None = None) -> None:
    facts = reply.facts if _may_be_open(chat, reply) else _discreet(reply.facts)
    letter = outbox.Letter(
        chat_id=chat.id,
        key=reply.key,
        facts=facts,
        buttons=reply.buttons if chat.private else _for_group(chat, reply.buttons),
        lane=Lane.REPLY,
        appeal_id=reply.appeal.id if reply.appeal else None,
        person_id=request.person.id if request.person else None,
        files=reply.files,
        reply_to=reply_to,
        silent=request.rules.calendar.is_quiet(request.at),
    )
    await outbox.owe(request.tx, letter, at=request.at)


def _may_be_open(chat: Chat, reply: Reply) -> bool:
    """Whether a firm's own words may stand here: privately, or in the group of that one firm."""
    if chat.private:
        return True
    return (
        reply.appeal is not None and chat.one_firm == reply.appeal.enterprise_id and not reply.appeal.sealed
    )


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

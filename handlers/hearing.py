"""What a message wants: a command, a pressed button, the answer to a question, an offer to file it, or nothing."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain.access import WITH_APPEAL, may_ask
from domain.chat import Attachment, Incoming
from domain.people import Chat, Person, Role
from domain.rules import Rules
from domain.said import Button
from domain.verbs import INTAKE, Verb
from domain.words import cleaned
from handlers import spelling
from handlers.router import Request
from storage import outbox, steps
from storage.database import Tx
from storage.steps import Step

_NAMED = re.compile(r"#((?:M-[0-9A-Z]{4,10})|[0-9]{1,9})(?![\w-])", re.ASCII)
_NOUGHT = re.compile("#?0+号?", re.ASCII)
_SAID_OF_ONESELF = frozenset({Verb.CLOSURE})
"""Commands of a few whose words others use of themselves: `停工 三天了` is what a firm complains of."""


@dataclass(frozen=True, slots=True)
class Heard:
    """Who said what where; what every reading of it needs."""

    tx: Tx
    rules: Rules
    at: datetime
    person: Person | None
    account_id: int
    chat: Chat
    message: Incoming

    def request(self, verb: Verb, **more: Any) -> Request:
        """A request of this speaker."""
        return Request(
            tx=self.tx,
            rules=self.rules,
            at=self.at,
            verb=verb,
            person=self.person,
            account_id=self.account_id,
            chat=self.chat,
            message=self.message,
            **{"attachments": self.message.attachments, **more},
        )


async def understand(
    heard: Heard, vocabulary: Mapping[str, Verb], bot_names: Collection[str]
) -> Request | None:
    """The request that a message makes, or None for talk among people, which is left alone."""
    message = heard.message
    step = await steps.waiting(heard.tx, heard.chat.id, heard.account_id, heard.at)
    if message.button is not None:
        return await _pressed(heard, step, message.button)
    ours = message.reply_to is not None and await outbox.is_ours(heard.tx, heard.chat.id, message.reply_to)
    addressed = message.addressed or ours
    spoken = spelling.read(
        message.text, vocabulary, private=heard.chat.private, addressed=addressed, bot_names=bot_names
    )
    if spoken.verb in _SAID_OF_ONESELF and not (heard.person and may_ask(spoken.verb, heard.person)):
        spoken = spelling.as_talk(message.text, explicit=spoken.explicit)
    if message.edited:
        return await _edited(heard, spoken)
    to_bot = heard.chat.private or addressed or spoken.explicit
    subject = await _subject(heard, ours=ours)
    if step is not None and (chosen := _typed_button(step, message.text, spoken)):
        return await _pressed(heard, step, chosen)
    if spoken.verb is not None:
        if step is not None:
            await _forget(heard, spoken.verb)
        return _spoken(heard, spoken, subject, step, casual=not to_bot)
    if spoken.explicit and spoken.word:
        return heard.request(Verb.HELP, word=spoken.word, answered={"unknown": cleaned(spoken.word)})
    if not to_bot:
        return None
    if step is not None:
        return _answered(heard, step)
    return _talk(heard, subject)


async def _subject(heard: Heard, *, ours: bool) -> int | None:
    """The appeal that the message replied to was about.

    Where that message is known by its words alone, the one number in it counts, if this chat was told of it.
    """
    message = heard.message
    if ours and message.reply_to:
        return await outbox.appeal_of(heard.tx, heard.chat.id, message.reply_to)
    named = set(_NAMED.findall(message.quoted))
    return await outbox.appeal_told(heard.tx, heard.chat.id, named.pop()) if len(named) == 1 else None


async def _forget(heard: Heard, verb: Verb) -> None:
    """Any command ends the question that stood open; 取消 does it itself, to say whether there was one."""
    if verb is not Verb.CANCEL:
        await steps.end(heard.tx, heard.chat.id, heard.account_id)


def _spoken(heard: Heard, spoken: spelling.Spoken, subject: int | None, step: Step | None, *, casual: bool) -> Request:
    """A command; one that the open question offered as a button takes along what was given, as the button would."""
    assert spoken.verb is not None  # the caller looked
    text, numbers = cleaned(spoken.text), spoken.numbers
    if not numbers and spoken.verb in WITH_APPEAL and _NOUGHT.fullmatch(spelling.fold(text)):
        text, numbers = "", ("0",)  # no matter has it, and it must not come to mean the only one there is
    if step is not None and _offered(step, spoken.verb) and not text and not numbers:
        return heard.request(spoken.verb, **_given(step), word=spoken.word, answered={"offered": True})
    return heard.request(
        spoken.verb,
        text=text,
        numbers=numbers,
        reply_to_appeal=subject,
        word=spoken.word,
        casual=casual,
    )


async def _edited(heard: Heard, spoken: spelling.Spoken) -> Request | None:
    """An edit runs no command: what a firm changes in the words of its matter is 补充, until somebody takes it on."""
    about = await outbox.appeal_answering(heard.tx, heard.chat.id, heard.message.message_id)
    own = spoken.verb in INTAKE | {Verb.SUPPLEMENT, Verb.FILE, None}
    if about is None or not own or heard.person is None or not heard.person.has(Role.CONTACT):
        return None
    text = cleaned(spoken.text)
    return heard.request(Verb.SUPPLEMENT, text=text, reply_to_appeal=about, answered={"edited": True})


# Buttons --------------------------------------------------------------------------------------------------------------
async def _pressed(heard: Heard, step: Step | None, data: str) -> Request:
    """A button does what its twin in words does; what was typed before it was pressed comes along."""
    button = Button.parse(data)
    if button is None:
        return heard.request(Verb.HELP, answered={"forged": True})
    if button.verb is Verb.CONFIRM:
        return _confirmed(heard, step, button)
    if button.verb is Verb.PICK:
        return _picked(heard, button, step)
    given: dict[str, Any] = {}
    if step is not None and _offered(step, button.verb):
        given = {**_given(step), "answered": {"offered": True}}
    await _forget(heard, button.verb)
    numbers = (button.number,) if button.number else given.pop("numbers", ())
    return heard.request(button.verb, **{**given, "numbers": numbers, "button": button})


def _confirmed(heard: Heard, step: Step | None, button: Button) -> Request:
    """[确认] holds for the question under which it stands, and for no later one."""
    if step is None or button.data not in _presses(step):
        return heard.request(Verb.CONFIRM)
    return _resumed(heard, step, {"confirmed": True, "argument": button.argument})


def _picked(heard: Heard, button: Button, step: Step | None) -> Request:
    """One of several was chosen; the verb that asked stands in the button, what was typed stands in the step."""
    try:
        verb = Verb(button.argument or "")
    except ValueError:
        return heard.request(Verb.HELP, answered={"forged": True})
    numbers = (button.number,) if button.number else ()
    if step is not None and step.verb is verb:
        return _resumed(heard, step, {}, numbers=numbers)
    return heard.request(verb, numbers=numbers)


def _typed_button(step: Step, text: str, spoken: spelling.Spoken) -> str | None:
    """The data of the button that was typed instead of pressed: 确认, its label, or the number of what it picks."""
    presses = _presses(step)
    plain = Button(Verb.CONFIRM).data
    if spoken.verb is Verb.CONFIRM and plain in presses:
        return plain
    wanted = spelling.fold(cleaned(text))
    number = spelling.lone_number(text)
    for data, label in presses.items():
        button = Button.parse(data)
        picked = button is not None and button.verb is Verb.PICK and number is not None and button.number == number
        if picked or (label and wanted == spelling.fold(label)):
            return data
    return None


def _presses(step: Step) -> Mapping[str, str]:
    """The buttons under the question: data, and the label where it is not the verb's word."""
    found: Mapping[str, str] = step.facts.get("presses", {})
    return found


def _offered(step: Step, verb: Verb) -> bool:
    return verb.value in step.facts.get("offers", ())


# Answers --------------------------------------------------------------------------------------------------------------
def _given(step: Step) -> dict[str, Any]:
    """What the earlier messages of this conversation gave."""
    return {
        "text": step.facts.get("text", ""),
        "numbers": tuple(step.facts.get("numbers", ())),
        "attachments": tuple(Attachment(**file) for file in step.facts.get("attachments", ())),
        "reply_to_appeal": step.facts.get("subject"),
    }


def _resumed(heard: Heard, step: Step, more: Mapping[str, Any], **over: Any) -> Request:
    given = _given(step) | over
    return heard.request(step.verb, **{**given, "answered": {**step.facts.get("keep", {}), **more}})


def _answered(heard: Heard, step: Step) -> Request:
    """Words or pictures in answer to a question: they are added to what was given.

    Where one of several was to be chosen, words are no answer and take the place of nothing; what is offered to be
    filed grows by each further line.
    """
    given = _given(step)
    said = cleaned(heard.message.text)
    given["attachments"] = (*given["attachments"], *heard.message.attachments)
    keep: Mapping[str, Any] = step.facts.get("keep", {})
    if _wants_choice(step):
        return heard.request(step.verb, **{**given, "answered": keep})
    grows = step.verb is Verb.FILE and keep.get("talk") and given["text"] and said
    given["text"] = f"{given['text']}\n{said}" if grows else said or given["text"]
    return heard.request(step.verb, **{**given, "answered": {**keep, "answer": given["text"]}})


def _wants_choice(step: Step) -> bool:
    """Whether only a button, its label or its number answers: one of several matters or firms."""
    found = (Button.parse(data) for data in _presses(step))
    return any(button and (button.verb is Verb.PICK or (button.verb is Verb.CONFIRM and button.argument))
               for button in found)


def _talk(heard: Heard, subject: int | None) -> Request | None:
    """Plain words to the bot: under a matter they belong to it, otherwise they are offered to be filed."""
    text = cleaned(heard.message.text)
    if not text and not heard.message.attachments:
        return None
    verb = Verb.SUPPLEMENT if subject is not None or not text else Verb.FILE
    if subject is None and heard.person is not None and not heard.person.has(Role.CONTACT):
        verb = Verb.RECORD if text and may_ask(Verb.RECORD, heard.person) else Verb.HELP
    return heard.request(verb, text=text, reply_to_appeal=subject, answered={"talk": True})

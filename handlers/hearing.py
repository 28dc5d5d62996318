"""What a message wants: a command, a pressed button, the answer to a question, an offer to file it, or nothing."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain.chat import Attachment, Incoming
from domain.people import Chat, Person
from domain.rules import Rules
from domain.said import Button
from domain.verbs import Verb
from domain.words import cleaned
from handlers import spelling
from handlers.router import Request
from storage import outbox, steps
from storage.database import Tx
from storage.steps import Step


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
        return await _pressed(heard, step)
    ours = message.reply_to is not None and await outbox.is_ours(heard.tx, heard.chat.id, message.reply_to)
    addressed = message.addressed or ours
    spoken = spelling.read(
        message.text, vocabulary, private=heard.chat.private, addressed=addressed, bot_names=bot_names
    )
    subject = (
        await outbox.appeal_of(heard.tx, heard.chat.id, message.reply_to)
        if ours and message.reply_to
        else None
    )
    if step is not None and spoken.verb is Verb.CONFIRM:
        return _resumed(heard, step, {"confirmed": True})
    if spoken.verb is not None:
        await _forget(heard, spoken.verb)
        return _spoken(heard, spoken, subject)
    if spoken.explicit and spoken.word and spoken.verb is None:
        return heard.request(Verb.HELP, word=spoken.word, answered={"unknown": spoken.word})
    if not (heard.chat.private or addressed):
        return None
    if step is not None:
        return _answered(heard, step)
    return _talk(heard, subject)


async def _forget(heard: Heard, verb: Verb) -> None:
    """Any command ends the question that stood open; 取消 does it itself, to say whether there was one."""
    if verb is not Verb.CANCEL:
        await steps.end(heard.tx, heard.chat.id, heard.account_id)


def _spoken(heard: Heard, spoken: spelling.Spoken, subject: int | None) -> Request:
    assert spoken.verb is not None  # the caller looked
    return heard.request(
        spoken.verb,
        text=cleaned(spoken.text),
        numbers=spoken.numbers,
        reply_to_appeal=subject,
        word=spoken.word,
    )


async def _pressed(heard: Heard, step: Step | None) -> Request | None:
    """A button does what its twin in words does; what was typed before it was pressed comes along."""
    button = Button.parse(heard.message.button or "")
    if button is None:
        return heard.request(Verb.HELP, answered={"unknown": ""}, word="")
    if button.verb is Verb.CONFIRM and step is not None:
        return _resumed(heard, step, {"confirmed": True, "argument": button.argument})
    if button.verb is Verb.PICK:
        return _picked(heard, button, step)
    given: dict[str, Any] = {}
    if step is not None and button.verb.value in step.facts.get("offers", ()):
        given = _given(step)
    await _forget(heard, button.verb)
    numbers = (button.number,) if button.number else given.pop("numbers", ())
    return heard.request(button.verb, **{**given, "numbers": numbers, "button": button})


def _picked(heard: Heard, button: Button, step: Step | None) -> Request | None:
    """One of several was chosen; the verb that asked stands in the button, what was typed stands in the step."""
    try:
        verb = Verb(button.argument or "")
    except ValueError:
        return heard.request(Verb.HELP, answered={"unknown": ""})
    if step is not None and step.verb is verb:
        numbers = (button.number,) if button.number else ()
        return _resumed(heard, step, {}, numbers=numbers)
    return heard.request(verb, numbers=(button.number,) if button.number else ())


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
    """Words or pictures in answer to a question: they are added to what was given."""
    given = _given(step)
    given["text"] = cleaned(heard.message.text) or given["text"]
    given["attachments"] = (*given["attachments"], *heard.message.attachments)
    return heard.request(
        step.verb, **{**given, "answered": {**step.facts.get("keep", {}), "answer": given["text"]}}
    )


def _talk(heard: Heard, subject: int | None) -> Request | None:
    """Plain words to the bot: under a matter they belong to it, otherwise they are offered to be filed."""
    text = cleaned(heard.message.text)
    if not text and not heard.message.attachments:
        return None
    if subject is not None or not text:
        return heard.request(Verb.SUPPLEMENT, text=text, reply_to_appeal=subject, answered={"talk": True})
    return heard.request(Verb.FILE, text=text)

"""Pictures sent as one: the later messages of an album belong, without a further word, to what its first was about."""

from contextlib import suppress
from dataclasses import asdict

from domain.errors import Refused
from domain.verbs import Verb
from domain.words import cleaned
from handlers.attaching import need_files
from handlers.hearing import Heard
from handlers.router import Ask, Overheard, Request, Router
from storage import chats, steps
from storage.steps import Step


async def add(heard: Heard, router: Router) -> Request | None:
    """One message more of an album: to the matter that its first message raised, or to the question that it left open.

    None where it was about nothing here.
    """
    tx, message = heard.tx, heard.message
    appeal_id = await chats.album_appeal(tx, heard.chat.id, message.album)
    step = await steps.waiting(tx, heard.chat.id, heard.account_id, heard.at)
    if appeal_id is None and step is None and heard.person is not None:
        return None
    request = heard.request(Verb.SUPPLEMENT, text=cleaned(message.text), reply_to_appeal=appeal_id)
    if appeal_id is None and step is not None:
        request = await need_files(request, besides=len(step.facts.get("attachments", [])))
        await _to_question(request, step)
        return request
    request = await need_files(request)
    with suppress(Ask, Refused, Overheard):  # the first message was answered; an answer to each picture would be noise
        await router.perform(request)
    return request


async def _to_question(request: Request, step: Step) -> None:
    """The question takes the picture along, and is open for as long as if it had just been put."""
    files = [asdict(file) for file in request.attachments]
    known = step.facts.get("attachments", [])
    facts = {**step.facts, "attachments": [*known, *files]}
    await steps.wait(request.tx, request.chat.id, request.account_id, Step(step.verb, facts), request.at)



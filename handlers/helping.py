"""帮助 and 取消: what works for the asker, and a way out of every question."""

from collections.abc import Mapping

from domain.errors import Refused
from domain.people import Person, Role
from domain.said import Said
from domain.verbs import Verb
from handlers.router import Handler, Overheard, Reply, Request
from storage import steps

_OFFICE = (Role.LIAISON, Role.HANDLER, Role.HEAD, Role.CHIEF, Role.COORDINATOR, Role.INSPECTOR)
_SECTIONS: Mapping[str, tuple[Role, ...]] = {
    "help.contact": (Role.CONTACT,),
    "help.work": (Role.LIAISON, Role.HANDLER),
    "help.coordinator": (Role.COORDINATOR,),
    "help.chief": (Role.CHIEF,),
    "help.inspect": (Role.INSPECTOR,),
    "help.record": (Role.LIAISON, Role.COORDINATOR),
    "help.look": _OFFICE,
    "help.digest": (Role.LIAISON, Role.HANDLER, Role.HEAD, Role.CHIEF, Role.COORDINATOR),
    "help.leave": _OFFICE,
    "help.publish": (Role.COORDINATOR,),
}


async def help_asker(request: Request) -> Reply | None:
    """Help lists only what works for the asker; after an unknown command it says so first.

    In a group an unknown word is answered in one line: the others there need no lesson.
    """
    if request.answered.get("forged"):
        raise Refused("refused.button_unknown")
    word = str(request.answered.get("unknown", ""))[:20]
    if word and not request.chat.private:
        raise Refused("refused.unknown_command", {"word": word})
    if request.answered.get("talk"):
        return Reply("help.not_understood")
    unknown = Said("help.unknown", {"word": word}) if word else None
    if request.person is None:
        return Reply("help.stranger", {"unknown": unknown})
    facts = {"unknown": unknown, "name": request.person.name, "sections": _sections(request.person)}
    return Reply("help.all", facts)


def _sections(person: Person) -> list[Said]:
    found = [Said(key) for key, roles in _SECTIONS.items() if person.has(*roles)]
    return found or [Said("help.guest")]


async def cancel(request: Request) -> Reply:
    """取消: forget what was asked; nothing of it stays."""
    ended = await steps.end(request.tx, request.chat.id, request.account_id)
    if request.casual and not ended:
        raise Overheard
    return Reply("help.cancelled" if ended else "help.nothing_to_cancel")


async def confirm(request: Request) -> Reply:
    """确认 where nothing waits for it: the question was answered already, or is older than half an hour."""
    if request.casual:
        raise Overheard
    raise Refused("refused.nothing_to_confirm")


COMMANDS: Mapping[Verb, Handler] = {Verb.HELP: help_asker, Verb.CANCEL: cancel, Verb.CONFIRM: confirm}

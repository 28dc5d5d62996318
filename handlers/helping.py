"""帮助 and 取消: what works for the asker, and a way out of every question."""

from collections.abc import Mapping

from domain.people import Role
from domain.said import Said
from domain.verbs import Verb
from handlers.router import Handler, Reply, Request
from storage import steps

_SECTIONS: Mapping[Role, str] = {
    Role.CONTACT: "help.contact",
    Role.LIAISON: "help.handler",
    Role.HANDLER: "help.handler",
    Role.HEAD: "help.handler",
    Role.COORDINATOR: "help.coordinator",
    Role.INSPECTOR: "help.inspector",
    Role.CHIEF: "help.chief",
}


async def help_asker(request: Request) -> Reply | None:
    """Help lists only what works for the asker; after an unknown command it says so first."""
    word = request.answered.get("unknown")
    unknown = Said("help.unknown", {"word": str(word)[:20]}) if word else None
    if request.person is None:
        return Reply("help.stranger", {"unknown": unknown})
    keys = dict.fromkeys(key for role, key in _SECTIONS.items() if request.person.has(role))
    sections = [Said(key) for key in keys] or [Said("help.guest")]
    return Reply("help.all", {"unknown": unknown, "name": request.person.name, "sections": sections})


async def cancel(request: Request) -> Reply:
    """取消: forget what was asked; nothing of it stays."""
    ended = await steps.end(request.tx, request.chat.id, request.account_id)
    return Reply("help.cancelled" if ended else "help.nothing_to_cancel")


COMMANDS: Mapping[Verb, Handler] = {Verb.HELP: help_asker, Verb.CANCEL: cancel}
